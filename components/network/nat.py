"""NAT gateways: the private subnets' way out to the internet."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from settings import NetworkSettings


def nat_gateways(
    name: str,
    settings: NetworkSettings,
    public_subnets: Mapping[str, aws.ec2.Subnet],
    internet_gateway: aws.ec2.InternetGateway,
    parent: pulumi.Resource,
) -> dict[str, aws.ec2.NatGateway]:
    """Make the NAT gateways that the settings ask for, each with a new or a given Elastic IP address.

    Returns:
        Zone letter to the gateway that stands in the zone.
    """
    gateways = {}
    for zone in settings.nat_zones:
        address: pulumi.Input[str] | None = settings.nat_allocation_ids.get(zone)
        if address is None:
            name_tag = {"Name": f"{name}-nat-{zone}"}
            address = aws.ec2.Eip(
                f"{name}-nat-{zone}", domain="vpc", tags=name_tag, opts=pulumi.ResourceOptions(parent=parent)
            ).id
        gateways[zone] = aws.ec2.NatGateway(
            f"{name}-nat-{zone}",
            subnet_id=public_subnets[zone].id,
            allocation_id=address,
            tags={"Name": f"{name}-nat-{zone}"},
            # It fails while the VPC has no internet gateway, and no value of that one tells when it is attached.
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[internet_gateway]),
        )
    return gateways
