"""Typed settings of one stack: the only place where defaults and limits of the platform stand."""

from settings.aws import AwsSettings
from settings.database import BackupReplicaSettings, DatabaseSettings
from settings.ecs import EcsSettings, FargateCapacity
from settings.loading import PROJECT, SettingsError, load
from settings.network import ExistingSubnets, ExistingVpc, FlowLogSettings, NetworkSettings
from settings.stack import STANDARD_TAGS, StackSettings

__all__ = [
    "PROJECT",
    "STANDARD_TAGS",
    "AwsSettings",
    "BackupReplicaSettings",
    "DatabaseSettings",
    "EcsSettings",
    "ExistingSubnets",
    "ExistingVpc",
    "FargateCapacity",
    "FlowLogSettings",
    "NetworkSettings",
    "SettingsError",
    "StackSettings",
    "load",
]
