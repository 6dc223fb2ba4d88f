"""What only the cloud can tell: what exists, what is taken, what is in use."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.cloud.errors import CloudError
from sandbox.cloud.server import Cloud
from tests.cloud.hands import Hands
from tests.cloud.landscape import (
    DATABASE,
    INSTANCE,
    LOG_GROUP,
    ROLE,
    SECURITY_GROUP,
    SUBNET,
    SUBNET_GROUP,
    TRUST,
    database,
    subnet,
    subnet_group,
    vpc,
)

ALIAS = "aws:kms/alias:Alias"
KEY = "aws:kms/key:Key"


def _database(group: str) -> dict[str, Any]:
    return {**DATABASE, "dbSubnetGroupName": group}


def test_an_error_reads_like_awss(aws: Hands) -> None:
    with pytest.raises(CloudError) as refused:
        aws.create(SUBNET, "x", vpcId="vpc-0123456789abcdef0", cidrBlock="10.0.0.0/24")
    assert str(refused.value).startswith(
        "creating EC2 Subnet: operation error EC2: CreateSubnet, https response error StatusCode: 400, RequestID: "
    )
    assert str(refused.value).endswith(
        "api error InvalidVpcID.NotFound: The vpc ID 'vpc-0123456789abcdef0' does not exist"
    )


def test_an_id_of_another_region_does_not_exist_here(cloud: Cloud, aws: Hands) -> None:
    network = vpc(aws)
    with pytest.raises(CloudError, match=r"InvalidVpcID\.NotFound"):
        Hands(cloud, region="us-west-2").create(SUBNET, "x", vpcId=network.id, cidrBlock="10.0.0.0/24")


def test_an_arn_of_this_account_must_exist(aws: Hands) -> None:
    with pytest.raises(CloudError, match="NotFoundException"):
        aws.create(
            LOG_GROUP, "x", kmsKeyId="arn:aws:kms:us-east-1:123456789012:key/0b1c2d3e-0000-4000-8000-000000000000"
        )


def test_an_arn_of_another_account_is_taken_on_trust(aws: Hands) -> None:
    key = "arn:aws:kms:us-east-1:999999999999:key/0b1c2d3e-0000-4000-8000-000000000000"
    assert aws.create(LOG_GROUP, "x", kmsKeyId=key)["kmsKeyId"] == key


def test_a_role_must_exist_before_a_policy_is_put_into_it(aws: Hands) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    with pytest.raises(CloudError, match="NoSuchEntity: The role with name nobody cannot be found"):
        aws.create("aws:iam/rolePolicy:RolePolicy", "x", role="nobody", policy=json.dumps(document))


def test_overlapping_subnets_conflict(aws: Hands) -> None:
    network = vpc(aws)
    aws.create(SUBNET, "first", vpcId=network.id, cidrBlock="10.0.0.0/24")
    with pytest.raises(CloudError, match=r"InvalidSubnet\.Conflict: The CIDR '10\.0\.0\.128/25' conflicts"):
        aws.create(SUBNET, "second", vpcId=network.id, cidrBlock="10.0.0.128/25")


def test_a_subnet_lies_inside_its_vpc(aws: Hands) -> None:
    with pytest.raises(CloudError, match=r"InvalidSubnet\.Range"):
        aws.create(SUBNET, "x", vpcId=vpc(aws).id, cidrBlock="10.1.0.0/24")


def test_a_subnet_lies_in_a_zone_that_exists(aws: Hands) -> None:
    with pytest.raises(CloudError, match="availability zones: us-east-1a, us-east-1b"):
        aws.create(SUBNET, "x", vpcId=vpc(aws).id, cidrBlock="10.0.0.0/24", availabilityZone="us-east-1z")


@pytest.mark.parametrize(
    ("type", "inputs", "code"),
    [
        (ROLE, {"name": "app", "assumeRolePolicy": TRUST}, "EntityAlreadyExists"),
        (LOG_GROUP, {"name": "/app"}, "ResourceAlreadyExistsException"),
        (SECURITY_GROUP, {"name": "app", "vpcId": "vpc"}, "InvalidGroup.Duplicate"),
        (
            "aws:rds/parameterGroup:ParameterGroup",
            {"name": "app", "family": "postgres15"},
            "DBParameterGroupAlreadyExists",
        ),
    ],
)
def test_a_name_is_taken_once(aws: Hands, type: str, inputs: dict[str, Any], code: str) -> None:
    if "vpcId" in inputs:
        inputs = {**inputs, "vpcId": vpc(aws).id}
    aws.create(type, "first", **inputs)
    with pytest.raises(CloudError, match=code):
        aws.create(type, "second", **inputs)


def test_the_same_name_is_free_in_another_region(cloud: Cloud, aws: Hands) -> None:
    aws.create(LOG_GROUP, "here", name="/app")
    there = Hands(cloud, region="us-west-2").create(LOG_GROUP, "there", name="/app")
    assert ":us-west-2:" in there["arn"]


def test_iam_names_are_taken_in_every_region(cloud: Cloud, aws: Hands) -> None:
    aws.create(ROLE, "here", name="app", assumeRolePolicy=TRUST)
    with pytest.raises(CloudError, match="EntityAlreadyExists"):
        Hands(cloud, region="us-west-2").create(ROLE, "there", name="app", assumeRolePolicy=TRUST)


def test_a_vpc_in_use_is_not_deleted(aws: Hands) -> None:
    network = vpc(aws)
    subnet(aws, network)
    with pytest.raises(CloudError, match=r"DependencyViolation: The vpc 'vpc-[0-9a-f]{17}' has dependencies"):
        aws.delete(network)


def test_a_vpc_takes_what_aws_added_to_it_along(cloud: Cloud, aws: Hands) -> None:
    network = vpc(aws)
    group = aws.create("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "default", vpcId=network.id, ingress=[])
    assert group.id == network["defaultSecurityGroupId"]
    aws.delete(group)
    aws.delete(network)
    assert list(cloud.store.list()) == []


def test_a_security_group_that_a_rule_elsewhere_names_is_not_deleted(aws: Hands) -> None:
    network = vpc(aws)
    app, data = (aws.create(SECURITY_GROUP, name, vpcId=network.id) for name in ("app", "data"))
    ports = {"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432}
    rule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    aws.create(rule, "x", securityGroupId=data.id, referencedSecurityGroupId=app.id, **ports)
    with pytest.raises(CloudError, match="DependencyViolation"):
        aws.delete(app)
    aws.delete(data)
    aws.delete(app)


def test_a_role_with_a_policy_is_not_deleted(aws: Hands) -> None:
    role = aws.create(ROLE, "app", assumeRolePolicy=TRUST)
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    aws.create("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "app", role=role["name"], policyArn=arn)
    with pytest.raises(CloudError, match="DeleteConflict: Cannot delete entity, must detach all policies first"):
        aws.delete(role)


def test_a_subnet_group_spans_two_zones(aws: Hands) -> None:
    network = vpc(aws)
    ids = [subnet(aws, network, "a", third).id for third in (1, 2)]
    with pytest.raises(CloudError, match="DBSubnetGroupDoesNotCoverEnoughAZs"):
        aws.create(SUBNET_GROUP, "x", subnetIds=ids)


def test_a_subnet_group_with_an_instance_is_not_deleted(aws: Hands) -> None:
    group = subnet_group(aws)
    aws.create(INSTANCE, "main", **_database(group["name"]))
    with pytest.raises(CloudError, match="InvalidDBSubnetGroupStateFault"):
        aws.delete(group)


def test_a_protected_database_is_not_deleted(aws: Hands) -> None:
    main = database(aws, deletionProtection=True)
    with pytest.raises(CloudError, match="Cannot delete protected DB Instance, please disable deletion protection"):
        aws.delete(main)


def test_a_final_snapshots_name_is_used_once(aws: Hands) -> None:
    inputs = {"skipFinalSnapshot": False, "finalSnapshotIdentifier": "last"}
    group = subnet_group(aws)["name"]
    first = aws.create(INSTANCE, "main", **{**_database(group), **inputs})
    aws.delete(first)
    second = aws.create(INSTANCE, "main", **{**_database(group), **inputs})
    with pytest.raises(CloudError, match="DBSnapshotAlreadyExists"):
        aws.delete(second)


def test_storage_does_not_shrink(aws: Hands) -> None:
    main = database(aws)
    with pytest.raises(CloudError, match="cannot shrink from 100 to 50 GiB"):
        aws.update(main, **{**main.inputs, "allocatedStorage": 50})


def test_a_parameter_group_of_another_major_version_is_refused(aws: Hands) -> None:
    group = aws.create("aws:rds/parameterGroup:ParameterGroup", "p", family="postgres16")
    with pytest.raises(CloudError, match="Please use a Parameter Group with DBParameterGroupFamily postgres15"):
        database(aws, parameterGroupName=group["name"])


def test_an_address_serves_one_nat_gateway(aws: Hands) -> None:
    network = vpc(aws)
    aws.create("aws:ec2/internetGateway:InternetGateway", "igw", vpcId=network.id)
    address = aws.create("aws:ec2/eip:Eip", "nat", domain="vpc")
    nat = "aws:ec2/natGateway:NatGateway"
    aws.create(nat, "a", subnetId=subnet(aws, network, "a", 1).id, allocationId=address.id)
    with pytest.raises(CloudError, match=r"InvalidIPAddress\.InUse"):
        aws.create(nat, "b", subnetId=subnet(aws, network, "b", 2).id, allocationId=address.id)
    with pytest.raises(CloudError, match=r"InvalidIPAddress\.InUse"):
        aws.delete(address)


def test_a_nat_gateway_needs_an_internet_gateway(aws: Hands) -> None:
    place = subnet(aws, vpc(aws))
    address = aws.create("aws:ec2/eip:Eip", "nat", domain="vpc")
    with pytest.raises(CloudError, match=r"Gateway\.NotAttached"):
        aws.create("aws:ec2/natGateway:NatGateway", "a", subnetId=place.id, allocationId=address.id)


def test_a_route_to_one_destination_exists_once(aws: Hands) -> None:
    network = vpc(aws)
    gateway = aws.create("aws:ec2/internetGateway:InternetGateway", "igw", vpcId=network.id)
    table = aws.create("aws:ec2/routeTable:RouteTable", "public", vpcId=network.id)
    route = {"routeTableId": table.id, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway.id}
    aws.create("aws:ec2/route:Route", "first", **route)
    with pytest.raises(CloudError, match="RouteAlreadyExists"):
        aws.create("aws:ec2/route:Route", "second", **route)


def test_backups_are_copied_under_a_key_of_their_own_region(cloud: Cloud, aws: Hands) -> None:
    main = database(aws, backupRetentionPeriod=7, storageEncrypted=True)
    here = aws.create(KEY, "here")
    west = Hands(cloud, region="us-west-2")
    copies = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
    with pytest.raises(CloudError, match="KMSKeyNotAccessibleFault"):
        west.create(copies, "x", sourceDbInstanceArn=main["arn"], kmsKeyId=here["arn"])
    there = west.create(KEY, "there")
    assert west.create(copies, "x", sourceDbInstanceArn=main["arn"], kmsKeyId=there["arn"]).id


def test_an_alias_points_to_a_key_that_exists(aws: Hands) -> None:
    with pytest.raises(CloudError, match="NotFoundException"):
        aws.create(ALIAS, "x", targetKeyId="0b1c2d3e-0000-4000-8000-000000000000")


def test_an_account_that_is_not_allowed_is_refused(cloud: Cloud) -> None:
    with pytest.raises(CloudError, match="AWS account ID not allowed: 123456789012"):
        Hands(cloud, allowedAccountIds=["111111111111"])


def test_a_look_up_that_is_not_simulated_is_named(aws: Hands) -> None:
    with pytest.raises(CloudError, match="aws:ec2/getMoon:getMoon: the simulated aws provider does not know"):
        aws.invoke("aws:ec2/getMoon:getMoon")


def test_an_issuer_of_tokens_is_known_to_an_account_once(aws: Hands) -> None:
    issuer = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    aws.create(issuer, "x", url="https://token.example.com", clientIdLists=["sts.amazonaws.com"])
    with pytest.raises(CloudError, match=r"Provider with url https://token\.example\.com already exists"):
        aws.create(issuer, "y", url="https://token.example.com", clientIdLists=["sts.amazonaws.com"])


def test_a_role_is_not_bound_by_a_policy_that_is_not_there(aws: Hands) -> None:
    bound = "arn:aws:iam::123456789012:policy/auterity-boundary"
    aws.create(ROLE, "bound", assumeRolePolicy=TRUST, permissionsBoundary=bound)
    with pytest.raises(CloudError, match=r"NoSuchEntity: Policy .*other was not found"):
        aws.create(
            ROLE, "unbound", assumeRolePolicy=TRUST, permissionsBoundary=bound.replace("auterity-boundary", "other")
        )
