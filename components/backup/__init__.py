"""Backups: where they are kept, who may do what with them, and when they are made, pruned and rehearsed."""

from components.backup.gcs import GcsTarget, GcsTargetArgs
from components.backup.job_plan import BackupScheduleArgs
from components.backup.recovery_points import RecoveryPoints, RecoveryPointsArgs
from components.backup.s3 import S3Target, S3TargetArgs
from components.backup.schedule import BackupSchedule
from components.backup.target import Role, Target

__all__ = [
    "BackupSchedule",
    "BackupScheduleArgs",
    "GcsTarget",
    "GcsTargetArgs",
    "RecoveryPoints",
    "RecoveryPointsArgs",
    "Role",
    "S3Target",
    "S3TargetArgs",
    "Target",
]
