"""What joins the public load balancer to the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.pods import Place, about


@dataclass(frozen=True)
class TargetGroupBindingArgs:
    """Which pods become targets.

    Attributes:
        workload: name of the workload.
        place: where it runs.
        service: name of its Service.
        port: the Service's port.
        target_group_arn: ARN of a target group of type ``ip``, which bears the tag that lets the cluster in.
        after: what must stand before the first pod is a target: what its health check asks.
    """

    workload: str
    place: Place
    service: pulumi.Input[str]
    port: int
    target_group_arn: pulumi.Input[str]
    after: Sequence[pulumi.Resource] = ()


class TargetGroupBinding(pulumi.ComponentResource):
    """The pods of a Service as targets of a load balancer that stands outside the cluster, kept up by Auto Mode.

    Who may reach them stays the edge's own matter: its security group opens the pods' one.
    """

    target_group_arn: pulumi.Output[str]
    """ARN of the target group."""

    def __init__(self, name: str, args: TargetGroupBindingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:TargetGroupBinding", name, None, opts)
        self.target_group_arn = pulumi.Output.from_input(args.target_group_arn)
        kubernetes.apiextensions.CustomResource(
            f"{name}-{args.workload}",
            api_version="eks.amazonaws.com/v1",
            kind="TargetGroupBinding",
            metadata=about(args.workload, args.place),
            spec={
                "targetGroupARN": args.target_group_arn,
                "targetType": "ip",
                "serviceRef": {"name": args.service, "port": args.port},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.after)),
        )
        self.register_outputs({"target_group_arn": self.target_group_arn})
