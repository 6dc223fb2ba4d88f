"""Ways from the private subnets to AWS services that do not lead through a NAT gateway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.iam import Statement, policy


def s3_gateway(
    name: str,
    vpc: aws.ec2.Vpc,
    route_tables: Mapping[str, aws.ec2.RouteTable],
    account: AwsAccount,
    parent: pulumi.Resource,
) -> aws.ec2.VpcEndpoint:
    """Route S3 of the stack's Region past the NAT gateways, at no cost.

    Its policy lets everything reach the account's own buckets, and lets objects be read from anyone's: layers of ECR
    and registry.k8s.io and the packages of Amazon Linux are in buckets of others, whose names differ by Region and
    change. What it stops is writing to, or listing, a bucket of another account: the way data is carried off.

    Sources: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html,
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-setting-up-s3-gateway.
    """
    own = pulumi.ResourceOptions(parent=parent)
    anyone = {"AWS": "*"}
    endpoint = aws.ec2.VpcEndpoint(
        f"{name}-s3",
        vpc_id=vpc.id,
        vpc_endpoint_type="Gateway",
        service_name=f"com.amazonaws.{account.region}.s3",
        policy=policy(
            Statement(
                sid="OwnBuckets",
                principal=anyone,
                actions=["s3:*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:ResourceAccount": account.account_id}},
            ),
            Statement(sid="DownloadsFromAnyBucket", principal=anyone, actions=["s3:GetObject"], resources=["*"]),
        ),
        tags={"Name": f"{name}-s3"},
        opts=own,
    )
    for zone, route_table in route_tables.items():
        aws.ec2.VpcEndpointRouteTableAssociation(
            f"{name}-s3-{zone}", vpc_endpoint_id=endpoint.id, route_table_id=route_table.id, opts=own
        )
    return endpoint


def interface_endpoints(
    name: str,
    vpc: aws.ec2.Vpc,
    services: Iterable[str],
    subnets: Mapping[str, aws.ec2.Subnet],
    account: AwsAccount,
    parent: pulumi.Resource,
) -> aws.ec2.SecurityGroup:
    """Put network interfaces for AWS services into the private subnets, under the services' usual names, for the
    account's own identities.

    Source: https://docs.aws.amazon.com/whitepapers/latest/building-a-data-perimeter-on-aws/.

    Returns:
        The one security group of all endpoints, which takes HTTPS from the VPC and opens nothing itself.
    """
    own = pulumi.ResourceOptions(parent=parent)
    group = aws.ec2.SecurityGroup(
        f"{name}-endpoints",
        description="Interface endpoints: HTTPS from the VPC",
        vpc_id=vpc.id,
        tags={"Name": f"{name}-endpoints"},
        opts=own,
    )
    aws.vpc.SecurityGroupIngressRule(
        f"{name}-endpoints-https",
        security_group_id=group.id,
        description="HTTPS from anywhere in the VPC",
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        cidr_ipv4=vpc.cidr_block,
        opts=own,
    )
    anyone = {"AWS": "*"}
    # Credentials of another account, brought along, carry nothing out of this network.
    own_identities = policy(
        Statement(
            sid="OwnIdentities",
            principal=anyone,
            actions=["*"],
            resources=["*"],
            conditions={"StringEquals": {"aws:PrincipalAccount": account.account_id}},
        ),
        Statement(
            sid="ServicesOfAws",
            principal=anyone,
            actions=["*"],
            resources=["*"],
            conditions={"Bool": {"aws:PrincipalIsAWSService": "true"}},
        ),
    )
    for service in services:
        aws.ec2.VpcEndpoint(
            f"{name}-{service}",
            vpc_id=vpc.id,
            vpc_endpoint_type="Interface",
            service_name=f"com.amazonaws.{account.region}.{service}",
            private_dns_enabled=True,
            policy=own_identities,
            subnet_ids=[subnet.id for subnet in subnets.values()],
            security_group_ids=[group.id],
            tags={"Name": f"{name}-{service}"},
            opts=own,
        )
    return group
