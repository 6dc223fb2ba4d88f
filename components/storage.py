"""The app's object storage on Amazon S3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.account import AwsAccount
from components.bucket import ON_OBJECTS, PrivateBucket, PrivateBucketArgs, use_of
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.iam import Statement
from settings.storage import StorageSettings

HISTORY = ("s3:DeleteObjectVersion", "s3:GetObjectVersion")
"""What only the way in guards: the app may not do it at all."""


@dataclass(frozen=True)
class ObjectStorageArgs:
    """What the storage needs to know.

    Attributes:
        settings: the stack's ``storage`` section.
        account: the account it lives in.
        endpoint_id: the VPC's S3 gateway endpoint, the only way to the objects; None in a VPC that someone else owns,
            where IAM alone decides.
        access_log_bucket: bucket that receives a log of every request; None for no log.
    """

    settings: StorageSettings
    account: AwsAccount
    endpoint_id: pulumi.Input[str] | None = None
    access_log_bucket: pulumi.Input[str] | None = None


class ObjectStorage(pulumi.ComponentResource):
    """A versioned bucket whose objects are read and written from inside the VPC alone.

    The bucket itself stays within reach from anywhere: the rule on the way in names actions on objects and no other. So
    nobody can lock themselves out, and a refresh from outside of the VPC finds the bucket.
    """

    bucket: pulumi.Output[str]
    """Name of the bucket."""

    arn: pulumi.Output[str]
    """ARN of the bucket."""

    key_arn: pulumi.Output[str]
    """ARN of the KMS key of the objects."""

    def __init__(self, name: str, args: ObjectStorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:storage:ObjectStorage", name, None, opts)
        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        key = EncryptionKey(f"{name}-objects", EncryptionKeyArgs(args.account, purpose="the app's objects"), own)
        bucket = PrivateBucket(
            f"{name}-objects",
            PrivateBucketArgs(
                args.account,
                purpose="objects of the app",
                key=key,
                noncurrent_days=settings.old_version_days,
                archive_after_days=settings.archive_after_days,
                statements=lambda arn: way_in(arn, args.endpoint_id),
                access_log_bucket=args.access_log_bucket,
                force_destroy=settings.force_destroy,
            ),
            own,
        )
        self.bucket = bucket.bucket_ready
        self.arn = bucket.arn
        self.key_arn = key.arn
        self.register_outputs({"bucket": self.bucket, "arn": self.arn, "key_arn": self.key_arn})


def way_in(bucket_arn: pulumi.Output[str], endpoint_id: pulumi.Input[str] | None) -> Sequence[Statement]:
    """Deny the objects to whoever does not come through the endpoint.

    No action on the bucket is among them: to who may not list it, HeadBucket answers 403, and the provider takes that
    for a bucket that is gone.

    Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies-vpc-endpoint.html,
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html.
    """
    if endpoint_id is None:
        return ()
    return (
        Statement(
            sid="ObjectsThroughTheVpcAlone",
            effect="Deny",
            actions=[*ON_OBJECTS, *HISTORY],
            resources=[pulumi.Output.concat(bucket_arn, "/*")],
            principal={"AWS": "*"},
            conditions={"StringNotEquals": {"aws:SourceVpce": endpoint_id}},
        ),
    )


def may_use(storage: ObjectStorage, account: AwsAccount) -> tuple[Statement, ...]:
    """Let a role read, write and remove objects, and use their key through S3 alone."""
    return use_of("Object", storage.arn, storage.key_arn, account)
