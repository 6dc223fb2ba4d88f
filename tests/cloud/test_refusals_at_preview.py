"""What a preview already tells: faults of the inputs that need no look at the cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.cloud.server import Cloud
from tests.cloud.hands import UNKNOWN, Hands, Refused
from tests.cloud.landscape import DATABASE, INSTANCE, LOG_GROUP, ROLE, SECURITY_GROUP, SUBNET, TRUST, VPC

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ID = "vpc-0123456789abcdef0"


def failures(aws: Hands, type: str, **inputs: Any) -> dict[str, str]:
    """Return what is wrong with inputs."""
    with pytest.raises(Refused) as refused:
        aws.check(type, "x", inputs)
    return dict(refused.value.failures)


def test_an_unknown_property_is_refused_by_its_name(aws: Hands) -> None:
    assert "unknown property" in failures(aws, VPC, cidrBlock="10.0.0.0/16", cidr="x")["cidr"]


def test_an_unknown_property_deep_inside_is_refused_by_its_path(aws: Hands) -> None:
    rule = {"protocol": "tcp", "fromPort": 1, "toPort": 2, "cidr": ["10.0.0.0/8"]}
    assert "unknown property" in failures(aws, SECURITY_GROUP, ingress=[rule])["ingress[0].cidr"]


def test_a_missing_property_is_refused(aws: Hands) -> None:
    assert "required" in failures(aws, SUBNET, cidrBlock="10.0.0.0/24")["vpcId"]


def test_a_wrong_type_is_refused(aws: Hands) -> None:
    assert "expected a boolean" in failures(aws, VPC, cidrBlock="10.0.0.0/16", enableDnsSupport=[])["enableDnsSupport"]


def test_a_type_that_the_sdk_lacks_is_refused(aws: Hands) -> None:
    with pytest.raises(Exception, match="unrecognized resource type 'aws:ec2/moon:Moon'"):
        aws.check("aws:ec2/moon:Moon", "x", {})


@pytest.mark.parametrize("block", ["10.0.0.0/33", "10.0.0/16", "10.0.0.1/16", "everything"])
def test_a_malformed_cidr_is_refused(aws: Hands, block: str) -> None:
    assert "not a valid IPv4 CIDR block" in failures(aws, VPC, cidrBlock=block)["cidrBlock"]


def test_a_vpc_larger_than_aws_allows_is_refused(aws: Hands) -> None:
    assert "between /16 and /28" in failures(aws, VPC, cidrBlock="10.0.0.0/8")["cidrBlock"]


def test_a_vpc_with_two_sources_of_its_block_is_refused(aws: Hands) -> None:
    found = failures(aws, VPC, cidrBlock="10.0.0.0/16", ipv4IpamPoolId="ipam-pool-1", ipv4NetmaskLength=16)
    assert any("only one of" in reason for reason in found.values())


def test_a_malformed_arn_is_refused(aws: Hands) -> None:
    found = failures(
        aws, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", role="r", policyArn="AdministratorAccess"
    )
    assert "invalid ARN" in found["policyArn"]


def test_an_issuer_of_tokens_without_tls_is_refused(aws: Hands) -> None:
    issuer = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    assert "https://" in failures(aws, issuer, url="http://token.example.com", clientIdLists=["x"])["url"]


def test_a_policy_that_is_not_json_is_refused(aws: Hands) -> None:
    assert "invalid JSON policy" in failures(aws, ROLE, assumeRolePolicy="{Version: 2012-10-17}")["assumeRolePolicy"]


def test_a_policy_with_a_wrong_effect_is_refused(aws: Hands) -> None:
    assert (
        "MalformedPolicyDocument"
        in failures(aws, ROLE, assumeRolePolicy=TRUST.replace("Allow", "Permit"))["assumeRolePolicy"]
    )


def test_an_identity_policy_without_a_resource_is_refused(aws: Hands) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*"}]})
    assert "Resource" in failures(aws, "aws:iam/policy:Policy", policy=document)["policy"]


def test_a_retention_that_cloudwatch_does_not_know_is_refused(aws: Hands) -> None:
    assert "is not one of 1, 3, 5, 7" in failures(aws, LOG_GROUP, retentionInDays=8)["retentionInDays"]


def test_an_rds_engine_version_that_does_not_exist_is_refused_with_those_that_do(aws: Hands) -> None:
    reason = failures(aws, INSTANCE, **{**DATABASE, "engineVersion": "15.99"})["engineVersion"]
    assert "Cannot find version 15.99 for postgres" in reason
    assert "15.19" in reason


def test_an_rds_instance_class_that_does_not_exist_is_refused(aws: Hands) -> None:
    reason = failures(aws, INSTANCE, **{**DATABASE, "instanceClass": "db.r7g.enormous"})["instanceClass"]
    assert "does not support creating a DB instance" in reason


def test_an_rds_engine_that_does_not_exist_is_refused(aws: Hands) -> None:
    assert "Invalid DB engine" in failures(aws, INSTANCE, **{**DATABASE, "engine": "postgresql"})["engine"]


@pytest.mark.parametrize(
    ("changed", "property"),
    [
        ({"backupRetentionPeriod": 36}, "backupRetentionPeriod"),
        ({"monitoringInterval": 7, "monitoringRoleArn": UNKNOWN}, "monitoringInterval"),
        ({"monitoringInterval": 60}, "monitoringRoleArn"),
        ({"maxAllocatedStorage": 105}, "maxAllocatedStorage"),
        ({"allocatedStorage": 10}, "allocatedStorage"),
        ({"iops": 3000}, "iops"),
        ({"password": "x" * 12}, "password"),
        ({"enabledCloudwatchLogsExports": ["slowquery"]}, "enabledCloudwatchLogsExports[0]"),
        ({"databaseInsightsMode": "advanced"}, "databaseInsightsMode"),
        ({"skipFinalSnapshot": False}, "finalSnapshotIdentifier"),
        ({"performanceInsightsRetentionPeriod": 8}, "performanceInsightsRetentionPeriod"),
        ({"maintenanceWindow": "sunday"}, "maintenanceWindow"),
    ],
)
def test_a_database_that_rds_would_refuse_is_refused(aws: Hands, changed: dict[str, Any], property: str) -> None:
    assert list(failures(aws, INSTANCE, **{**DATABASE, **changed})) == [property]


def test_a_parameter_group_family_that_does_not_exist_is_refused(aws: Hands) -> None:
    assert "postgres15" in failures(aws, "aws:rds/parameterGroup:ParameterGroup", family="postgres15.19")["family"]


def test_a_rule_with_two_sources_is_refused(aws: Hands) -> None:
    rule = {"securityGroupId": "sg-0123456789abcdef0", "ipProtocol": "tcp", "fromPort": 1, "toPort": 2}
    both = {"cidrIpv4": "10.0.0.0/8", "referencedSecurityGroupId": "sg-0123456789abcdef1"}
    found = failures(aws, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", **rule, **both)
    assert "exactly one of" in found["cidrIpv4"]


def test_a_tag_in_awss_own_name_space_is_refused(aws: Hands) -> None:
    assert "reserved" in failures(aws, VPC, cidrBlock="10.0.0.0/16", tags={"aws:owner": "x"})["tags.aws:owner"]


def test_a_region_that_does_not_exist_is_refused(aws: Hands) -> None:
    assert "invalid AWS Region" in failures(aws, VPC, cidrBlock="10.0.0.0/16", region="us-middle-1")["region"]


def test_values_that_are_not_known_yet_pass(aws: Hands) -> None:
    unknown = {"vpcId": UNKNOWN, "cidrBlock": UNKNOWN, "availabilityZone": UNKNOWN, "tags": {"Name": UNKNOWN}}
    assert aws.check(SUBNET, "x", unknown)["vpcId"] is not None


def test_every_wrong_property_is_told_at_once(aws: Hands) -> None:
    assert set(failures(aws, SUBNET, cidr="10.0.0.0/24", mapPublicIpOnLaunch={})) == {
        "cidr",
        "mapPublicIpOnLaunch",
        "vpcId",
    }


@pytest.mark.parametrize("name", ["admin", "rdsadmin", "user", "pg_monitor"])
def test_a_master_name_that_the_engine_reserves_is_refused(aws: Hands, name: str) -> None:
    with pytest.raises(Refused, match="cannot be used as it is a reserved word used by the engine"):
        aws.check(INSTANCE, "main", {**DATABASE, "username": name})


def test_iam_takes_tags_that_differ_in_case_for_one(cloud: Cloud) -> None:
    tagging = Hands(cloud, defaultTags=json.dumps({"tags": {"Owner": "platform"}}))
    with pytest.raises(Refused, match="Duplicate tag keys found"):
        tagging.check(ROLE, "app", {"assumeRolePolicy": TRUST, "tags": {"owner": "me"}})
    assert tagging.check(VPC, "main", {"cidrBlock": "10.0.0.0/16", "tags": {"owner": "me"}})


@pytest.mark.parametrize(("period", "points"), [(3600, 169), (300, 289), (86_400, 8)])
def test_an_alarm_that_looks_back_further_than_cloudwatch_does_is_refused(aws: Hands, period: int, points: int) -> None:
    query = {
        "id": "m1",
        "returnData": True,
        "metric": {"metricName": "x", "namespace": "N", "period": period, "stat": "Sum"},
    }
    shape = {"metricQueries": [query], "comparisonOperator": "LessThanOrEqualToThreshold", "threshold": 0}
    assert "seconds in all" in failures(aws, ALARM, **shape, evaluationPeriods=points)["evaluationPeriods"]
    aws.check(ALARM, "x", {**shape, "evaluationPeriods": points - 1})


def test_a_backup_that_has_less_than_an_hour_to_begin_is_refused(aws: Hands) -> None:
    rule = {"ruleName": "daily", "targetVaultName": UNKNOWN, "startWindow": 59}
    told = failures(aws, "aws:backup/plan:Plan", name="x", rules=[rule])
    assert "60 minutes or more" in told["rules[0].startWindow"]
