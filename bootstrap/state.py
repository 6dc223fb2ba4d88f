"""Where the state of every stack of the account is kept."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.account import AwsAccount
from components.bucket import PrivateBucket, PrivateBucketArgs, request_log
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.iam import Statement

OLD_STATES_DAYS = 365
"""Days that a state which was overwritten can be had back."""


class State(pulumi.ComponentResource):
    """A bucket with versions for states and their locks, and the key of both its objects and the stacks' secrets."""

    backend: pulumi.Output[str]
    """URL for ``pulumi login``."""

    secrets_provider: pulumi.Output[str]
    """For ``pulumi stack init --secrets-provider``."""

    def __init__(self, name: str, account: AwsAccount, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:bootstrap:State", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        key = EncryptionKey(name, EncryptionKeyArgs(account, purpose="the states of stacks and their secrets"), own)
        log = request_log(name, "states", account, own, force_destroy=False)
        bucket = PrivateBucket(
            name,
            PrivateBucketArgs(
                account,
                purpose="states of stacks",
                key=key,
                noncurrent_days=OLD_STATES_DAYS,
                access_log_bucket=log.bucket_ready,
            ),
            own,
        )
        self._arn, self._key_arn = bucket.arn, key.arn
        self.backend = pulumi.Output.concat("s3://", bucket.bucket_ready, "?region=", account.region)
        self.secrets_provider = pulumi.Output.concat("awskms:///", key.arn, "?region=", account.region)
        self.register_outputs({"backend": self.backend, "secrets_provider": self.secrets_provider})

    def reading(self) -> Sequence[Statement]:
        """Let a pipeline read states and open their secrets. A preview takes no lock, and writes nothing."""
        return (
            *self._both("ReadState", ["s3:GetObject"]),
            Statement(sid="UseStateKey", actions=["kms:Decrypt"], resources=[self._key_arn]),
        )

    def writing(self) -> Sequence[Statement]:
        """Let a pipeline keep states. What was overwritten stays: none may remove a version."""
        return (
            *self._both("KeepState", ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]),
            Statement(
                sid="UseStateKey",
                actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
                resources=[self._key_arn],
            ),
            # It may change the platform's buckets; this one is not among them.
            Statement(
                sid="LeaveStateAlone",
                effect="Deny",
                actions=["s3:DeleteBucket*", "s3:PutBucket*", "s3:PutEncryption*", "s3:PutLifecycle*"],
                resources=[self._arn],
            ),
        )

    def _both(self, sid: str, actions: Sequence[str]) -> Sequence[Statement]:
        states = pulumi.Output.concat(self._arn, "/.pulumi/*")
        return (
            Statement(sid=sid, actions=actions, resources=[states]),
            Statement(sid="ListStates", actions=["s3:GetBucketLocation", "s3:ListBucket"], resources=[self._arn]),
        )
