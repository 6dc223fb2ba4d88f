"""Where the state of every stack of the account is kept."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.account import AwsAccount
from components.bucket import PrivateBucket, PrivateBucketArgs, request_log
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.iam import Statement
from settings import PROJECT

KEY_CHANGES = (
    "kms:CancelKeyDeletion",
    "kms:Create*",
    "kms:Delete*",
    "kms:Disable*",
    "kms:Enable*",
    "kms:Put*",
    "kms:Re*Grant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:Update*",
)
"""What changes a key, or hands it to others."""

OLD_STATES_DAYS = 365
"""Days that a state which was overwritten can be had back."""


class State(pulumi.ComponentResource):
    """A bucket with versions for states and their locks, the key of its objects, and for each stack one of its secrets.

    Who gets at a state without its stack's key finds no secret in it.
    """

    backend: pulumi.Output[str]
    """URL for ``pulumi login``."""

    secrets_provider: pulumi.Output[str]
    """For ``pulumi stack init --secrets-provider``, of the bootstrap itself."""

    secrets_providers: dict[str, pulumi.Output[str]]
    """Stack to the same for it."""

    def __init__(
        self, name: str, account: AwsAccount, stacks: Sequence[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
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
        keys = {
            stack: EncryptionKey(
                f"{name}-{stack}", EncryptionKeyArgs(account, purpose=f"the secrets of stack {stack}"), own
            )
            for stack in stacks
        }
        self._arn, self._region = bucket.arn, account.region
        self._objects_key, self._keys = key.arn, {stack: each.arn for stack, each in keys.items()}
        self.backend = pulumi.Output.concat("s3://", bucket.bucket_ready, "?region=", account.region)
        self.secrets_provider = self._secrets_under(key.arn)
        self.secrets_providers = {stack: self._secrets_under(arn) for stack, arn in self._keys.items()}
        self.register_outputs(
            {
                "backend": self.backend,
                "secrets_provider": self.secrets_provider,
                "secrets_providers": self.secrets_providers,
            }
        )

    def reading(self, stack: str) -> Sequence[Statement]:
        """Let a pipeline read a stack's state and open its secrets. A preview takes no lock, and writes nothing."""
        return (
            *self._both("ReadState", ["s3:GetObject"], stack),
            self._through_s3("kms:Decrypt"),
            Statement(sid="OpenSecrets", actions=["kms:Decrypt"], resources=[self._keys[stack]]),
        )

    def writing(self, stack: str) -> Sequence[Statement]:
        """Let a pipeline keep the state of a stack. What was overwritten stays: none may remove a version."""
        return (
            *self._both("KeepState", ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], stack),
            self._through_s3("kms:Decrypt", "kms:GenerateDataKey"),
            Statement(sid="KeepSecrets", actions=["kms:Decrypt", "kms:Encrypt"], resources=[self._keys[stack]]),
            # It may change the platform's buckets; this one is not among them.
            Statement(
                sid="LeaveStateAlone",
                effect="Deny",
                actions=["s3:DeleteBucket*", "s3:PutBucket*", "s3:PutEncryption*", "s3:PutLifecycle*"],
                resources=[self._arn],
            ),
            # And the platform's keys, of which these are none.
            Statement(sid="LeaveStateKeysAlone", effect="Deny", actions=KEY_CHANGES, resources=self._all_keys),
        )

    def out_of_reach(self) -> Sequence[Statement]:
        """Keep the roles of stacks from every state, and from the keys of all states."""
        objects = pulumi.Output.concat(self._arn, "/*")
        return (
            Statement(sid="NoStates", effect="Deny", actions=["s3:*"], resources=[self._arn, objects]),
            Statement(sid="NoStateKeys", effect="Deny", actions=["kms:*"], resources=self._all_keys),
        )

    @property
    def _all_keys(self) -> Sequence[pulumi.Output[str]]:
        return [self._objects_key, *self._keys.values()]

    def _secrets_under(self, key_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        return pulumi.Output.concat("awskms:///", key_arn, "?region=", self._region)

    def _through_s3(self, *actions: str) -> Statement:
        """Let objects be encrypted, by S3 alone: of whose objects, the rights on the bucket say."""
        return Statement(
            sid="UseObjectsKey",
            actions=actions,
            resources=[self._objects_key],
            conditions={
                "StringEquals": {"kms:ViaService": pulumi.Output.concat("s3.", self._region, ".amazonaws.com")}
            },
        )

    def _both(self, sid: str, actions: Sequence[str], stack: str) -> Sequence[Statement]:
        # As the engine lays out a bucket: the stack's state, copies of it, what was done, who is at it.
        own = [
            pulumi.Output.concat(self._arn, f"/.pulumi/{each}")
            for each in (
                f"stacks/{PROJECT}/{stack}.json*",
                f"backups/{PROJECT}/{stack}/*",
                f"history/{PROJECT}/{stack}/*",
                f"locks/organization/{PROJECT}/{stack}/*",
            )
        ]
        layout = pulumi.Output.concat(self._arn, "/.pulumi/meta.yaml")
        return (
            Statement(sid=sid, actions=actions, resources=own),
            Statement(sid="ReadLayout", actions=["s3:GetObject"], resources=[layout]),
            Statement(sid="ListStates", actions=["s3:GetBucketLocation", "s3:ListBucket"], resources=[self._arn]),
        )
