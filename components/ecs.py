"""The ECS cluster that runs containers without nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from settings import EcsSettings, FargateCapacity


@dataclass(frozen=True)
class CapacityShare:
    """One provider's part of a capacity provider strategy.

    Attributes:
        provider: ``FARGATE`` or ``FARGATE_SPOT``.
        base: tasks that it runs before weights count; 0 on all but one provider.
        weight: its share of further tasks.
    """

    provider: str
    base: int
    weight: int


def strategy(capacity: FargateCapacity) -> tuple[CapacityShare, ...]:
    """Turn the settings into the shares that count: ECS refuses a strategy whose weights are all 0."""
    shares = (
        CapacityShare("FARGATE", capacity.on_demand_base, capacity.on_demand_weight),
        CapacityShare("FARGATE_SPOT", 0, capacity.spot_weight),
    )
    return tuple(share for share in shares if share.base or share.weight)


@dataclass(frozen=True)
class EcsClusterArgs:
    """What the cluster needs to know.

    Attributes:
        settings: the stack's ``ecs`` section.
        account: the account it lives in.
        log_key_arn: ARN of the KMS key that encrypts log groups; sessions are encrypted with it too.
    """

    settings: EcsSettings
    account: AwsAccount
    log_key_arn: pulumi.Input[str]


class EcsCluster(pulumi.ComponentResource):
    """An ECS cluster on Fargate and Fargate Spot, whose interactive sessions (ECS Exec) leave an audit log."""

    arn: pulumi.Output[str]
    """ARN of the cluster."""

    name: pulumi.Output[str]
    """Name of the cluster."""

    namespace_arn: pulumi.Output[str]
    """Cloud Map namespace in which services find each other by name (Service Connect)."""

    exec_log_group_name: pulumi.Output[str]
    """Log group that holds what was typed and shown in sessions."""

    capacity: Sequence[CapacityShare]
    """Strategy of services that do not state their own."""

    def __init__(self, name: str, args: EcsClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:ecs:EcsCluster", name, None, opts)
        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        exec_log = aws.cloudwatch.LogGroup(
            f"{name}-ecs-exec-log",
            name=f"/aws/ecs/{name}/exec",
            retention_in_days=settings.exec_log_retention_days,
            kms_key_id=args.log_key_arn,
            opts=own,
        )
        namespace = aws.servicediscovery.HttpNamespace(
            f"{name}-ecs", name=name, description="Services of the platform on ECS", opts=own
        )
        cluster = aws.ecs.Cluster(
            f"{name}-ecs",
            service_connect_defaults=aws.ecs.ClusterServiceConnectDefaultsArgs(namespace=namespace.arn),
            settings=[aws.ecs.ClusterSettingArgs(name="containerInsights", value=settings.container_insights)],
            configuration=aws.ecs.ClusterConfigurationArgs(
                execute_command_configuration=aws.ecs.ClusterConfigurationExecuteCommandConfigurationArgs(
                    kms_key_id=args.log_key_arn,
                    logging="OVERRIDE",
                    log_configuration=aws.ecs.ClusterConfigurationExecuteCommandConfigurationLogConfigurationArgs(
                        cloud_watch_encryption_enabled=True,
                        cloud_watch_log_group_name=exec_log.name,
                    ),
                )
            ),
            opts=own,
        )
        self.capacity = strategy(settings.capacity)
        aws.ecs.ClusterCapacityProviders(
            f"{name}-ecs",
            cluster_name=cluster.name,
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
            default_capacity_provider_strategies=[
                aws.ecs.ClusterCapacityProvidersDefaultCapacityProviderStrategyArgs(
                    capacity_provider=share.provider, base=share.base, weight=share.weight
                )
                for share in self.capacity
            ],
            opts=own,
        )
        self.arn = cluster.arn
        self.name = cluster.name
        self.namespace_arn = namespace.arn
        self.exec_log_group_name = exec_log.name
        self.register_outputs(
            {
                "arn": self.arn,
                "name": self.name,
                "namespace_arn": self.namespace_arn,
                "exec_log_group_name": self.exec_log_group_name,
            }
        )
