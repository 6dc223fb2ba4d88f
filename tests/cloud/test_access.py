"""What the caller of the engine, who is outside of every VPC, is shown of buckets by their own policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.cloud.aws.access import denies
from sandbox.cloud.caller import ENGINE, Caller
from sandbox.cloud.errors import CloudError
from tests.cloud.hands import Hands, Made, Refused
from tests.cloud.landscape import ROLE, TRUST

BUCKET = "aws:s3/bucket:Bucket"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
ENDPOINT = "vpce-0123456789abcdef0"
INSIDE = Caller(ENGINE.name, "10.0.0.7", ENDPOINT, "vpc-0123456789abcdef0")
ELSEWHERE = {"StringNotEquals": {"aws:SourceVpce": ENDPOINT}}


def document(**changes: Any) -> str:
    statement = {
        "Sid": "Elsewhere",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": ["arn:aws:s3:::orders", "arn:aws:s3:::orders/*"],
        "Condition": ELSEWHERE,
        **changes,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def bucket(aws: Hands, **policy: Any) -> Made:
    made = aws.create(BUCKET, "orders", bucket="orders")
    aws.create(POLICY, "orders", bucket="orders", policy=document(**policy))
    return made


def test_a_bucket_that_may_not_be_listed_from_outside_is_gone_to_a_refresh(aws: Hands) -> None:
    assert aws.read(bucket(aws)) is None


def test_a_bucket_whose_objects_alone_are_denied_is_read_from_outside(aws: Hands) -> None:
    assert aws.read(bucket(aws, Action="s3:GetObject", Resource="arn:aws:s3:::orders/*")) is not None


def test_a_setting_that_a_policy_hides_fails_a_refresh(aws: Hands) -> None:
    bucket(aws, Action="s3:GetBucketVersioning")
    versions = aws.create(VERSIONING, "orders", bucket="orders", versioningConfiguration={"status": "Enabled"})
    with pytest.raises(CloudError, match=r"AccessDenied: .* s3:GetBucketVersioning .* explicit deny"):
        aws.read(versions)


@pytest.mark.parametrize(
    ("changes", "denied"),
    [
        ({}, True),
        ({"Condition": {}}, True),
        ({"Action": "s3:*"}, True),
        ({"Action": "S3:List*"}, True),
        ({"Condition": {"StringNotEqualsIfExists": {"aws:SourceVpce": ENDPOINT}}}, True),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}}, True),
        ({"Condition": {"Null": {"aws:SourceVpce": "true"}}}, True),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24"]}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceVpce": ENDPOINT}}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, False),
        ({"Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}}, False),
        ({"Condition": {**ELSEWHERE, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/sand*"}}}, False),
        ({"Principal": {"AWS": "arn:aws:iam::999999999999:root"}}, False),
        ({"Effect": "Allow"}, False),
        ({"Resource": "arn:aws:s3:::orders/*"}, False),
    ],
)
def test_a_denial_is_judged_as_iam_judges_it(changes: dict[str, Any], denied: bool) -> None:
    assert denies(document(**changes), ENGINE, "s3:ListBucket", "arn:aws:s3:::orders") is denied


def test_whoever_comes_through_the_endpoint_is_let_in() -> None:
    assert not denies(document(), INSIDE, "s3:ListBucket", "arn:aws:s3:::orders")


def allowed(actions: str | list[str], resources: str | list[str]) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}]}
    )


@pytest.mark.parametrize(
    ("actions", "resources", "why"),
    [
        ("logs:DescribeLogGroups", "arn:aws:logs:us-east-1:123456789012:log-group:*", "takes no resource but *"),
        ("kms:Decrypt", "arn:aws:s3:::orders/*", "takes the ARN of key"),
        ("ec2:DescribeSubnets", "arn:aws:ec2:us-east-1:123456789012:subnet/*", "takes no resource but *"),
    ],
)
def test_a_right_on_resources_that_its_action_never_takes_is_refused(
    aws: Hands, actions: str, resources: str, why: str
) -> None:
    aws.create(ROLE, "app", name="app", assumeRolePolicy=TRUST)
    with pytest.raises(Refused, match=f"grants nothing: it {why}".replace("*", r"\*")):
        aws.check("aws:iam/rolePolicy:RolePolicy", "app", {"role": "app", "policy": allowed(actions, resources)})


@pytest.mark.parametrize(
    ("actions", "resources"),
    [
        ("logs:DescribeLogGroups", "*"),
        (["logs:PutLogEvents"], "arn:aws:logs:us-east-1:123456789012:log-group:/app:*"),
        ("logs:Describe*", "arn:aws:logs:us-east-1:123456789012:log-group:/app:*"),
        ("s3:ListBucket", ["arn:aws:s3:::orders", "arn:aws:s3:::orders/*"]),
        ("kms:Decrypt", "arn:aws:kms:*:*:key/*"),
        ("unknown:Action", "arn:aws:unknown:us-east-1:123456789012:thing"),
    ],
)
def test_a_right_that_grants_something_is_taken(aws: Hands, actions: str | list[str], resources: str) -> None:
    policy = allowed(actions, resources)
    assert aws.check("aws:iam/policy:Policy", "app", {"policy": policy})["policy"] == policy


OBJECT = "aws:s3/bucketObject:BucketObject"


def test_a_bucket_that_holds_objects_is_not_deleted(aws: Hands) -> None:
    made = aws.create(BUCKET, "orders", bucket="orders")
    aws.create(OBJECT, "order", bucket="orders", key="order", content="x")
    with pytest.raises(CloudError, match="BucketNotEmpty"):
        aws.delete(made)


def test_objects_that_may_not_be_deleted_keep_their_bucket_also_where_they_may_go_with_it(aws: Hands) -> None:
    made = aws.create(BUCKET, "orders", bucket="orders", forceDestroy=True)
    aws.create(OBJECT, "order", bucket="orders", key="order", content="x")
    denial = aws.create(POLICY, "orders", bucket="orders", policy=document(Action="s3:DeleteObjectVersion"))
    with pytest.raises(CloudError, match="AccessDenied"):
        aws.delete(made)
    aws.delete(denial)
    aws.delete(made)
    assert aws.read(made) is None
