"""Things in the simulated AWS that several tests stand on."""

from __future__ import annotations

import json
from typing import Any

from tests.cloud.hands import Hands, Made

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
ROLE = "aws:iam/role:Role"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
INSTANCE = "aws:rds/instance:Instance"
SUBNET_GROUP = "aws:rds/subnetGroup:SubnetGroup"

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def vpc(aws: Hands, **inputs: Any) -> Made:
    """Make a VPC of 10.0.0.0/16."""
    return aws.create(VPC, "main", **{"cidrBlock": "10.0.0.0/16", **inputs})


def subnet(aws: Hands, network: Made, zone: str = "a", third: int = 0) -> Made:
    """Make a subnet 10.0.`third`.0/24 in a zone of the Region."""
    return aws.create(
        SUBNET,
        f"subnet-{zone}-{third}",
        vpcId=network.id,
        cidrBlock=f"10.0.{third}.0/24",
        availabilityZone=f"us-east-1{zone}",
    )


def subnet_group(aws: Hands, network: Made | None = None) -> Made:
    """Make a DB subnet group over two zones."""
    network = network or vpc(aws)
    subnets = [subnet(aws, network, zone, number) for number, zone in enumerate("ab", 10)]
    return aws.create(SUBNET_GROUP, "main", subnetIds=[s.id for s in subnets])


DATABASE: dict[str, Any] = {
    "engine": "postgres",
    "engineVersion": "15.19",
    "instanceClass": "db.r7g.large",
    "allocatedStorage": 100,
    "storageType": "gp3",
    "username": "auterity",
    "manageMasterUserPassword": True,
    "skipFinalSnapshot": True,
}
"""Inputs of a small database that AWS takes."""


def database(aws: Hands, **inputs: Any) -> Made:
    """Make a PostgreSQL instance in a subnet group of its own."""
    return aws.create(INSTANCE, "main", **{**DATABASE, "dbSubnetGroupName": subnet_group(aws)["name"], **inputs})
