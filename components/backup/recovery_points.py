"""Snapshots of the database on RDS by AWS Backup, beside its own point-in-time recovery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.iam import service_trust
from settings.backup import START_MINUTES, AwsBackupSettings, BackupRetention

DAYS = {"daily": 1, "weekly": 7, "monthly": 31}
"""Days between the recovery points of a rule, at most."""

WHEN = {"daily": "* * ?", "weekly": "? * 1", "monthly": "1 * ?"}
"""Days of a rule, in AWS's cron: every day, on Sundays, on the first of the month."""

COMPLETE_MINUTES = 8 * 60

SERVICE = "backup.amazonaws.com"


def vault_name(name: str) -> str:
    """Name the vault of a stack's recovery points.

    Args:
        name: prefix of the stack's names.
    """
    return f"{name}-recovery"


def copies_name(name: str) -> str:
    """Name the vault of their copies (see `vault_name`)."""
    return f"{name}-recovery-copies"


@dataclass(frozen=True)
class RecoveryPointsArgs:
    """What the plan needs to know.

    Attributes:
        settings: the section ``backup.aws_backup``.
        retention: how many recovery points stay.
        account: the account.
        resources: name of what is backed up to its ARN.
        copies: provider of the Region that gets a copy of each.
    """

    settings: AwsBackupSettings
    retention: BackupRetention
    account: AwsAccount
    resources: Mapping[str, pulumi.Input[str]]
    copies: aws.Provider


class RecoveryPoints(pulumi.ComponentResource):
    """A plan by AWS Backup with a vault in each of two Regions; rules expire their points by age."""

    vault: pulumi.Output[str]
    """Name of the vault."""

    copy_vault_arn: pulumi.Output[str]
    """ARN of the vault with the copies."""

    def __init__(self, name: str, args: RecoveryPointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:backup:RecoveryPoints", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        there = pulumi.ResourceOptions(parent=self, provider=args.copies)
        vault = self._vault(vault_name(name), args, own)
        copies = self._vault(copies_name(name), args, there)
        plan = aws.backup.Plan(
            f"{name}-recovery", rules=[self._rule(kind, args, vault, copies) for kind in self._kinds(args)], opts=own
        )
        aws.backup.Selection(
            f"{name}-recovery",
            plan_id=plan.id,
            iam_role_arn=self._role(name, args),
            resources=list(args.resources.values()),
            opts=own,
        )
        self.vault = vault.name
        self.copy_vault_arn = copies.arn
        self.register_outputs({"vault": self.vault, "copy_vault_arn": self.copy_vault_arn})

    def _kinds(self, args: RecoveryPointsArgs) -> list[str]:
        return [kind for kind in DAYS if getattr(args.retention, kind)]

    def _rule(
        self, kind: str, args: RecoveryPointsArgs, vault: aws.backup.Vault, copies: aws.backup.Vault
    ) -> aws.backup.PlanRuleArgs:
        days = DAYS[kind] * int(getattr(args.retention, kind))
        hour, minute = map(int, args.settings.time.split(":"))
        return aws.backup.PlanRuleArgs(
            rule_name=kind,
            target_vault_name=vault.name,
            schedule=f"cron({minute} {hour} {WHEN[kind]} *)",
            schedule_expression_timezone="Etc/UTC",
            start_window=START_MINUTES,
            completion_window=COMPLETE_MINUTES,
            lifecycle=aws.backup.PlanRuleLifecycleArgs(delete_after=days),
            copy_actions=[
                aws.backup.PlanRuleCopyActionArgs(
                    destination_vault_arn=copies.arn,
                    lifecycle=aws.backup.PlanRuleCopyActionLifecycleArgs(delete_after=days),
                )
            ],
        )

    def _vault(self, name: str, args: RecoveryPointsArgs, opts: pulumi.ResourceOptions) -> aws.backup.Vault:
        key = EncryptionKey(name, EncryptionKeyArgs(args.account, purpose="recovery points of AWS Backup"), opts)
        force = args.settings.force_destroy
        vault = aws.backup.Vault(name, name=name, kms_key_arn=key.arn, force_destroy=force, opts=opts)
        if args.settings.vault_lock is not None:
            aws.backup.VaultLockConfiguration(
                name,
                backup_vault_name=vault.name,
                changeable_for_days=args.settings.vault_lock.changeable_for_days,
                min_retention_days=min(DAYS[kind] * int(getattr(args.retention, kind)) for kind in self._kinds(args)),
                # A vault that is refused to be deleted stays locked.
                opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(deleted_with=None if force else vault)),
            )
        return vault

    def _role(self, name: str, args: RecoveryPointsArgs) -> pulumi.Output[str]:
        own = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-recovery",
            description="AWS Backup of the platform's database",
            assume_role_policy=service_trust(SERVICE, args.account.account_id),
            opts=own,
        )
        attached = [
            aws.iam.RolePolicyAttachment(
                f"{name}-recovery-{what.lower()}",
                role=role.name,
                policy_arn=pulumi.Output.format(
                    "arn:{0}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor{1}",
                    args.account.partition,
                    what,
                ),
                opts=own,
            )
            for what in ("Backup", "Restores")
        ]
        # By way of the attachments: a selection is of use only with a role that can do its work.
        return pulumi.Output.all(role.arn, *[each.id for each in attached]).apply(lambda values: str(values[0]))
