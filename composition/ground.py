"""What every component of a stack on AWS stands on: providers, account, and the key of its logs."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.account import AwsAccount
from components.encryption import EncryptionKey, EncryptionKeyArgs, log_groups_may_use
from settings import PROJECT, AwsSettings, StackSettings


@dataclass(frozen=True)
class Ground:
    """What is handed to every part of the composition.

    Attributes:
        name: prefix of every name, ``auterity-<stack>``.
        account: the AWS account.
        log_key_arn: ARN of the KMS key that encrypts log groups.
        opts: the providers, from which every component takes its own.
    """

    name: str
    account: AwsAccount
    log_key_arn: pulumi.Output[str]
    opts: pulumi.ResourceOptions


def lay_ground(settings: StackSettings, where: AwsSettings) -> Ground:
    """Make the providers, look the account up, and make the key of the log groups."""
    name = f"{PROJECT}-{pulumi.get_stack()}"
    provider = aws.Provider(
        "aws",
        region=where.region,
        allowed_account_ids=[where.account_id] if where.account_id else None,
        default_tags=aws.ProviderDefaultTagsArgs(tags=stack_tags(settings)),
    )
    account = AwsAccount.of(provider, where.region)
    opts = pulumi.ResourceOptions(providers=[provider, random.Provider("random")])
    key = EncryptionKey(
        f"{name}-logs",
        EncryptionKeyArgs(account, purpose="the platform's log groups", services=[log_groups_may_use(account)]),
        opts,
    )
    pulumi.export("account_id", account.account_id)
    pulumi.export("region", where.region)
    return Ground(name, account, key.arn, opts)


def stack_tags(settings: StackSettings) -> dict[str, str]:
    """Return the tags of every taggable resource; the provider puts them on."""
    return {
        "Project": PROJECT,
        "Environment": settings.environment,
        "Stack": pulumi.get_stack(),
        "Owner": settings.owner,
        "ManagedBy": "pulumi",
        **settings.tags,
    }
