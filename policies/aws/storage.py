"""Buckets: closed, encrypted, kept; settings beside the bucket and those of older releases inside it."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from policies.aws.documents import Statement, statements
from policies.aws.types import (
    BUCKET,
    BUCKET_ACL,
    BUCKET_ENCRYPTION,
    BUCKET_LIFECYCLE,
    BUCKET_LOCK,
    BUCKET_LOGGING,
    BUCKET_POLICY,
    BUCKET_VERSIONING,
    LOAD_BALANCER,
    PUBLIC_ACCESS_BLOCK,
)
from policies.resources import Resource, Stack
from policies.rules import (
    DURABILITY,
    SECURITY,
    Finding,
    Violation,
    each_rule,
    is_true,
    of_each,
    resource_rule,
    stack_rule,
    unless,
)
from policies.values import Value, each

BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read")


def log_targets(stack: Stack) -> set[str]:
    """Return the URNs of the buckets that load balancers and other buckets write their access logs to."""
    into = [
        *(stack.targets(each, "targetBucket", BUCKET) for each in stack.of(BUCKET_LOGGING)),
        *(stack.targets(each, "accessLogs", BUCKET) for each in stack.of(LOAD_BALANCER)),
    ]
    return {bucket.urn for buckets in into for bucket in buckets}


@each_rule(
    "aws-bucket-public-access-blocked",
    "Each bucket blocks public access in all four ways",
    "CIS AWS 3.0 2.1.4",
    "FSBP S3.1, S3.8",
    of=BUCKET,
    beside=PUBLIC_ACCESS_BLOCK,
)
def bucket_public_access_blocked(stack: Stack, bucket: Resource) -> Iterator[Finding]:
    blocks = stack.companions(bucket, PUBLIC_ACCESS_BLOCK, "bucket")
    yield from unless(
        bool(blocks), bucket, "public access block", "add an aws.s3.BucketPublicAccessBlock with all four set"
    )
    for block in blocks:
        for key in BLOCKS:
            yield from unless(is_true(block[key]), block, block[key], "set it to true")


@resource_rule(
    "aws-bucket-acl-private",
    "No access control list opens a bucket",
    "FSBP S3.2, S3.3, S3.12",
    types=BUCKET + BUCKET_ACL,
)
def bucket_acl_private(resource: Resource) -> Iterator[Finding]:
    acl = resource["acl"]
    yield from unless(acl.text not in PUBLIC_ACLS, resource, acl, "remove it and let a policy name who may")


@each_rule(
    "aws-bucket-tls-only",
    "Each bucket refuses plain connections",
    "CIS AWS 3.0 2.1.1",
    "FSBP S3.5",
    of=BUCKET,
    beside=BUCKET_POLICY,
)
def bucket_tls_only(stack: Stack, bucket: Resource) -> Iterator[Finding]:
    documents = [policy["policy"] for policy in stack.companions(bucket, BUCKET_POLICY, "bucket")]
    documents += [bucket["policy"]] if bucket["policy"].given else []
    refused = any(refuses_plain(each) for document in documents for each in statements(document))
    yield from unless(
        refused,
        bucket,
        "policy",
        "deny s3:* to everybody on the bucket and its objects where aws:SecureTransport is false",
        "lets plain connections in" if documents else "is not there",
    )


def refuses_plain(statement: Statement) -> bool:
    """Say whether a statement denies everybody everything on bucket and objects without TLS."""
    secure = [
        value.text.lower()
        for operator, keys in statement.conditions.items()
        if operator.lower() == "bool"
        for value in keys.get("aws:securetransport", Value(None)).one_or_many
    ]
    names = [name for each in statement.resources for name in each.one_or_many]
    whole = any(name.text == "*" for name in names) or (
        any(name.text.endswith("/*") for name in names) and any(not name.text.endswith("/*") for name in names)
    )
    return (
        statement.value["Effect"].text == "Deny"
        and statement.for_anybody
        and any(action in ("*", "s3:*") for action in statement.actions)
        and whole
        and secure == ["false"]
        and len(statement.condition_keys) == 1
    )


ORIGIN = frozenset({"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"})
"""Condition keys that say where a call comes from, and nothing of whose it is."""


@resource_rule(
    "aws-bucket-within-reach",
    "No bucket policy hides the bucket itself from whoever calls from elsewhere, such as a deployment's runner",
    "S3 API reference, HeadBucket",
    types=BUCKET + BUCKET_POLICY,
    levels=SECURITY,
)
def bucket_within_reach(resource: Resource) -> Iterator[Finding]:
    def check(statement: Statement) -> Iterator[Violation]:
        hides = hides_bucket(statement)
        mend = (
            "deny actions on objects (arn/*) alone, or except who deploys by aws:PrincipalArn: to who may not "
            "s3:ListBucket a bucket is gone, and the next deployment makes an empty one"
        )
        yield from unless(not hides, resource, statement.value, mend, "denies s3:ListBucket by where a call comes from")

    document = resource["policy"]
    if document.given:
        yield from each(statements(document), check)


def hides_bucket(statement: Statement) -> bool:
    """Say whether a statement denies anybody, or anybody from elsewhere, to look at the bucket itself."""
    if statement.value["Effect"].text != "Deny" or not statement.for_anybody or statement.condition_keys - ORIGIN:
        return False
    names = [one for many in statement.resources for one in many.one_or_many]
    if not (statement.all_but or statement.grants("s3:listbucket")):
        return False
    if any(fnmatchcase("s3:listbucket", pattern.lower()) for pattern in statement.all_but):
        return False
    return statement.value["NotResource"].given or any("/" not in name.text for name in names)


@stack_rule(
    "aws-bucket-encrypted-by-key",
    "Buckets are encrypted with a KMS key; those that take access logs, which allow none, with S3's own",
    "FSBP S3.17",
    types=BUCKET + BUCKET_ENCRYPTION + BUCKET_LOGGING + LOAD_BALANCER,
)
def bucket_encrypted_by_key(stack: Stack) -> Iterator[Finding]:
    logs = log_targets(stack)

    def check(bucket: Resource) -> Iterator[Finding]:
        inside = bucket["serverSideEncryptionConfiguration"]["rule"]["applyServerSideEncryptionByDefault"]
        found = [inside["sseAlgorithm"]] if inside.given else []
        for beside in stack.companions(bucket, BUCKET_ENCRYPTION, "bucket"):
            found += [rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] for rule in beside["rules"].items]
        allowed = ("AES256", "aws:kms", "aws:kms:dsse") if bucket.urn in logs else ("aws:kms", "aws:kms:dsse")
        mend = f"add an encryption configuration with sseAlgorithm {' or '.join(allowed)}"
        yield from unless(bool(found), bucket, "encryption configuration", mend)
        for algorithm in found:
            yield from unless(algorithm.text in allowed, bucket, "sseAlgorithm", mend, f"is {algorithm.raw!r}")

    yield from of_each(stack.of(BUCKET), check)


@each_rule(
    "aws-bucket-versioned",
    "Buckets keep versions",
    "FSBP S3.14",
    of=BUCKET,
    beside=BUCKET_VERSIONING,
    levels=DURABILITY,
)
def bucket_versioned(stack: Stack, bucket: Resource) -> Iterator[Finding]:
    found = [each["versioningConfiguration"] for each in stack.companions(bucket, BUCKET_VERSIONING, "bucket")]
    on = is_true(bucket["versioning"]["enabled"]) or any(each["status"].text == "Enabled" for each in found)
    yield from unless(on, bucket, "versioning", 'add an aws.s3.BucketVersioning with the status "Enabled"')


@each_rule(
    "aws-bucket-lifecycle",
    "Buckets say when what they hold is removed or moved",
    "FSBP S3.10, S3.13",
    of=BUCKET,
    beside=BUCKET_LIFECYCLE,
    levels=DURABILITY,
)
def bucket_lifecycle(stack: Stack, bucket: Resource) -> Iterator[Finding]:
    beside = [rule for each in stack.companions(bucket, BUCKET_LIFECYCLE, "bucket") for rule in each["rules"].items]
    on = any(rule["status"].text == "Enabled" for rule in beside) or any(
        is_true(rule["enabled"]) for rule in bucket["lifecycleRules"].items
    )
    yield from unless(on, bucket, "lifecycle", "add an aws.s3.BucketLifecycleConfiguration with an enabled rule")


@stack_rule(
    "aws-bucket-access-logged",
    "Access to each bucket is logged, but for those that take the logs",
    "FSBP S3.9",
    types=BUCKET + BUCKET_LOGGING + LOAD_BALANCER,
)
def bucket_access_logged(stack: Stack) -> Iterator[Finding]:
    logs = log_targets(stack)

    def check(bucket: Resource) -> Iterator[Finding]:
        inside = any(
            each["targetBucket"].given for each in bucket["loggings"].one_or_many + bucket["logging"].one_or_many
        )
        logged = bucket.urn in logs or inside or bool(stack.companions(bucket, BUCKET_LOGGING, "bucket"))
        yield from unless(logged, bucket, "access log", "add an aws.s3.BucketLogging with a bucket for logs")

    yield from of_each(stack.of(BUCKET), check)


@stack_rule(
    "aws-bucket-backups-locked",
    "Buckets with backups, by their name or the tag Purpose, lock what they hold",
    "FSBP S3.15",
    types=BUCKET + BUCKET_LOCK + BUCKET_LOGGING + LOAD_BALANCER,
    levels=DURABILITY,
)
def bucket_backups_locked(stack: Stack) -> Iterator[Finding]:
    # S3 writes no access log into a bucket with a default retention.
    logs = log_targets(stack)

    def check(bucket: Resource) -> Iterator[Finding]:
        if bucket.urn in logs or "backup" not in f"{bucket.name} {bucket['tags']['Purpose'].raw}".lower():
            return
        inside = bucket["objectLockConfiguration"]["rule"]["defaultRetention"].given
        locked = inside or bool(stack.companions(bucket, BUCKET_LOCK, "bucket"))
        yield from unless(
            locked, bucket, "object lock", "set objectLockEnabled and add an aws.s3.BucketObjectLockConfiguration"
        )

    yield from of_each(stack.of(BUCKET), check)
