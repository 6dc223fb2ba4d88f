"""S3 and ECR."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.cloud.aws.access import denies
from sandbox.cloud.aws.model import ACCOUNT, AwsError, AwsType, View
from sandbox.cloud.caller import ENGINE, Caller
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem
from sandbox.cloud.store import Resource, Store

BUCKET = "aws:s3/bucket:Bucket"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BUCKET_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BUCKET_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BUCKET_VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
OBJECT = "aws:s3/bucketObject:BucketObject"
REPOSITORY = "aws:ecr/repository:Repository"
PUSHED = "aws:ecr/image:Image"
"""A tag that was pushed into a repository; no resource of a program."""

_PARTS = {
    "aws:s3/bucketAccelerateConfiguration:BucketAccelerateConfiguration": "BucketAccelerateConfiguration",
    "aws:s3/bucketAcl:BucketAcl": "BucketAcl",
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": "BucketCors",
    BUCKET_ENCRYPTION: "BucketEncryption",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "BucketLifecycleConfiguration",
    "aws:s3/bucketLogging:BucketLogging": "BucketLogging",
    "aws:s3/bucketNotification:BucketNotification": "BucketNotificationConfiguration",
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": "ObjectLockConfiguration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "BucketOwnershipControls",
    BUCKET_BLOCK: "PublicAccessBlock",
    BUCKET_VERSIONING: "BucketVersioning",
}
"""Settings of a bucket that are resources of their own, with what the API calls them."""

_READ_BY = {
    "aws:s3/bucketAccelerateConfiguration:BucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "aws:s3/bucketAcl:BucketAcl": "s3:GetBucketAcl",
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": "s3:GetBucketCORS",
    BUCKET_ENCRYPTION: "s3:GetEncryptionConfiguration",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "aws:s3/bucketLogging:BucketLogging": "s3:GetBucketLogging",
    "aws:s3/bucketNotification:BucketNotification": "s3:GetBucketNotification",
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "s3:GetBucketOwnershipControls",
    BUCKET_BLOCK: "s3:GetBucketPublicAccessBlock",
    BUCKET_POLICY: "s3:GetBucketPolicy",
    BUCKET_VERSIONING: "s3:GetBucketVersioning",
}
"""A setting of a bucket to the action that reads it (Service Authorization Reference, 'Amazon S3')."""

# Hosted zones of S3 website endpoints (https://docs.aws.amazon.com/general/latest/gr/s3.html).
_ZONES = {"us-east-1": "Z3AQBSTGFYJSTF", "us-west-2": "Z3BJ6K6RIION7M", "eu-west-1": "Z1BKCTXD74EZPE"}


def _bucket_outputs(view: View, id: str) -> dict[str, Any]:
    region = view.region
    return {
        "bucketDomainName": f"{id}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{id}.s3.{region}.amazonaws.com",
        "bucketRegion": region,
        "hostedZoneId": _ZONES.get(region, "Z2F56UZL2M1ACD"),
    }


def _denied(store: Store, bucket: str, action: str, caller: Caller) -> bool:
    """Tell whether a bucket's policy denies a caller an action on the bucket itself."""
    documents = [found.outputs.get("policy") for found in store.find(bucket, BUCKET_POLICY)]
    documents += [found.outputs.get("policy") for found in store.find(bucket, BUCKET)]
    return any(denies(document, caller, action, f"arn:aws:s3:::{bucket}") for document in documents if document)


def _bucket_seen(store: Store, resource: Resource, caller: Caller) -> bool:
    """Ask by HeadBucket, as the provider does: it takes whatever fails there for a bucket that is gone.

    Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html (it needs ``s3:ListBucket``), and the
    provider's ``findBucket``.
    """
    if _denied(store, resource.id, "s3:ListBucket", caller):
        return False
    return _part_seen(store, resource, caller, "s3:GetBucketPolicy")


def _part_seen(store: Store, resource: Resource, caller: Caller, action: str = "") -> bool:
    """Read a setting, which fails where the bucket's policy denies it."""
    bucket = str(resource.outputs.get("bucket"))
    action = action or _READ_BY[resource.type]
    if _denied(store, bucket, action, caller):
        text = (
            f"User: {caller.name} is not authorized to perform: {action} on resource: "
            f'"arn:aws:s3:::{bucket}" with an explicit deny in a resource-based policy'
        )
        raise AwsError("AccessDenied", text, 403)
    return True


def _bucket_name(inputs: Mapping[str, Any]) -> list[Problem]:
    """Judge a name (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)."""
    name = inputs.get("bucket")
    if not isinstance(name, str):
        return []
    if not 3 <= len(name) <= 63 or ".." in name or name.startswith(("xn--", "sthree-")) or name.endswith("-s3alias"):
        return [Problem("bucket", f"InvalidBucketName: The specified bucket is not valid: {name!r}")]
    return []


def _policy_rules(view: View) -> None:
    bucket = view.inputs["bucket"]
    blocks = [b for b in view.store.find(bucket, BUCKET_BLOCK) if b.outputs.get("blockPublicPolicy")]
    document = json.loads(view.inputs["policy"])
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    for statement in statements:
        public = statement.get("Principal") in ("*", {"AWS": "*"}) and not statement.get("Condition")
        if blocks and public and statement["Effect"] == "Allow":
            raise AwsError(
                "AccessDenied",
                f"User: arn:aws:iam::{ACCOUNT}:user/sandbox is not authorized to perform: s3:PutBucketPolicy on "
                f'resource: "arn:aws:s3:::{bucket}" because public policies are prevented by the BlockPublicPolicy '
                "setting in S3 Block Public Access.",
                403,
            )
        resources = statement.get("Resource", [])
        for resource in resources if isinstance(resources, list) else [resources]:
            if not str(resource).startswith(f"arn:aws:s3:::{bucket}"):
                raise AwsError("MalformedPolicy", f"Policy has invalid resource: {resource} is not in {bucket}")


def _lock_needs_versions(view: View) -> None:
    bucket = view.one(BUCKET, view.inputs["bucket"])
    versions = view.store.find(view.inputs["bucket"], BUCKET_VERSIONING)
    enabled = [v for v in versions if v.outputs.get("versioningConfiguration", {}).get("status") == "Enabled"]
    if bucket is not None and not bucket.outputs.get("objectLockEnabled") and not enabled:
        raise AwsError(
            "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", 409
        )


def _lifecycle_rules(inputs: Mapping[str, Any]) -> list[Problem]:
    """Judge rules (https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html)."""
    found = []
    seen: set[Any] = set()
    rules = inputs.get("rules")
    actions = {
        "abortIncompleteMultipartUpload",
        "expiration",
        "noncurrentVersionExpiration",
        "noncurrentVersionTransitions",
        "transitions",
    }
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, dict):
            continue
        if rule.get("id") in seen and rule.get("id") is not UNKNOWN:
            found.append(Problem(f"rules[{index}].id", f"rule ID must be unique: {rule['id']}"))
        seen.add(rule.get("id"))
        if not actions & set(rule):
            found.append(Problem(f"rules[{index}]", f"at least one of {', '.join(sorted(actions))} must be given"))
        if rule.get("status") not in ("Enabled", "Disabled", UNKNOWN):
            found.append(Problem(f"rules[{index}].status", f"expected Enabled or Disabled, got {rule.get('status')!r}"))
        for place, transition in enumerate(rule.get("transitions") or ()):
            days = transition.get("days")
            if isinstance(days, int) and days < 30 and transition.get("storageClass") in ("STANDARD_IA", "ONEZONE_IA"):
                path = f"rules[{index}].transitions[{place}].days"
                found.append(
                    Problem(path, f"{transition['storageClass']} takes objects of at least 30 days, not {days}")
                )
    return found


def _encryption_rules(inputs: Mapping[str, Any]) -> list[Problem]:
    found = []
    rules = inputs.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        default = rule.get("applyServerSideEncryptionByDefault") if isinstance(rule, dict) else None
        if isinstance(default, dict):
            algorithm = default.get("sseAlgorithm")
            if algorithm not in ("AES256", "aws:kms", "aws:kms:dsse", UNKNOWN):
                path = f"rules[{index}].applyServerSideEncryptionByDefault.sseAlgorithm"
                found.append(Problem(path, f"expected AES256, aws:kms or aws:kms:dsse, got {algorithm!r}"))
            if default.get("kmsMasterKeyId") and algorithm == "AES256":
                path = f"rules[{index}].applyServerSideEncryptionByDefault.kmsMasterKeyId"
                found.append(Problem(path, "a KMS key is given, but the algorithm is AES256"))
    return found


def _lifecycle_document(inputs: Mapping[str, Any]) -> list[Problem]:
    text = inputs.get("policy")
    if not isinstance(text, str):
        return []
    try:
        rules = json.loads(text)["rules"]
        priorities = [rule["rulePriority"] for rule in rules]
        complete = all({"selection", "action"} <= set(rule) for rule in rules)
    except (ValueError, KeyError, TypeError) as error:
        return [
            Problem("policy", f"InvalidParameterException: 'LifecyclePolicyText' is not a lifecycle policy: {error!r}")
        ]
    if len(set(priorities)) < len(priorities) or not complete:
        return [
            Problem("policy", "InvalidParameterException: every rule has a priority of its own, selection and action")
        ]
    return []


def _no_objects(view: View) -> None:
    """Keep a bucket that holds objects, or empty it where that is wanted and allowed.

    Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html; the provider's ``emptyBucket``
    deletes each version before the bucket.
    """
    if view.existing is None:
        return
    bucket = view.existing.id
    objects = [each for each in view.all(OBJECT) if each.inputs["bucket"] == bucket]
    if objects and not view.old("forceDestroy"):
        text = "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
        raise AwsError("BucketNotEmpty", text, 409)
    documents = [found.outputs["policy"] for found in view.store.find(bucket, BUCKET_POLICY)]
    for each in objects:
        where = f"arn:aws:s3:::{bucket}/{each.inputs['key']}"
        if any(denies(document, ENGINE, "s3:DeleteObjectVersion", where) for document in documents):
            text = f"deleting: 1 error occurred: {each.inputs['key']}: AccessDenied: Access Denied"
            raise AwsError("AccessDenied", text, 403)


def _no_images(view: View) -> None:
    if view.existing is None or view.old("forceDelete"):
        return
    if any(image.inputs["repository"] == view.existing.id for image in view.all(PUSHED)):
        raise AwsError(
            "RepositoryNotEmptyException",
            f"The repository with name '{view.existing.id}' in registry with id '{ACCOUNT}' cannot be deleted because "
            "it still contains images",
        )


_PART_RULES: dict[str, Any] = {
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _lifecycle_rules,
    BUCKET_ENCRYPTION: _encryption_rules,
}
_PART_DEFAULTS: dict[str, dict[str, Any]] = {
    BUCKET_BLOCK: dict.fromkeys(
        ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), False
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
        "transitionDefaultMinimumObjectSize": "all_storage_classes_128K"
    },
}
_NO_BUCKET = ("NoSuchBucket", "The specified bucket does not exist: {id}")

TYPES: dict[str, AwsType] = {
    BUCKET: AwsType(
        service="S3",
        noun="Bucket",
        cloudformation="AWS::S3::Bucket",
        id="{bucket}",
        arn="s3:::{bucket}",
        renames={
            "bucket": "BucketName",
            "logging": None,
            "versioning": None,
            "policy": None,
            "serverSideEncryptionConfiguration": None,
            "objectLockConfiguration": None,
            "lifecycleRules": None,
            "replicationConfiguration": None,
            "website": None,
        },
        policies={"policy": "resource"},
        autoname="bucket",
        lowercase=True,
        name_limit=63,
        defaults={"forceDestroy": False, "objectLockEnabled": False},
        computed=_bucket_outputs,
        names=("bucket",),
        names_everywhere=True,
        taken="BucketAlreadyOwnedByYou",
        taken_text="Your previous request to create the named bucket succeeded and you already own it: {name}",
        missing=_NO_BUCKET,
        value_rules=(_bucket_name,),
        replaces=frozenset({"objectLockEnabled"}),
        cascades=dict.fromkeys((*_PARTS, BUCKET_POLICY, OBJECT), "bucket"),
        deletion_rules=(_no_objects,),
        write_only=frozenset({"forceDestroy"}),
        operations={"read": "GetBucketPolicy"},
        seen=_bucket_seen,
    ),
    BUCKET_POLICY: AwsType(
        service="S3",
        noun="BucketPolicy",
        label="S3 Bucket Policy",
        cloudformation="AWS::S3::BucketPolicy",
        id="{bucket}",
        renames={"policy": "PolicyDocument"},
        policies={"policy": "resource"},
        autoname="",
        references={"bucket": BUCKET},
        missing=_NO_BUCKET,
        rules=(_policy_rules,),
        operations={"create": "PutBucketPolicy", "read": "GetBucketPolicy", "update": "PutBucketPolicy"},
        seen=_part_seen,
    ),
    **{
        token: AwsType(
            service="S3",
            noun=noun,
            label=f"S3 {token.rpartition(':')[2]}",
            cloudformation=None,
            id="{bucket}",
            autoname="",
            references={"bucket": BUCKET, "targetBucket": BUCKET},
            defaults=_PART_DEFAULTS.get(token, {}),
            rules=(_lock_needs_versions,) if "ObjectLock" in noun else (),
            value_rules=(_PART_RULES[token],) if token in _PART_RULES else (),
            replaces=frozenset({"bucket", "expectedBucketOwner"}),
            operations={"create": f"Put{noun}", "read": f"Get{noun}", "update": f"Put{noun}"},
            seen=_part_seen,
        )
        for token, noun in _PARTS.items()
    },
    REPOSITORY: AwsType(
        service="ECR",
        noun="Repository",
        cloudformation="AWS::ECR::Repository",
        id="{name}",
        arn="ecr:{region}:{account}:repository/{name}",
        renames={"name": "RepositoryName", "encryptionConfigurations": "EncryptionConfiguration"},
        lowercase=True,
        name_limit=256,
        defaults={"imageTagMutability": "MUTABLE", "forceDelete": False},
        computed=lambda view, id: {
            "registryId": ACCOUNT,
            "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{view.region}.amazonaws.com/{id}",
            "encryptionConfigurations": view.value("encryptionConfigurations") or [{"encryptionType": "AES256"}],
        },
        taken="RepositoryAlreadyExistsException",
        taken_text=f"The repository with name '{{name}}' already exists in the registry with id '{ACCOUNT}'",
        missing=("RepositoryNotFoundException", f"The repository with name '{{id}}' does not exist in {ACCOUNT}"),
        cascades={"aws:ecr/lifecyclePolicy:LifecyclePolicy": "repository", PUSHED: "repository"},
        deletion_rules=(_no_images,),
        operations={"update": "PutImageTagMutability"},
        write_only=frozenset({"forceDelete"}),
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": AwsType(
        service="ECR",
        noun="LifecyclePolicy",
        label="ECR Lifecycle Policy",
        cloudformation=None,
        id="{repository}",
        computed=lambda view, id: {"registryId": ACCOUNT},
        references={"repository": REPOSITORY},
        documents=frozenset({"policy"}),
        value_rules=(_lifecycle_document,),
        replaces=frozenset({"repository"}),
        operations={"create": "PutLifecyclePolicy", "update": "PutLifecyclePolicy"},
    ),
}
