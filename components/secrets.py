"""Passwords that the stack makes: generated once, kept in Secrets Manager, handed on by reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.account import AwsAccount
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.iam import Statement
from components.passwords import PASSWORD_LENGTH, versions_in_use
from settings.secrets import SecretsSettings


@dataclass(frozen=True)
class SecretReference:
    """Where a secret is, and never what it is.

    Attributes:
        arn: the secret in Secrets Manager, whose value is JSON with the keys ``username`` and ``password``.
        key_arn: KMS key that a reader needs to decrypt it.
    """

    arn: pulumi.Output[str]
    key_arn: pulumi.Output[str]

    def json_key(self, key: str) -> pulumi.Output[str]:
        """Name one key of the value as an ECS container definition does (``valueFrom``)."""
        return pulumi.Output.concat(self.arn, ":", key, "::")


@dataclass(frozen=True)
class SecretKey:
    """One value of a secret.

    Attributes:
        secret: where the secret is.
        key: which key of its JSON.
    """

    secret: SecretReference
    key: str


@dataclass(frozen=True)
class Login:
    """A login to make.

    Attributes:
        username: name of the user, as the server will know it.
        version: which password is in use, from 1; the next number rotates.
    """

    username: str
    version: int = 1


@dataclass(frozen=True)
class StoredLogin:
    """A login that was made.

    Attributes:
        username: name of the user.
        reference: where workloads read it.
        passwords: for the server that must know them, secret: the one in use, then the one before it if there was one.
    """

    username: str
    reference: SecretReference
    passwords: tuple[pulumi.Output[str], ...]


@dataclass(frozen=True)
class SecretsArgs:
    """What the secrets need to know.

    Attributes:
        settings: the stack's ``secrets`` section.
        account: the account they live in.
        logins: what each login is for, such as ``cache``, to the login.
    """

    settings: SecretsSettings
    account: AwsAccount
    logins: Mapping[str, Login]


class Secrets(pulumi.ComponentResource):
    """The stack's logins, each in a secret of a stable name, under one KMS key.

    The Pulumi state holds the passwords too, encrypted with the stack's secrets provider: servers get them from there.
    """

    key_arn: pulumi.Output[str]
    """ARN of the KMS key of all secrets."""

    logins: dict[str, StoredLogin]
    """What each login is for, to the login."""

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:security:Secrets", name, None, opts)
        key = EncryptionKey(
            f"{name}-secrets",
            EncryptionKeyArgs(args.account, purpose="the platform's secrets"),
            pulumi.ResourceOptions(parent=self),
        )
        self.key_arn = key.arn
        self.logins = {purpose: self._stored(name, purpose, login, args) for purpose, login in args.logins.items()}
        self.register_outputs(
            {"key_arn": self.key_arn, "secret_arns": {p: login.reference.arn for p, login in self.logins.items()}}
        )

    def _stored(self, name: str, purpose: str, login: Login, args: SecretsArgs) -> StoredLogin:
        own = pulumi.ResourceOptions(parent=self)
        # The password before the one in use is kept, so that servers which know two accept both while clients change.
        numbered = [f"{name}-{purpose}-password-v{version}" for version in versions_in_use(login.version)]
        passwords = tuple(self._password(password) for password in numbered)
        secret = aws.secretsmanager.Secret(
            f"{name}-{purpose}",
            name=f"{name}/{purpose}",
            description=f"Auterity: user name and password for the {purpose}",
            kms_key_id=self.key_arn,
            recovery_window_in_days=args.settings.recovery_window_days,
            opts=own,
        )
        value = aws.secretsmanager.SecretVersion(
            f"{name}-{purpose}",
            secret_id=secret.id,
            secret_string=pulumi.Output.json_dumps({"username": login.username, "password": passwords[0]}),
            # A secret that is restored has its value.
            opts=pulumi.ResourceOptions(parent=self, deleted_with=secret),
        )
        # By way of the value: a task that reads a secret without one does not start.
        arn = pulumi.Output.all(secret.arn, value.id).apply(lambda values: str(values[0]))
        return StoredLogin(login.username, SecretReference(arn, self.key_arn), passwords)

    def _password(self, name: str) -> pulumi.Output[str]:
        password = random.RandomPassword(
            name,
            length=PASSWORD_LENGTH,
            special=False,
            min_lower=1,
            min_upper=1,
            min_numeric=1,
            opts=pulumi.ResourceOptions(parent=self),
        )
        result: pulumi.Output[str] = password.result
        return pulumi.Output.secret(result)


def may_read(account: AwsAccount, *references: SecretReference) -> tuple[Statement, ...]:
    """Let a role read these secrets and no other, and decrypt through Secrets Manager alone.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html.
    """
    if not references:
        return ()
    return (
        Statement(
            sid="ReadSecrets",
            actions=["secretsmanager:GetSecretValue"],
            resources=[reference.arn for reference in references],
        ),
        Statement(
            sid="DecryptSecrets",
            actions=["kms:Decrypt"],
            resources=list(dict.fromkeys(reference.key_arn for reference in references)),
            conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{account.region}.amazonaws.com"}},
        ),
    )
