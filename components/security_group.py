"""Security groups, and who may go from one to another."""

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
        let_in(f"{name}-from-{client}", group.id, security_group_id, port, f"{service} from {client}", own)
    return group


def let_in(
    name: str,
    group_id: pulumi.Input[str],
    client_id: pulumi.Input[str],
    port: int,
    description: str,
    opts: pulumi.ResourceOptions,
) -> aws.vpc.SecurityGroupIngressRule:
    """Let members of one security group in to those of another.

    Args:
        name: name of the rule.
        group_id: id of the group that is opened.
        client_id: id of the group that may come in.
        port: TCP port.
        description: what the rule is for.
        opts: options of the rule.
    """
    return aws.vpc.SecurityGroupIngressRule(
        name,
        security_group_id=group_id,
        referenced_security_group_id=client_id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=description,
        opts=opts,
    )


def let_out(
    name: str,
    group_id: pulumi.Input[str],
    server_id: pulumi.Input[str],
    port: int,
    description: str,
    opts: pulumi.ResourceOptions,
) -> aws.vpc.SecurityGroupEgressRule:
    """Let members of one security group out to those of another.

    Args:
        name: name of the rule.
        group_id: id of the group whose members may go out.
        server_id: id of the group that they go to.
        port: TCP port.
        description: what the rule is for.
        opts: options of the rule.
    """
    return aws.vpc.SecurityGroupEgressRule(
        name,
        security_group_id=group_id,
        referenced_security_group_id=server_id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=description,
        opts=opts,
    )
