"""The security group of what others connect to."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws


def listening_group(
    name: str,
    description: str,
    vpc_id: pulumi.Input[str],
    service: str,
    port: int,
    clients: Mapping[str, pulumi.Input[str]],
    parent: pulumi.Resource,
) -> aws.ec2.SecurityGroup:
    """Make a group that lets the named clients in on one TCP port, and nothing out.

    Args:
        name: name of the group, and prefix of its rules'.
        description: what it is the group of.
        vpc_id: VPC that it is in.
        service: what listens, as the rules' descriptions call it.
        port: TCP port.
        clients: a name for each source, to the id of its security group.
        parent: component that it belongs to.
    """
    own = pulumi.ResourceOptions(parent=parent)
    group = aws.ec2.SecurityGroup(name, description=description, vpc_id=vpc_id, tags={"Name": name}, opts=own)
    for client, security_group_id in clients.items():
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-from-{client}",
            security_group_id=group.id,
            referenced_security_group_id=security_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"{service} from {client}",
            opts=own,
        )
    return group
