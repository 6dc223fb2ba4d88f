"""Cases of the rules of AWS's buckets."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.cases.model import Case, Later, Made, Ref, breaks, keeps

BUCKET = Made("aws:s3/bucket:Bucket", {})
OLD = "aws:s3/bucketV2:BucketV2"
BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def beside(type: str, **properties: Any) -> Made:
    return Made(f"aws:s3/{type[0].lower()}{type[1:]}:{type}", {"bucket": Ref("bucket"), **properties})


def block(**changes: bool) -> Made:
    return beside("BucketPublicAccessBlock", **{**dict.fromkeys(BLOCKS, True), **changes})


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def denial(**changes: Any) -> dict[str, Any]:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::some-bucket", "arn:aws:s3:::some-bucket/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        **changes,
    }


def policy(**changes: Any) -> Made:
    return beside("BucketPolicy", policy=document(denial(**changes)))


ELSEWHERE = {"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}


def elsewhere(but: str = "", **changes: Any) -> Made:
    """Deny whoever does not come through an endpoint."""
    statement = denial(**{"Condition": ELSEWHERE, **changes})
    if but:
        del statement["Action"]
        statement["NotAction"] = but
    return beside("BucketPolicy", policy=document(statement))


def encrypted(algorithm: str, type: str = "BucketServerSideEncryptionConfiguration") -> Made:
    return beside(type, rules=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm}}])


def logging_to(target: str) -> Made:
    return beside("BucketLogging", targetBucket=Ref(target), targetPrefix="access/")


PUBLIC = "aws-bucket-public-access-blocked"
ACL = "aws-bucket-acl-private"
TLS = "aws-bucket-tls-only"
REACH = "aws-bucket-within-reach"
KMS = "aws-bucket-encrypted-by-key"
VERSIONS = "aws-bucket-versioned"
LIFECYCLE = "aws-bucket-lifecycle"
LOGGED = "aws-bucket-access-logged"
LOCKED = "aws-bucket-backups-locked"
RULE = {"id": "old", "status": "Enabled", "filter": {}, "expiration": {"days": 90}}
LOCK = {"rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 30}}}

CASES: tuple[Case, ...] = (
    breaks(PUBLIC, "nothing", bucket=BUCKET),
    breaks(PUBLIC, "one of four is off", "block", bucket=BUCKET, block=block(restrictPublicBuckets=False)),
    breaks(PUBLIC, "another's", "bare", bucket=BUCKET, bare=BUCKET, block=block()),
    keeps(PUBLIC, "blocked", bucket=BUCKET, block=block()),
    keeps(PUBLIC, "older bucket", bucket=Made(OLD, {}), block=block()),
    breaks(ACL, "public", "acl", bucket=BUCKET, acl=beside("BucketAcl", acl="public-read")),
    breaks(ACL, "inside", bucket=Made(OLD, {"acl": "public-read-write"})),
    keeps(ACL, "private", bucket=BUCKET, acl=beside("BucketAcl", acl="private")),
    breaks(TLS, "nothing", bucket=BUCKET),
    breaks(
        TLS,
        "later",
        "bucket",
        open=("bucket",),
        bucket=Made("aws:s3/bucket:Bucket", {"bucket": "some-bucket"}),
        policy=beside("BucketPolicy", policy=Later(document(denial(Action="s3:PutObject")))),
    ),
    breaks(TLS, "objects alone", "bucket", bucket=BUCKET, policy=policy(Resource="arn:aws:s3:::some-bucket/*")),
    breaks(TLS, "reading alone", "bucket", bucket=BUCKET, policy=policy(Action="s3:GetObject")),
    breaks(TLS, "allowed", "bucket", bucket=BUCKET, policy=policy(Effect="Allow")),
    breaks(
        TLS,
        "with TLS",
        "bucket",
        bucket=BUCKET,
        policy=policy(Condition={"Bool": {"aws:SecureTransport": "true"}}),
    ),
    breaks(
        TLS,
        "for some alone",
        "bucket",
        bucket=BUCKET,
        policy=policy(Condition={"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}}),
    ),
    keeps(TLS, "denied", bucket=BUCKET, policy=policy()),
    keeps(TLS, "written differently", bucket=BUCKET, policy=policy(Principal={"AWS": "*"}, Action=["s3:*"])),
    keeps(TLS, "inside", bucket=Made(OLD, {"policy": document(denial())})),
    breaks(REACH, "everything but by the endpoint", "policy", bucket=BUCKET, policy=elsewhere()),
    breaks(REACH, "from everywhere", "policy", bucket=BUCKET, policy=policy(Condition={})),
    breaks(REACH, "all but uploads", "policy", bucket=BUCKET, policy=elsewhere(but="s3:PutObject")),
    breaks(REACH, "inside", bucket=Made(OLD, {"policy": document(denial(Condition=ELSEWHERE))})),
    breaks(
        REACH,
        "later",
        "policy",
        open=("policy",),
        bucket=BUCKET,
        policy=beside("BucketPolicy", policy=Later(document(denial(Condition=ELSEWHERE)))),
    ),
    keeps(REACH, "TLS", bucket=BUCKET, policy=policy()),
    keeps(REACH, "objects alone", bucket=BUCKET, policy=elsewhere(Resource=["arn:aws:s3:::some-bucket/*"])),
    keeps(REACH, "reading objects alone", bucket=BUCKET, policy=elsewhere(Action="s3:GetObject*")),
    keeps(
        REACH,
        "all but the deployment's role",
        bucket=BUCKET,
        policy=elsewhere(Condition={**ELSEWHERE, "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/pipeline-*"}}),
    ),
    keeps(REACH, "allowed", bucket=BUCKET, policy=elsewhere(Effect="Allow")),
    breaks(KMS, "nothing", bucket=BUCKET),
    breaks(KMS, "S3's own", "bucket", bucket=BUCKET, encryption=encrypted("AES256")),
    keeps(KMS, "a key", bucket=BUCKET, encryption=encrypted("aws:kms")),
    keeps(
        KMS,
        "a key in the older way",
        bucket=BUCKET,
        encryption=encrypted("aws:kms", "BucketServerSideEncryptionConfigurationV2"),
    ),
    keeps(
        KMS,
        "access logs",
        source=BUCKET,
        key=Made(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            {"bucket": Ref("source"), "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]},
        ),
        bucket=BUCKET,
        encryption=encrypted("AES256"),
        logging=Made(
            "aws:s3/bucketLogging:BucketLogging",
            {"bucket": Ref("source"), "targetBucket": Ref("bucket"), "targetPrefix": "x/"},
        ),
    ),
    breaks(VERSIONS, "nothing", bucket=BUCKET),
    breaks(
        VERSIONS,
        "suspended",
        "bucket",
        bucket=BUCKET,
        versions=beside("BucketVersioning", versioningConfiguration={"status": "Suspended"}),
    ),
    keeps(
        VERSIONS,
        "on",
        bucket=BUCKET,
        versions=beside("BucketVersioning", versioningConfiguration={"status": "Enabled"}),
    ),
    breaks(LIFECYCLE, "nothing", bucket=BUCKET),
    breaks(
        LIFECYCLE,
        "off",
        "bucket",
        bucket=BUCKET,
        lifecycle=beside("BucketLifecycleConfiguration", rules=[{**RULE, "status": "Disabled"}]),
    ),
    keeps(LIFECYCLE, "on", bucket=BUCKET, lifecycle=beside("BucketLifecycleConfiguration", rules=[RULE])),
    breaks(LOGGED, "nothing", bucket=BUCKET),
    keeps(LOGGED, "logged and log", logs=BUCKET, bucket=BUCKET, logging=logging_to("logs")),
    breaks(LOCKED, "tagged", bucket=Made("aws:s3/bucket:Bucket", {"tags": {"Purpose": "backup"}})),
    keeps(
        LOCKED,
        "locked",
        bucket=Made("aws:s3/bucket:Bucket", {"tags": {"Purpose": "backup"}, "objectLockEnabled": True}),
        lock=beside("BucketObjectLockConfiguration", **LOCK),
    ),
    keeps(LOCKED, "something else", bucket=BUCKET),
    keeps(
        LOCKED,
        "log of the access to it",
        logs=Made("aws:s3/bucket:Bucket", {"tags": {"Purpose": "backup"}}),
        bucket=BUCKET,
        logging=logging_to("logs"),
    ),
)
