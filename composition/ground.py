"""What every component of a stack on AWS stands on: providers, account, key of its logs, network, cluster."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_docker as docker
import pulumi_random as random

from components.account import AwsAccount
from components.alarms import AlarmTopic, AlarmTopicArgs
from components.boundary import bound_roles
from components.ecs import EcsCluster, EcsClusterArgs
from components.encryption import EncryptionKey, EncryptionKeyArgs, log_groups_may_use
from components.network import Vpc, VpcArgs
from composition.naming import stack_prefix
from settings import PROJECT, AwsSettings, EcsSettings, NetworkSettings, StackSettings


@dataclass(frozen=True)
class Ground:
    """What is handed to every part of the composition.

    Attributes:
        name: prefix of every name, ``auterity-<stack>``.
        account: the AWS account.
        log_key_arn: ARN of the KMS key that encrypts log groups.
        alarm_topic_arn: ARN of the SNS topic that hears of alarms; None in a stack without alarms.
        opts: the providers, from which every component takes its own.
    """

    name: str
    account: AwsAccount
    log_key_arn: pulumi.Output[str]
    alarm_topic_arn: pulumi.Output[str] | None
    opts: pulumi.ResourceOptions


def lay_ground(settings: StackSettings, where: AwsSettings) -> Ground:
    """Make the providers, look the account up, make the key of the log groups and the topic of alarms."""
    name = stack_prefix()
    provider = aws.Provider(
        "aws",
        region=where.region,
        allowed_account_ids=[where.account_id] if where.account_id else None,
        default_tags=aws.ProviderDefaultTagsArgs(tags=stack_tags(settings)),
    )
    account = AwsAccount.of(provider, where.region)
    if where.permissions_boundary:
        bound_roles(account.arn("iam", f"policy/{where.permissions_boundary}", region=""))
    opts = pulumi.ResourceOptions(providers=[provider, docker.Provider("docker"), random.Provider("random")])
    key = EncryptionKey(
        f"{name}-logs",
        EncryptionKeyArgs(account, purpose="the platform's log groups", services=[log_groups_may_use(account)]),
        opts,
    )
    topic = AlarmTopic(name, AlarmTopicArgs(settings.alarms, account), opts) if settings.alarms else None
    pulumi.export("account_id", account.account_id)
    pulumi.export("region", where.region)
    return Ground(name, account, key.arn, topic.topic_arn if topic else None, opts)


def make_network(ground: Ground, settings: NetworkSettings) -> Vpc:
    """Make the VPC, or adopt the one that the settings name."""
    vpc = Vpc(ground.name, VpcArgs(settings, ground.account, ground.log_key_arn), ground.opts)
    pulumi.export("vpc_id", vpc.vpc_id)
    pulumi.export("private_subnet_ids", vpc.private_subnet_ids)
    pulumi.export("nat_public_ips", vpc.nat_public_ips)
    return vpc


def make_ecs_cluster(ground: Ground, settings: EcsSettings) -> EcsCluster:
    """Make the cluster in which containers run without nodes."""
    cluster = EcsCluster(ground.name, EcsClusterArgs(settings, ground.account, ground.log_key_arn), ground.opts)
    pulumi.export("ecs_cluster", cluster.name)
    return cluster


def stack_tags(settings: StackSettings) -> dict[str, str]:
    """Return the tags of every taggable resource; the provider puts them on."""
    return {
        "Project": PROJECT,
        "Environment": settings.environment,
        "Stack": pulumi.get_stack(),
        "Owner": settings.owner,
        "ManagedBy": "pulumi",
        **settings.tags,
    }
