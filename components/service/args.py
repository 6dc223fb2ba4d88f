"""What the service is made of, handed over by what stands around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.account import AwsAccount
from components.ecs import EcsCluster
from components.iam import Statement
from components.secrets import SecretKey
from settings import AppSettings


@dataclass(frozen=True)
class ServedBy:
    """How the load balancer reaches the app.

    Attributes:
        target_group_arn: ARN of the target group.
        target_group_arn_suffix: the ``TargetGroup`` of its metrics.
        load_balancer_arn_suffix: the ``LoadBalancer`` of its metrics.
    """

    target_group_arn: pulumi.Input[str]
    target_group_arn_suffix: pulumi.Input[str]
    load_balancer_arn_suffix: pulumi.Input[str]


@dataclass(frozen=True)
class Destination:
    """A store that the tasks connect to.

    Attributes:
        security_group_id: its security group, which lets the tasks in.
        port: its TCP port.
    """

    security_group_id: pulumi.Input[str]
    port: int


@dataclass(frozen=True)
class EcsServiceArgs:
    """What the service needs to know.

    Attributes:
        settings: the stack's ``app`` section.
        account: the account it lives in.
        cluster: where it runs.
        subnet_ids: zone letter to subnet id, of the private tier.
        security_group_id: security group of the tasks.
        log_key_arn: ARN of the KMS key that encrypts log groups.
        image: the container image, with an exact tag or a digest.
        repository_arn: ARN of the ECR repository that the image comes from; None for a public registry.
        environment: plain environment variables of the container.
        secrets: environment variable to the value that ECS puts there as a task starts.
        destinations: a name for each store that the tasks connect to.
        permissions: what the app itself may do in AWS.
        served_by: the load balancer's target group for it; None where no load balancer reaches it.
        idle_timeout_seconds: seconds after which the edge closes an idle connection; the service keeps it for longer.
        alarm_topic_arn: SNS topic that hears of alarms during and after a deployment.
        after: what must stand before the first task starts, and no value carries: routes out, the listener.
    """

    settings: AppSettings
    account: AwsAccount
    cluster: EcsCluster
    subnet_ids: Mapping[str, pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    log_key_arn: pulumi.Input[str]
    image: pulumi.Input[str]
    repository_arn: pulumi.Input[str] | None = None
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    secrets: Mapping[str, SecretKey] = field(default_factory=dict)
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    permissions: Sequence[Statement] = ()
    served_by: ServedBy | None = None
    idle_timeout_seconds: int = 60
    alarm_topic_arn: pulumi.Input[str] | None = None
    after: Sequence[pulumi.Resource] = ()
