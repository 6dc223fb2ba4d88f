"""Cases of the rules of AWS's identities and keys."""

from __future__ import annotations

from typing import Any

from tests.policies.cases.aws_storage import document
from tests.policies.cases.model import Case, Later, Made, Ref, breaks, keeps

ISSUER = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"
SERVICE = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
ROOT = {"AWS": "arn:aws:iam::123456789012:root"}


def allow(action: Any, resource: Any = "arn:aws:s3:::some-bucket/*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def by(condition: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**allow("kms:GenerateDataKey", "*", Condition=condition), **changes}


def policy(*statements: dict[str, Any]) -> Made:
    return Made("aws:iam/policy:Policy", {"policy": document(*statements)})


def role(*trust: dict[str, Any], **more: Any) -> Made:
    return Made("aws:iam/role:Role", {"assumeRolePolicy": document(*(trust or (SERVICE,))), **more})


def federated(**conditions: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        **({"Condition": conditions} if conditions else {}),
    }


def key(**properties: Any) -> Made:
    return Made("aws:kms/key:Key", {"description": "x", **properties})


def key_policy(**changes: Any) -> str:
    return document({"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*", **changes})


WILD = "aws-iam-no-wildcard-actions"
ADMIN = "aws-iam-no-administrators"
DECRYPT = "aws-iam-no-decrypt-on-all-keys"
LATE = "aws-iam-no-keys-by-alias-or-tag"
TRUST = "aws-iam-trust-pinned"
ROTATED = "aws-key-rotated"
OPEN = "aws-resource-policy-not-public"
AUDIENCE = {f"{ISSUER}:aud": "sts.amazonaws.com"}
SUBJECT = {f"{ISSUER}:sub": "repo:some/thing:ref:refs/heads/main"}
ACCOUNT = {"StringEquals": {"aws:SourceAccount": "123456789012"}}

CASES: tuple[Case, ...] = (
    breaks(WILD, "everything", policy=policy(allow("*", "*"))),
    breaks(WILD, "everything of a service, in a list", policy=policy(allow(["s3:GetObject", "s3:*"]))),
    breaks(WILD, "everything else", policy=policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})),
    breaks(
        WILD,
        "inline",
        "inline",
        role=role(),
        inline=Made("aws:iam/rolePolicy:RolePolicy", {"role": Ref("role"), "policy": document(allow("s3:*"))}),
    ),
    breaks(WILD, "inside the role", role=role(inlinePolicies=[{"name": "x", "policy": document(allow("S3:*"))}])),
    breaks(
        WILD,
        "later",
        "policy",
        open=("policy",),
        policy=Made("aws:iam/policy:Policy", {"policy": Later(document(allow("*", "*")))}),
    ),
    keeps(WILD, "some actions", policy=policy(allow(["s3:Get*", "s3:PutObject"]))),
    keeps(WILD, "denied", policy=policy({"Effect": "Deny", "Action": "*", "Resource": "*"})),
    breaks(
        ADMIN,
        "attached",
        "attachment",
        role=role(),
        attachment=Made(
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            {"role": Ref("role", "name"), "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
    ),
    breaks(ADMIN, "managed", role=role(managedPolicyArns=["arn:aws:iam::aws:policy/IAMFullAccess"])),
    keeps(
        ADMIN,
        "service role",
        role=role(managedPolicyArns=["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"]),
    ),
    breaks(DECRYPT, "all keys", policy=policy(allow("kms:Decrypt", "*"))),
    breaks(
        DECRYPT,
        "all keys of an account",
        policy=policy(allow(["kms:GenerateDataKey", "kms:De*"], ["arn:aws:kms:us-east-1:123456789012:key/*"])),
    ),
    keeps(DECRYPT, "one key", policy=policy(allow("kms:Decrypt", KEY))),
    keeps(DECRYPT, "encrypting", policy=policy(allow("kms:Encrypt", "*"))),
    breaks(LATE, "alias", policy=policy(by({"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/some-*"}}))),
    breaks(LATE, "tag", policy=policy(by({"StringEquals": {"aws:ResourceTag/Stack": "some"}}))),
    keeps(LATE, "service", policy=policy(by({"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}}))),
    keeps(LATE, "denied", policy=policy(by({"StringEquals": {"aws:ResourceTag/Stack": "some"}}, Effect="Deny"))),
    keeps(
        LATE,
        "tag of something else",
        policy=policy(allow("ec2:StopInstances", "*", Condition={"StringEquals": {"aws:ResourceTag/Stack": "some"}})),
    ),
    breaks(TRUST, "no condition", role=role(federated())),
    breaks(TRUST, "no audience", role=role(federated(StringEquals=SUBJECT))),
    breaks(TRUST, "any subject", role=role(federated(StringEquals=AUDIENCE, StringLike={f"{ISSUER}:sub": "*"}))),
    breaks(TRUST, "everybody", role=role({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})),
    keeps(TRUST, "pinned", role=role(federated(StringEquals={**AUDIENCE, **SUBJECT}))),
    keeps(TRUST, "service", role=role()),
    breaks(ROTATED, "nothing", key=key()),
    breaks(ROTATED, "off", key=key(enableKeyRotation=False)),
    keeps(ROTATED, "on", key=key(enableKeyRotation=True)),
    keeps(ROTATED, "of two parts", key=key(keyUsage="SIGN_VERIFY", customerMasterKeySpec="ECC_NIST_P256")),
    breaks(OPEN, "key", key=key(policy=key_policy(Principal="*"))),
    breaks(
        OPEN,
        "bucket",
        "policy",
        bucket=Made("aws:s3/bucket:Bucket", {}),
        policy=Made(
            "aws:s3/bucketPolicy:BucketPolicy",
            {
                "bucket": Ref("bucket"),
                "policy": document(allow("s3:GetObject", Principal={"AWS": ["*"]})),
            },
        ),
    ),
    keeps(OPEN, "account", key=key(policy=key_policy())),
    keeps(OPEN, "everybody from an account", key=key(policy=key_policy(Principal="*", Condition=ACCOUNT))),
)
