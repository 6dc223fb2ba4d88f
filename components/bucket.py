"""S3 buckets that nobody else sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.encryption import EncryptionKey
from components.iam import Statement, policy

ABORT_UPLOADS_DAYS = 7
"""Days after which the parts of an upload that was never finished are removed (FSBP S3.10 asks for a rule)."""

REQUEST_LOG_DAYS = 365
"""Days that the log of requests to a bucket is kept."""

ON_OBJECTS = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
"""What a workload does with its objects. Versions are not among it: nobody but an operator removes history."""

ON_BUCKET = ("s3:ListBucket", "s3:ListBucketMultipartUploads")
"""What a workload asks the bucket itself."""

MoreStatements = Callable[[pulumi.Output[str]], Sequence[Statement]]
"""From a bucket's ARN to statements of its policy."""


@dataclass(frozen=True)
class PrivateBucketArgs:
    """What a bucket is for, how it is encrypted, and how long it keeps what.

    Attributes:
        account: the account it lives in.
        purpose: what it holds, for the tag ``Purpose``.
        key: KMS key of its objects, which outlives it; None for Amazon S3's own keys, where a service that writes into
            the bucket knows no other (load balancers).
        versioned: keep what is overwritten or deleted.
        noncurrent_days: days that a version which is not the current one is kept.
        expire_after_days: days after which objects themselves are removed; None for never.
        archive_after_days: days after which objects move to Intelligent-Tiering; None for never.
        statements: more statements of the bucket's policy.
        access_log_bucket: bucket that receives a log of every request; None for no log.
        force_destroy: let the deletion of the bucket delete its objects.
    """

    account: AwsAccount
    purpose: str
    key: EncryptionKey | None = None
    versioned: bool = True
    noncurrent_days: int = 30
    expire_after_days: int | None = None
    archive_after_days: int | None = None
    statements: MoreStatements | None = None
    access_log_bucket: pulumi.Input[str] | None = None
    force_destroy: bool = False


class PrivateBucket(pulumi.ComponentResource):
    """A bucket without public access or access lists: encrypted, reached by TLS alone, and tidied up by itself.

    S3 refuses to delete a bucket that holds objects. All that guards them stays in force then, since it goes with the
    bucket and not before; so does their key.
    """

    resource: aws.s3.Bucket
    """The bucket itself, with which its settings go."""

    bucket: pulumi.Output[str]
    """Name of the bucket."""

    bucket_ready: pulumi.Output[str]
    """Name of the bucket, known once its policy is in force."""

    arn: pulumi.Output[str]
    """ARN of the bucket."""

    def __init__(self, name: str, args: PrivateBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:storage:PrivateBucket", name, None, opts)
        bucket = aws.s3.Bucket(
            name,
            force_destroy=args.force_destroy,
            tags={"Purpose": args.purpose},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.key] if args.key else None),
        )
        self.resource = bucket
        own = pulumi.ResourceOptions(parent=self, deleted_with=bucket)
        block = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=own,
        )
        aws.s3.BucketOwnershipControls(
            name,
            bucket=bucket.id,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=own,
        )
        self._encrypt(name, bucket, args.key.arn if args.key else None)
        versioning = aws.s3.BucketVersioning(
            name,
            bucket=bucket.id,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
                status="Enabled" if args.versioned else "Suspended"
            ),
            opts=own,
        )
        self._tidy(name, bucket, args, versioning)
        if args.access_log_bucket is not None:
            aws.s3.BucketLogging(
                name,
                bucket=bucket.id,
                target_bucket=args.access_log_bucket,
                target_prefix=f"{name}/",
                opts=own,
            )
        more = args.statements(bucket.arn) if args.statements else ()
        in_force = aws.s3.BucketPolicy(
            name,
            bucket=bucket.id,
            policy=policy(*transport(bucket.arn), *more),
            # S3 aborts one of two changes to a bucket's access that meet. Where objects may go with their bucket, the
            # policy goes before: it could deny their deletion.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[block], deleted_with=None if args.force_destroy else bucket
            ),
        )
        self.bucket = bucket.bucket
        self.bucket_ready = pulumi.Output.all(bucket.bucket, in_force.id).apply(lambda values: str(values[0]))
        self.arn = bucket.arn
        self.register_outputs({"bucket": self.bucket, "bucket_ready": self.bucket_ready, "arn": self.arn})

    def _encrypt(self, name: str, bucket: aws.s3.Bucket, key_arn: pulumi.Input[str] | None) -> None:
        by_default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="AES256" if key_arn is None else "aws:kms", kms_master_key_id=key_arn
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket.id,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=by_default,
                    # One call to KMS for many objects.
                    bucket_key_enabled=None if key_arn is None else True,
                )
            ],
            opts=pulumi.ResourceOptions(parent=self, deleted_with=bucket),
        )

    def _tidy(
        self, name: str, bucket: aws.s3.Bucket, args: PrivateBucketArgs, versioning: aws.s3.BucketVersioning
    ) -> None:
        rule = aws.s3.BucketLifecycleConfigurationRuleArgs
        everything = aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")
        rules = [
            rule(
                id="abort-uploads",
                status="Enabled",
                filter=everything,
                abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                    days_after_initiation=ABORT_UPLOADS_DAYS
                ),
            )
        ]
        if args.versioned:
            rules.append(
                rule(
                    id="expire-old-versions",
                    status="Enabled",
                    filter=everything,
                    noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                        noncurrent_days=args.noncurrent_days
                    ),
                    # A delete marker whose last version is gone hides nothing; S3 takes no days beside this.
                    expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True)
                    if args.expire_after_days is None
                    else None,
                )
            )
        if args.expire_after_days is not None:
            rules.append(
                rule(
                    id="expire",
                    status="Enabled",
                    filter=everything,
                    expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.expire_after_days),
                )
            )
        if args.archive_after_days is not None:
            rules.append(
                rule(
                    id="archive",
                    status="Enabled",
                    filter=everything,
                    transitions=[
                        aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
                            days=args.archive_after_days, storage_class="INTELLIGENT_TIERING"
                        )
                    ],
                )
            )
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=bucket.id,
            rules=rules,
            # Rules on versions are for a bucket that has them.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning], deleted_with=bucket),
        )


def transport(bucket_arn: pulumi.Output[str]) -> list[Statement]:
    """Deny whoever does not come by TLS, version 1.2 or later (FSBP S3.5; CIS AWS 2.1.1)."""
    where = [bucket_arn, pulumi.Output.concat(bucket_arn, "/*")]
    return [
        Statement(
            sid="DenyPlainText",
            effect="Deny",
            actions=["s3:*"],
            resources=where,
            principal={"AWS": "*"},
            conditions={"Bool": {"aws:SecureTransport": "false"}},
        ),
        Statement(
            sid="DenyOldTls",
            effect="Deny",
            actions=["s3:*"],
            resources=where,
            principal={"AWS": "*"},
            conditions={"NumericLessThan": {"s3:TlsVersion": "1.2"}},
        ),
    ]


def request_log(
    name: str, what: str, account: AwsAccount, opts: pulumi.ResourceOptions, *, force_destroy: bool
) -> PrivateBucket:
    """Make a bucket that holds the log of every request to another one.

    Args:
        name: name of the other bucket.
        what: what that holds, for people.
        account: the account of both.
        opts: options of the bucket.
        force_destroy: let the deletion of the bucket delete the log.
    """
    return PrivateBucket(
        f"{name}-log",
        PrivateBucketArgs(
            account,
            purpose=f"log of requests to {what}",
            expire_after_days=REQUEST_LOG_DAYS,
            statements=lambda arn: [takes_request_logs(arn, account)],
            force_destroy=force_destroy,
        ),
        opts,
    )


def takes_request_logs(bucket_arn: pulumi.Output[str], account: AwsAccount) -> Statement:
    """Let Amazon S3 write logs of requests (S3 user guide, 'Enabling Amazon S3 server access logging')."""
    return Statement(
        sid="AccessLog",
        actions=["s3:PutObject"],
        resources=[pulumi.Output.concat(bucket_arn, "/*")],
        principal={"Service": "logging.s3.amazonaws.com"},
        conditions={"StringEquals": {"aws:SourceAccount": account.account_id}},
    )


def use_of(
    thing: str, bucket_arn: pulumi.Output[str], key_arn: pulumi.Output[str], account: AwsAccount
) -> tuple[Statement, ...]:
    """Let a role read, write and remove a bucket's objects, and use their key through S3 alone.

    Args:
        thing: what the objects are, in the singular, as the statements' names say it.
        bucket_arn: ARN of the bucket.
        key_arn: ARN of the KMS key of the objects.
        account: the account of both.
    """
    return (
        Statement(sid=f"Use{thing}s", actions=ON_OBJECTS, resources=[pulumi.Output.concat(bucket_arn, "/*")]),
        Statement(sid=f"List{thing}s", actions=ON_BUCKET, resources=[bucket_arn]),
        Statement(
            sid=f"Use{thing}Key",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[key_arn],
            conditions={"StringEquals": {"kms:ViaService": f"s3.{account.region}.amazonaws.com"}},
        ),
    )
