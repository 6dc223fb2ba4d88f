"""Backups in Amazon S3, in a Region of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.backup.target import FOLDER, LOCKS, Role, Target
from components.bucket import PrivateBucket, PrivateBucketArgs, request_log
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.iam import Statement
from settings.backup import S3BackupSettings


@dataclass(frozen=True)
class S3TargetArgs:
    """What the target needs to know.

    Attributes:
        settings: the section ``backup.s3``.
        account: the account; its region is the one of the bucket.
    """

    settings: S3BackupSettings
    account: AwsAccount


class S3Target(pulumi.ComponentResource):
    """A bucket whose history nobody deletes: versions, a policy, and Object Lock by a setting.

    Its provider is one of the Region of the bucket.
    """

    target: Target
    """The target as the jobs see it."""

    bucket: pulumi.Output[str]
    """Name of the bucket."""

    arn: pulumi.Output[str]
    """ARN of the bucket."""

    key_arn: pulumi.Output[str]
    """ARN of the KMS key of the objects."""

    def __init__(self, name: str, args: S3TargetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:backup:S3Target", name, None, opts)
        settings, account, own = args.settings, args.account, pulumi.ResourceOptions(parent=self)
        key = EncryptionKey(f"{name}-backups", EncryptionKeyArgs(account, purpose="backups of the databases"), own)
        log = request_log(f"{name}-backups", "the backups", account, own, force_destroy=settings.force_destroy)
        bucket = PrivateBucket(
            f"{name}-backups",
            PrivateBucketArgs(
                account,
                purpose="backups of the databases",
                key=key,
                noncurrent_days=settings.old_version_days,
                # With the right to remove them, `destroy` would fail on versions.
                statements=None if settings.force_destroy else lambda arn: [keeps_history(arn)],
                access_log_bucket=log.bucket_ready,
                force_destroy=settings.force_destroy,
            ),
            own,
        )
        if settings.lock_days is not None:
            aws.s3.BucketObjectLockConfiguration(
                f"{name}-backups",
                bucket=bucket.bucket_ready,
                rule=aws.s3.BucketObjectLockConfigurationRuleArgs(
                    default_retention=aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                        mode="GOVERNANCE", days=settings.lock_days
                    )
                ),
                # Only a bucket with versions can be locked.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[bucket], deleted_with=bucket.resource),
            )
        self._account = account
        self.bucket = bucket.bucket_ready
        self.arn = bucket.arn
        self.key_arn = key.arn
        where = pulumi.Output.concat("s3:https://s3.", account.region, ".amazonaws.com/", self.bucket, "/", FOLDER)
        self.target = Target("s3", where, {"AWS_DEFAULT_REGION": account.region})
        self.register_outputs({"bucket": self.bucket, "arn": self.arn, "key_arn": self.key_arn})

    def may(self, role: Role) -> Sequence[Statement]:
        """Return what a job in this role may do; none may remove a version."""
        objects = pulumi.Output.concat(self.arn, "/", FOLDER, "/*")
        locks = pulumi.Output.concat(self.arn, "/", LOCKS, "*")
        found = [
            Statement(sid="ReadBackups", actions=["s3:GetObject"], resources=[objects]),
            Statement(sid="ListBackups", actions=["s3:GetBucketLocation", "s3:ListBucket"], resources=[self.arn]),
        ]
        if role != "read":
            actions = ["s3:AbortMultipartUpload", "s3:PutObject"]
            found.append(Statement(sid="WriteBackups", actions=actions, resources=[objects]))
            deleted = objects if role == "prune" else locks
            found.append(Statement(sid="DeleteBackups", actions=["s3:DeleteObject"], resources=[deleted]))
        via = f"s3.{self._account.region}.amazonaws.com"
        found.append(
            Statement(
                sid="UseBackupKey",
                actions=["kms:Decrypt"] if role == "read" else ["kms:Decrypt", "kms:GenerateDataKey"],
                resources=[self.key_arn],
                conditions={"StringEquals": {"kms:ViaService": via}},
            )
        )
        return found


def keeps_history(bucket_arn: pulumi.Output[str]) -> Statement:
    """Let nobody remove a version, or go past a lock, whatever their own rights say."""
    return Statement(
        sid="DenyRemovingHistory",
        effect="Deny",
        actions=["s3:BypassGovernanceRetention", "s3:DeleteObjectVersion", "s3:PutObjectRetention"],
        resources=[pulumi.Output.concat(bucket_arn, "/*")],
        principal={"AWS": "*"},
    )
