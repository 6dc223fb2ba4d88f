"""Cases of the rules of backups."""

from __future__ import annotations

from typing import Any

from tests.policies.cases import gcp
from tests.policies.cases.aws_databases import cluster, database
from tests.policies.cases.model import Case, Later, Made, Ref, breaks, keeps

TWO = "databases-backed-up-to-two-clouds"
KEPT = "aws-bucket-lifecycle-keeps-retention"

REPLICA = {"instanceClass": "db.m7g.large", "replicateSourceDb": "source", "skipFinalSnapshot": True}
BACKUP = {"labels": {"purpose": "backup"}}


def bucket(**tags: str) -> Made:
    return Made("aws:s3/bucket:Bucket", {"tags": tags})


def lock(**retention: Any) -> Made:
    return Made(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        {"bucket": Ref("bucket"), "rule": {"defaultRetention": {"mode": "GOVERNANCE", **retention}}},
    )


def removes(status: str = "Enabled", **limits: Any) -> Made:
    rules = [{"id": "old", "status": status, "filter": {}, **limits}]
    return Made(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", {"bucket": Ref("bucket"), "rules": rules}
    )


CASES: tuple[Case, ...] = (
    breaks(TWO, "one cloud", "database", database=database()),
    breaks(TWO, "another bucket", "database", database=cluster(), other=gcp.bucket()),
    breaks(
        TWO, "overwritten", "database", database=database(), copy=gcp.bucket(**BACKUP, versioning={"enabled": False})
    ),
    breaks(
        TWO,
        "later",
        "database",
        open=("database",),
        database=database(),
        copy=gcp.bucket(**BACKUP, versioning={"enabled": Later(False)}),
    ),
    keeps(TWO, "two clouds", database=database(), copy=gcp.bucket(**BACKUP)),
    keeps(TWO, "a replica", database=Made("aws:rds/instance:Instance", REPLICA)),
    keeps(TWO, "no database", copy=gcp.bucket()),
    breaks(
        KEPT,
        "before the lock ends",
        "bucket",
        bucket=bucket(),
        lock=lock(days=30),
        rule=removes(expiration={"days": 7}),
    ),
    breaks(KEPT, "years", "bucket", bucket=bucket(), lock=lock(years=1), rule=removes(expiration={"days": 364})),
    breaks(
        KEPT,
        "old versions, against the tag",
        "bucket",
        bucket=bucket(RetentionDays="90"),
        rule=removes(noncurrentVersionExpiration={"noncurrentDays": 30}),
    ),
    breaks(
        KEPT,
        "inside the bucket",
        bucket=Made(
            "aws:s3/bucket:Bucket",
            {
                "tags": {"RetentionDays": "90"},
                "lifecycleRules": [{"enabled": True, "noncurrentVersionExpiration": {"days": 30}}],
            },
        ),
    ),
    keeps(KEPT, "as long", bucket=bucket(), lock=lock(days=30), rule=removes(expiration={"days": 30})),
    keeps(KEPT, "switched off", bucket=bucket(), lock=lock(days=30), rule=removes("Disabled", expiration={"days": 7})),
    keeps(KEPT, "nothing promised", bucket=bucket(), rule=removes(expiration={"days": 1})),
)
