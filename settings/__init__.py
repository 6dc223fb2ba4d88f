"""Typed settings of one stack: the only place where defaults and limits of the platform stand."""

from settings.alarms import AlarmsSettings, Subscription
from settings.app import AppScaling, AppSettings, PodResources, Runtimes
from settings.aws import AwsSettings
from settings.backup import BackupSettings
from settings.cache import CacheSettings
from settings.database import BackupReplicaSettings, DatabaseSettings
from settings.database_proxy import DatabaseProxySettings
from settings.ecs import EcsSettings, FargateCapacity
from settings.edge import EdgeSettings
from settings.gateway import GatewaySettings
from settings.image import ImageBuild, ImageSettings
from settings.kubernetes import EksSettings, ExistingClusterSettings, KubernetesSettings
from settings.load_balancer import LoadBalancerSettings
from settings.loading import PROJECT, SettingsError, load, read
from settings.messaging import MessagingSettings
from settings.network import ExistingSubnets, ExistingVpc, FlowLogSettings, NetworkSettings
from settings.observability import ObservabilitySettings
from settings.registry import PullThroughCache, RegistrySettings
from settings.secrets import SecretsSettings
from settings.stack import STANDARD_TAGS, StackSettings
from settings.storage import StorageSettings
from settings.vault import VaultSettings

__all__ = [
    "PROJECT",
    "STANDARD_TAGS",
    "AlarmsSettings",
    "AppScaling",
    "AppSettings",
    "AwsSettings",
    "BackupReplicaSettings",
    "BackupSettings",
    "CacheSettings",
    "DatabaseProxySettings",
    "DatabaseSettings",
    "EcsSettings",
    "EdgeSettings",
    "EksSettings",
    "ExistingClusterSettings",
    "ExistingSubnets",
    "ExistingVpc",
    "FargateCapacity",
    "FlowLogSettings",
    "GatewaySettings",
    "ImageBuild",
    "ImageSettings",
    "KubernetesSettings",
    "LoadBalancerSettings",
    "MessagingSettings",
    "NetworkSettings",
    "ObservabilitySettings",
    "PodResources",
    "PullThroughCache",
    "RegistrySettings",
    "Runtimes",
    "SecretsSettings",
    "SettingsError",
    "StackSettings",
    "StorageSettings",
    "Subscription",
    "VaultSettings",
    "load",
    "read",
]
