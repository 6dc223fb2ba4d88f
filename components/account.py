"""The AWS account that a stack lives in."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class AwsAccount:
    """What policies and ARNs need to know of the account.

    Attributes:
        account_id: 12 digits.
        partition: ``aws``, ``aws-us-gov`` or ``aws-cn``; the second part of every ARN.
        region: Region of the stack's provider.
    """

    account_id: pulumi.Output[str]
    partition: pulumi.Output[str]
    region: str

    @classmethod
    def of(cls, provider: aws.Provider, region: str) -> AwsAccount:
        """Look up the account that `provider` is signed in to."""
        options = pulumi.InvokeOutputOptions(provider=provider)
        return cls(
            account_id=aws.get_caller_identity_output(opts=options).account_id,
            partition=aws.get_partition_output(opts=options).partition,
            region=region,
        )

    def arn(self, service: str, resource: str, region: str | None = None) -> pulumi.Output[str]:
        """Form the ARN of a resource of this account; `region` is empty for a global service."""
        return pulumi.Output.format(
            "arn:{0}:{1}:{2}:{3}:{4}",
            self.partition,
            service,
            self.region if region is None else region,
            self.account_id,
            resource,
        )
