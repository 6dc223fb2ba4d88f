"""The network identity of the app's tasks."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

HTTPS = 443
"""TCP port of HTTPS, on which AWS's own services answer too."""


@dataclass(frozen=True)
class WorkloadAccessArgs:
    """What the network identity needs to know.

    Attributes:
        vpc_id: VPC in which the tasks run.
    """

    vpc_id: pulumi.Input[str]


class WorkloadAccess(pulumi.ComponentResource):
    """The security group of the app's tasks, made before all that names it as a client.

    It lets nothing in. Out it lets HTTPS: AWS's services, and partners. Who else may be reached or may come in is added
    by the component that knows both sides: the edge, the service.
    """

    security_group_id: pulumi.Output[str]
    """Security group of the app's tasks."""

    def __init__(self, name: str, args: WorkloadAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:ecs:WorkloadAccess", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        group = aws.ec2.SecurityGroup(
            f"{name}-app",
            description="Tasks of the app",
            vpc_id=args.vpc_id,
            tags={"Name": f"{name}-app"},
            opts=own,
        )
        https = aws.vpc.SecurityGroupEgressRule(
            f"{name}-app-to-https",
            security_group_id=group.id,
            cidr_ipv4="0.0.0.0/0",
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="AWS services and partners over TLS",
            opts=own,
        )
        # By way of the rule: a task without it cannot pull its image.
        self.security_group_id = pulumi.Output.all(group.id, https.id).apply(lambda values: str(values[0]))
        self.register_outputs({"security_group_id": self.security_group_id})
