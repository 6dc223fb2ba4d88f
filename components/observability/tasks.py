"""How Prometheus in the cluster finds copies of the app on Amazon ECS, and comes to them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pulumi

from components.account import AwsAccount
from components.cluster import PodIdentity, PodIdentityArgs
from components.iam import Statement
from components.observability.names import NAMESPACE, PROMETHEUS
from components.observability.prometheus_configuration import Tasks
from components.security_group import let_in


@dataclass(frozen=True)
class WatchedTasksArgs:
    """Where the tasks are, and who comes to them.

    Attributes:
        account: the AWS account.
        watching_cluster: name of the Kubernetes cluster in which Prometheus runs.
        watching_group_id: security group of its nodes.
        cluster_arn: ARN of the tasks' cluster.
        group_id: security group of the tasks.
        job: workload that they are copies of.
        service: what the name of their service begins with.
        port: TCP port at which each shows its figures.
    """

    account: AwsAccount
    watching_cluster: pulumi.Input[str]
    watching_group_id: pulumi.Input[str]
    cluster_arn: pulumi.Output[str]
    group_id: pulumi.Input[str]
    job: str
    service: str
    port: int


class WatchedTasks(pulumi.ComponentResource):
    """The right to ask ECS which tasks there are, and a way to the port of each."""

    tasks: pulumi.Output[Tasks]
    """What Prometheus is told of them."""

    def __init__(self, name: str, args: WatchedTasksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:observability:WatchedTasks", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        PodIdentity(
            f"{name}-prometheus",
            PodIdentityArgs(
                args.account, args.watching_cluster, NAMESPACE, PROMETHEUS, may_find_tasks(args.cluster_arn)
            ),
            own,
        )
        let_in(
            f"{name}-app-from-prometheus",
            args.group_id,
            args.watching_group_id,
            args.port,
            "Figures to Prometheus in the Kubernetes cluster",
            own,
        )
        # By the beginning of its service's name: who watches it does not wait until it runs.
        self.tasks = args.cluster_arn.apply(
            lambda arn: Tasks(args.job, args.account.region, arn, service=args.service, port=args.port)
        )
        self.register_outputs({"tasks": self.tasks.apply(asdict)})


def may_find_tasks(cluster_arn: pulumi.Output[str]) -> list[Statement]:
    """List what discovery asks AWS, and no more.

    Sources: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#aws_sd_config; which action knows
    which resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html.
    """

    def within(kind: str) -> pulumi.Output[str]:
        return cluster_arn.apply(lambda arn: f"{arn.replace(':cluster/', f':{kind}/', 1)}/*")

    # It begins with a question about the cluster that has no name, to see whether its identity is good.
    nameless = cluster_arn.apply(lambda arn: f"{arn.partition('/')[0]}/default")
    return [
        Statement("Clusters", ["ecs:DescribeClusters"], [cluster_arn, nameless]),
        Statement("Services", ["ecs:DescribeServices"], [within("service")]),
        Statement("Tasks", ["ecs:DescribeTasks"], [within("task")]),
        Statement(
            "Lists",
            ["ecs:ListServices", "ecs:ListTasks"],
            ["*"],
            conditions={"ArnEquals": {"ecs:cluster": cluster_arn}},
        ),
        Statement("Interfaces", ["ec2:DescribeNetworkInterfaces"], ["*"]),
    ]
