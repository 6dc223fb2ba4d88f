"""Customer-managed KMS keys, one for each kind of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.iam import Statement, policy


@dataclass(frozen=True)
class EncryptionKeyArgs:
    """What a key is for and who may use it.

    Attributes:
        account: the account whose IAM policies decide about the key.
        purpose: what it encrypts, as the end of a sentence; shown in the console.
        services: statements for AWS services that use the key on their own behalf. Services that act for a caller
            (RDS, Secrets Manager, S3) need none: the caller's IAM permissions count.
        region: Region of the key, where it is not the provider's.
    """

    account: AwsAccount
    purpose: str
    services: Sequence[Statement] = field(default=())
    region: str | None = None


class EncryptionKey(pulumi.ComponentResource):
    """A symmetric key with yearly rotation (CIS AWS 3.6), an alias, and 30 days to undo a deletion."""

    arn: pulumi.Output[str]
    """ARN of the key."""

    alias: pulumi.Output[str]
    """Alias, ``alias/…``."""

    def __init__(self, name: str, args: EncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:security:EncryptionKey", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        account_decides = Statement(
            sid="AccountPoliciesDecide",
            actions=["kms:*"],
            resources=["*"],
            principal={
                "AWS": pulumi.Output.format("arn:{0}:iam::{1}:root", args.account.partition, args.account.account_id)
            },
        )
        key = aws.kms.Key(
            name,
            description=f"Auterity: {args.purpose}",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            policy=policy(account_decides, *args.services),
            region=args.region,
            opts=own,
        )
        alias = aws.kms.Alias(name, name=f"alias/{name}", target_key_id=key.id, region=args.region, opts=own)
        self.arn = key.arn
        self.alias = alias.name
        self.register_outputs({"arn": self.arn, "alias": self.alias})


def log_groups_may_use(account: AwsAccount) -> Statement:
    """Let CloudWatch Logs encrypt this account's log groups with a key.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html.
    """
    return Statement(
        sid="LogGroups",
        actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        resources=["*"],
        principal={"Service": f"logs.{account.region}.amazonaws.com"},
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": account.arn("logs", "log-group:*")}},
    )
