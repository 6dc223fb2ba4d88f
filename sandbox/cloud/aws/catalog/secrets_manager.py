"""Secrets Manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloud.aws.model import AwsType, View
from sandbox.cloud.sdk_types import Problem

SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 (a type token)
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"


def _recovery(inputs: Mapping[str, Any]) -> list[Problem]:
    days = inputs.get("recoveryWindowInDays")
    if isinstance(days, int) and days != 0 and not 7 <= days <= 30:
        return [Problem("recoveryWindowInDays", f"expected 0 or 7 to 30 days, got {days}")]
    return []


def _one_value(inputs: Mapping[str, Any]) -> list[Problem]:
    given = [name for name in ("secretString", "secretBinary", "secretStringWo") if inputs.get(name) is not None]
    if len(given) != 1:
        return [Problem("secretString", "exactly one of secretString, secretBinary, secretStringWo must be given")]
    value = inputs[given[0]]
    if isinstance(value, str) and not 1 <= len(value) <= 65536:
        return [Problem(given[0], f"a secret has 1 to 65536 bytes, this one has {len(value)}")]
    return []


def _schedule(inputs: Mapping[str, Any]) -> list[Problem]:
    rules = inputs.get("rotationRules")
    if (
        isinstance(rules, dict)
        and len([n for n in ("automaticallyAfterDays", "scheduleExpression") if rules.get(n)]) != 1
    ):
        return [Problem("rotationRules", "one of automaticallyAfterDays, scheduleExpression must be given")]
    return []


def _version_outputs(view: View, id: str) -> dict[str, Any]:
    secret = next((s for s in view.store.identified(str(view.value("secretId"))) if s.type == SECRET), None)
    version = id.rpartition("|")[2]
    arn = secret.id if secret else str(view.value("secretId"))
    return {
        "arn": arn,
        "secretArn": arn,
        "versionId": version,
        "versionStages": view.value("versionStages") or ["AWSCURRENT"],
    }


_ABSENT = ("ResourceNotFoundException", "Secrets Manager can't find the specified secret: {id}")

TYPES: dict[str, AwsType] = {
    SECRET: AwsType(
        service="Secrets Manager",
        noun="Secret",
        label="Secrets Manager Secret",
        cloudformation="AWS::SecretsManager::Secret",
        id="arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{hex6}",
        arn="secretsmanager:{region}:{account}:secret:{name}-{hex6}",
        renames={"policy": None},
        policies={"policy": "resource"},
        name_limit=512,
        defaults={"description": "", "forceOverwriteReplicaSecret": False, "recoveryWindowInDays": 30},
        computed=lambda view, id: {"policy": view.inputs.get("policy") or "", "replicas": view.value("replicas") or []},
        taken="ResourceExistsException",
        taken_text="The operation failed because the secret {name} already exists.",
        missing=_ABSENT,
        value_rules=(_recovery,),
        cascades={VERSION: "secretId", POLICY: "secretArn", ROTATION: "secretId"},
        write_only=frozenset({"recoveryWindowInDays", "forceOverwriteReplicaSecret"}),
    ),
    VERSION: AwsType(
        service="Secrets Manager",
        noun="SecretValue",
        label="Secrets Manager Secret Version",
        cloudformation=None,
        id="{secretId}|{uuid}",
        references={"secretId": SECRET},
        computed=_version_outputs,
        value_rules=(_one_value,),
        replaces=frozenset({"secretId", "secretString", "secretBinary", "secretStringWoVersion"}),
        operations={
            "create": "PutSecretValue",
            "update": "UpdateSecretVersionStage",
            "delete": "UpdateSecretVersionStage",
        },
        write_only=frozenset({"secretStringWo", "secretStringWoVersion"}),
    ),
    POLICY: AwsType(
        service="Secrets Manager",
        noun="ResourcePolicy",
        label="Secrets Manager Secret Policy",
        cloudformation=None,
        id="{secretArn}",
        policies={"policy": "resource"},
        references={"secretArn": SECRET},
        replaces=frozenset({"secretArn"}),
        operations={"create": "PutResourcePolicy", "update": "PutResourcePolicy"},
        write_only=frozenset({"blockPublicPolicy"}),
    ),
    ROTATION: AwsType(
        service="Secrets Manager",
        noun="Secret",
        label="Secrets Manager Secret Rotation",
        cloudformation=None,
        id="{secretId}",
        references={"secretId": SECRET},
        computed=lambda view, id: {"rotationEnabled": True},
        value_rules=(_schedule,),
        replaces=frozenset({"secretId"}),
        operations={"create": "RotateSecret", "update": "RotateSecret", "delete": "CancelRotateSecret"},
        write_only=frozenset({"rotateImmediately"}),
    ),
}
