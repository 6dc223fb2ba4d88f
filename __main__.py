"""The Auterity platform: one stack's settings, made into its components in the order in which data flows."""

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.account import AwsAccount
from components.database import RdsPostgres, RdsPostgresArgs
from components.ecs import EcsCluster, EcsClusterArgs
from components.encryption import EncryptionKey, EncryptionKeyArgs, log_groups_may_use
from components.network import Vpc, VpcArgs
from settings import PROJECT, AwsSettings, SettingsError, StackSettings, load


def stack_settings() -> StackSettings:
    """Read the whole configuration of the stack, or stop with every wrong key before anything is registered."""
    config = pulumi.runtime.get_config_env()
    secret_keys = pulumi.runtime.get_config_secret_keys_env()
    try:
        return load(config, secret_keys)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def aws_provider(settings: StackSettings, where: AwsSettings) -> aws.Provider:
    """Make the provider from which every AWS resource takes its account, Region and tags."""
    tags = {
        "Project": PROJECT,
        "Environment": settings.environment,
        "Stack": pulumi.get_stack(),
        "Owner": settings.owner,
        "ManagedBy": "pulumi",
        **settings.tags,
    }
    return aws.Provider(
        "aws",
        region=where.region,
        allowed_account_ids=[where.account_id] if where.account_id else None,
        default_tags=aws.ProviderDefaultTagsArgs(tags=tags),
    )


def aws_platform(name: str, settings: StackSettings, where: AwsSettings) -> None:
    """Compose what runs on AWS, and export where to find it."""
    provider = aws_provider(settings, where)
    account = AwsAccount.of(provider, where.region)
    on_aws = pulumi.ResourceOptions(providers=[provider, random.Provider("random")])

    logs_key = EncryptionKey(
        f"{name}-logs",
        EncryptionKeyArgs(account, purpose="the platform's log groups", services=[log_groups_may_use(account)]),
        on_aws,
    )
    pulumi.export("account_id", account.account_id)
    pulumi.export("region", where.region)

    if settings.network:
        vpc = Vpc(name, VpcArgs(settings.network, account, logs_key.arn), on_aws)
        pulumi.export("vpc_id", vpc.vpc_id)
        pulumi.export("private_subnet_ids", vpc.private_subnet_ids)
        pulumi.export("nat_public_ips", vpc.nat_public_ips)

        if settings.database:
            database = RdsPostgres(
                name,
                RdsPostgresArgs(
                    settings.database,
                    account,
                    vpc_id=vpc.vpc_id,
                    subnet_ids=vpc.database_subnet_ids,
                    log_key_arn=logs_key.arn,
                    clients={},
                ),
                on_aws,
            )
            pulumi.export("database_endpoint", database.endpoint)
            pulumi.export("database_secret_arn", database.master_secret_arn)

    if settings.ecs:
        cluster = EcsCluster(name, EcsClusterArgs(settings.ecs, account, logs_key.arn), on_aws)
        pulumi.export("ecs_cluster", cluster.name)


def main() -> None:
    """Bring up whatever the stack's settings name."""
    settings = stack_settings()
    pulumi.export("environment", settings.environment)
    if settings.aws:
        aws_platform(f"{PROJECT}-{pulumi.get_stack()}", settings, settings.aws)


main()
