"""The Auterity platform: one stack's settings, made into its components in the order in which data flows."""

import sys

import pulumi

from components.ecs import EcsCluster, EcsClusterArgs
from components.network import Vpc, VpcArgs
from composition.ground import lay_ground
from composition.stores import make_stores
from settings import AwsSettings, SettingsError, StackSettings, load

ERROR_SHOWN = 32
"""Exit code by which the language host knows that the error was shown, and adds none of its own."""


def stack_settings() -> StackSettings:
    """Read the whole configuration of the stack, or stop with every wrong key before anything is registered."""
    config = pulumi.runtime.get_config_env()
    secret_keys = pulumi.runtime.get_config_secret_keys_env()
    try:
        return load(config, secret_keys)
    except SettingsError as error:
        pulumi.log.error(str(error))
        sys.exit(ERROR_SHOWN)


def aws_platform(settings: StackSettings, where: AwsSettings) -> None:
    """Compose what runs on AWS, and export where to find it."""
    ground = lay_ground(settings, where)

    if settings.network:
        vpc = Vpc(ground.name, VpcArgs(settings.network, ground.account, ground.log_key_arn), ground.opts)
        pulumi.export("vpc_id", vpc.vpc_id)
        pulumi.export("private_subnet_ids", vpc.private_subnet_ids)
        pulumi.export("nat_public_ips", vpc.nat_public_ips)
        make_stores(ground, settings, vpc)

    if settings.ecs:
        cluster = EcsCluster(ground.name, EcsClusterArgs(settings.ecs, ground.account, ground.log_key_arn), ground.opts)
        pulumi.export("ecs_cluster", cluster.name)


def main() -> None:
    """Bring up whatever the stack's settings name."""
    settings = stack_settings()
    pulumi.export("environment", settings.environment)
    if settings.aws:
        aws_platform(settings, settings.aws)


main()
