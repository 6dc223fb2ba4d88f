"""Backups across clouds and over time: what no rule about one service sees."""

from __future__ import annotations

from collections.abc import Iterator

from policies import gcp
from policies.aws.types import BUCKET, BUCKET_LIFECYCLE, BUCKET_LOCK, DATABASE, DATABASE_CLUSTER
from policies.resources import Resource, Stack
from policies.rules import DURABILITY, Finding, each_rule, is_true, unless
from policies.values import Value

DAYS_OF_A_YEAR = 365


@each_rule(
    "databases-backed-up-to-two-clouds",
    "A stack with databases on AWS has a place for backups in another cloud, which keeps what is overwritten",
    "FSBP RDS.26",
    of=DATABASE + DATABASE_CLUSTER,
    beside=gcp.BUCKET,
    levels=DURABILITY,
)
def two_clouds(stack: Stack, database: Resource) -> Iterator[Finding]:
    if database["replicateSourceDb"].given or database["replicationSourceIdentifier"].given:
        return
    places = [each for each in stack.of(gcp.BUCKET) if "backup" in f"{each.name} {each['labels'].raw}".lower()]
    kept = any(each["retentionPolicy"].given or is_true(each.at("versioning.enabled")) for each in places)
    has = "overwrites what it holds" if places else "is not there"
    mend = "back it up to a gcp.storage.Bucket with versioning, whose name or labels say backup"
    yield from unless(kept, database, "copy in another cloud", mend, has)


@each_rule(
    "aws-bucket-lifecycle-keeps-retention",
    "No lifecycle removes what the bucket promises to keep: by its lock, or by the tag RetentionDays",
    "FSBP S3.15",
    of=BUCKET,
    beside=BUCKET_LIFECYCLE + BUCKET_LOCK,
    levels=DURABILITY,
)
def lifecycle_keeps_retention(stack: Stack, bucket: Resource) -> Iterator[Finding]:
    beside_it = [lock["rule"] for lock in stack.companions(bucket, BUCKET_LOCK, "bucket")]
    locks = [bucket["objectLockConfiguration"]["rule"], *beside_it]
    promised = [days(lock["defaultRetention"]) for lock in locks]
    least = max(*promised, bucket["tags"]["RetentionDays"].number or 0)
    beside = [rule for each in stack.companions(bucket, BUCKET_LIFECYCLE, "bucket") for rule in each["rules"].items]
    for rule in [*bucket["lifecycleRules"].items, *beside]:
        if rule["status"].text == "Disabled" or rule["enabled"].flag is False:
            continue
        for limit in (
            rule["expiration"]["days"],
            rule["noncurrentVersionExpiration"]["noncurrentDays"],
            rule["noncurrentVersionExpiration"]["days"],
        ):
            removed_after = limit.number
            if removed_after is not None:
                mend = f"set it to {least:g} or more, which the bucket promises"
                yield from unless(removed_after >= least, bucket, limit, mend)


def days(retention: Value) -> float:
    """Return a default retention in days; 0 without one."""
    return retention["days"].number or (retention["years"].number or 0) * DAYS_OF_A_YEAR
