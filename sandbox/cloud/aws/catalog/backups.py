"""AWS Backup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloud.aws.catalog.identity import KEY, ROLE
from sandbox.cloud.aws.model import AwsType, View
from sandbox.cloud.sdk_types import Problem

VAULT = "aws:backup/vault:Vault"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
PLAN = "aws:backup/plan:Plan"
SELECTION = "aws:backup/selection:Selection"

LEAST_START_MINUTES = 60
"""Fewest minutes that a job is given to begin."""

DEFAULT_DAYS_CHANGEABLE = 3
"""Fewest days in which a lock can still be removed (PutBackupVaultLockConfiguration)."""


def _lock_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    days = inputs.get("changeableForDays")
    if isinstance(days, int) and days < DEFAULT_DAYS_CHANGEABLE:
        return [Problem("changeableForDays", f"InvalidParameterValueException: expected 3 or more days, got {days}")]
    least, most = inputs.get("minRetentionDays"), inputs.get("maxRetentionDays")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        return [Problem("minRetentionDays", f"expected at most maxRetentionDays ({most}), got {least}")]
    return []


def _plan_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    """Judge the rules of a plan (https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRule.html)."""
    windows = [rule.get("startWindow") for rule in inputs.get("rules") or [] if isinstance(rule, Mapping)]
    return [
        Problem(f"rules[{number}].startWindow", f"expected {LEAST_START_MINUTES} minutes or more, got {window}")
        for number, window in enumerate(windows)
        if isinstance(window, int) and window < LEAST_START_MINUTES
    ]


def _vault_arn(view: View) -> str:
    vault = view.one(VAULT, str(view.value("backupVaultName")))
    return str(vault.outputs.get("arn", "")) if vault else ""


_ABSENT = ("ResourceNotFoundException", "Backup {id} does not exist")

TYPES: dict[str, AwsType] = {
    VAULT: AwsType(
        service="Backup",
        noun="BackupVault",
        label="Backup Vault",
        cloudformation=None,
        id="{name}",
        arn="backup:{region}:{account}:backup-vault:{name}",
        names=("name",),
        taken="AlreadyExistsException",
        taken_text="Backup vault with the same name already exists",
        missing=_ABSENT,
        references={"kmsKeyArn": KEY},
        defaults={"forceDestroy": False},
        computed=lambda view, id: {"recoveryPoints": 0},
        replaces=frozenset({"name", "kmsKeyArn"}),
        cascades={LOCK: "backupVaultName"},
        write_only=frozenset({"forceDestroy"}),
    ),
    LOCK: AwsType(
        service="Backup",
        noun="BackupVaultLockConfiguration",
        label="Backup Vault Lock Configuration",
        cloudformation=None,
        id="{backupVaultName}",
        references={"backupVaultName": VAULT},
        computed=lambda view, id: {"backupVaultArn": _vault_arn(view)},
        value_rules=(_lock_problems,),
        replaces=frozenset({"backupVaultName", "changeableForDays", "maxRetentionDays", "minRetentionDays"}),
        operations={"create": "PutBackupVaultLockConfiguration"},
    ),
    PLAN: AwsType(
        service="Backup",
        noun="BackupPlan",
        label="Backup Plan",
        cloudformation=None,
        id="{uuid}",
        arn="backup:{region}:{account}:backup-plan:{id}",
        missing=_ABSENT,
        references={"rules.targetVaultName": VAULT},
        computed=lambda view, id: {"version": id},
        value_rules=(_plan_problems,),
    ),
    SELECTION: AwsType(
        service="Backup",
        noun="BackupSelection",
        label="Backup Selection",
        cloudformation=None,
        id="{uuid}",
        references={"planId": PLAN, "iamRoleArn": ROLE},
        replaces=frozenset({"name", "planId", "iamRoleArn", "resources", "conditions", "selectionTags"}),
    ),
}
