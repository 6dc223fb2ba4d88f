"""The network ACL in front of the database tier: a second lock, should a security group be left open."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

OPEN_PORTS = {"postgresql": 5432}
"""TCP ports on which the private tier reaches the database tier. A port's place fixes its rule numbers: append."""

EPHEMERAL_PORTS = (1024, 65535)
"""Ports that a client may have chosen for the answer
(https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports).
"""

_WITHIN_TIER = 1000
"""First rule number for traffic between the tier's own subnets."""


def guard_databases(
    name: str,
    vpc: aws.ec2.Vpc,
    subnets: Mapping[str, aws.ec2.Subnet],
    layout: Mapping[str, Mapping[str, IPv4Network]],
    parent: pulumi.Resource,
) -> None:
    """Let the private tier's connections in and their answers out, and nothing else pass.

    Between the tier's own subnets the unprivileged ports stay open. AWS does not say whether replication to read
    replicas and to the green half of a blue/green deployment runs through the customer's subnets; if it does, it must
    not break. The rule that denies the rest is AWS's own, at the end of every network ACL.

    Args:
        name: prefix of the names.
        vpc: the VPC.
        subnets: zone letter to subnet of the tier.
        layout: tier to zone letter to addresses.
        parent: the component that the resources belong to.
    """
    own = pulumi.ResourceOptions(parent=parent)
    acl = aws.ec2.NetworkAcl(f"{name}-database", vpc_id=vpc.id, tags={"Name": f"{name}-database"}, opts=own)

    def allow(peer: str, peer_block: IPv4Network, number: int, ports: tuple[int, int], *, egress: bool) -> None:
        aws.ec2.NetworkAclRule(
            f"{name}-database-{'to' if egress else 'from'}-{peer}",
            network_acl_id=acl.id,
            rule_number=number,
            egress=egress,
            protocol="tcp",
            rule_action="allow",
            cidr_block=str(peer_block),
            from_port=ports[0],
            to_port=ports[1],
            opts=own,
        )

    for zone, subnet in subnets.items():
        # By letter, not by place: the rules of one zone keep their numbers whichever zones there are.
        offset = ord(zone) - ord("a")
        private, database = layout["private"][zone], layout["database"][zone]
        for place, (service, port) in enumerate(OPEN_PORTS.items(), start=1):
            allow(f"private-{zone}-{service}", private, 100 * place + offset, (port, port), egress=False)
        allow(f"private-{zone}", private, 100 + offset, EPHEMERAL_PORTS, egress=True)
        allow(f"database-{zone}", database, _WITHIN_TIER + offset, EPHEMERAL_PORTS, egress=False)
        allow(f"database-{zone}", database, _WITHIN_TIER + offset, EPHEMERAL_PORTS, egress=True)
        aws.ec2.NetworkAclAssociation(f"{name}-database-{zone}", network_acl_id=acl.id, subnet_id=subnet.id, opts=own)
