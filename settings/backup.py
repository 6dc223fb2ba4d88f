"""Backups of the databases: nightly dumps into two clouds, and AWS Backup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import Field

from settings.aws import Region
from settings.base import Problem, Settings, at_least_in_production, in_production
from settings.image import ImageBuild, ImageSettings
from settings.schedules import Cron
from settings.windows import ClockTime, later

START_MINUTES = 60
"""Minutes after its time in which AWS Backup begins; less than an hour it does not take (StartBackupJob)."""


class BackupRetention(Settings):
    """How many backups stay: the last one of each of so many days, weeks and months that have any."""

    daily: Annotated[int, Field(ge=1, le=366), at_least_in_production(7, "a week of nights must be restorable")] = 7
    """Days."""

    weekly: Annotated[int, Field(ge=0, le=520)] = 4
    """Weeks, ISO 8601."""

    monthly: Annotated[int, Field(ge=0, le=120)] = 6
    """Months."""


class S3BackupSettings(Settings):
    """Backups in Amazon S3."""

    region: Region = "us-west-2"
    """Region of the bucket; not the stack's own."""

    old_version_days: Annotated[
        int, Field(ge=1, le=3650), at_least_in_production(14, "what was deleted on purpose must be recoverable")
    ] = 30
    """Days that what was pruned, overwritten or deleted can be had back."""

    lock_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Days in which no version can be removed by anybody without the right to go past governance (Object Lock); unset:
    versions and rights alone protect.
    """

    force_destroy: Annotated[bool, in_production(False, "backups must outlive the stack")] = False
    """Let `destroy` delete the backups together with the bucket."""

    def problems(self) -> Iterator[Problem]:
        if self.lock_days is not None and self.lock_days > self.old_version_days:
            yield Problem("lock_days", self.lock_days, f"at most old_version_days ({self.old_version_days})")


class GcsBackupSettings(Settings):
    """Backups in Google Cloud Storage, which no one who takes over the AWS account can reach."""

    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")] = "auterity-prod"
    """Google Cloud project."""

    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$")] = "auterity-dr"
    """Name of the bucket; taken once in the whole world."""

    location: Annotated[str, Field(pattern=r"^[A-Z0-9-]+$", examples=["US", "US-WEST1"])] = "US"
    """Where the objects are kept. Changing it replaces the bucket."""

    customer_key: bool = False
    """Encrypt the objects with a key in Cloud KMS instead of Google's own; what is written is encrypted already."""

    soft_delete_days: Annotated[int, Field(ge=7, le=90)] = 30
    """Days in which a deleted object can be restored, 7 to 90."""

    force_destroy: Annotated[bool, in_production(False, "backups must outlive the stack")] = False
    """Let `destroy` delete the backups together with the bucket."""


class VaultLockSettings(Settings):
    """A lock on the vaults of AWS Backup: recovery points live as long as they are meant to, whoever asks."""

    changeable_for_days: Annotated[int, Field(ge=3, le=36_500)] | None = None
    """Days after which nobody, AWS included, can remove the lock; unset: who may change vaults can."""


class AwsBackupSettings(Settings):
    """Snapshots of the database on RDS by AWS Backup, copied to the Region of the S3 backups."""

    time: ClockTime = "08:00"
    """When they are made, in UTC, as the windows of RDS are. The job begins within an hour, and keeps another hour away
    from `database.backup_window` and `database.maintenance_window`, where it would fail.
    """

    vault_lock: VaultLockSettings | None = None
    """Lock on both vaults."""

    force_destroy: Annotated[bool, in_production(False, "backups must outlive the stack")] = False
    """Let `destroy` delete the recovery points together with the vaults."""

    @property
    def window(self) -> str:
        """When a backup may begin, ``hh:mm-hh:mm`` in UTC."""
        return f"{self.time}-{later(self.time, START_MINUTES)}"


def _operators_image() -> ImageSettings:
    # Not before a stack has backups: that the Dockerfile is there is looked up where the program runs.
    return ImageSettings(build=ImageBuild(context="operations"))


class BackupSettings(Settings):
    """The nightly backup of the platform's databases, and what proves that it restores."""

    schedule: Cron = "0 2 * * *"
    """When the databases are dumped, in `time_zone`."""

    prune_schedule: Cron = "0 5 * * *"
    """When what `retention` does not keep is removed."""

    drill_schedule: Cron = "0 7 1 * *"
    """When the newest backup of each target is restored and compared."""

    time_zone: str = "Etc/UTC"
    """Time zone of the schedules, a name of the tz database."""

    retention: BackupRetention = BackupRetention()
    """How many backups stay."""

    image: Annotated[ImageSettings, Field(default_factory=_operators_image)]
    """Image with the operator's command, restic and PostgreSQL's programs; built of `operations` unless said."""

    s3: S3BackupSettings | None = None
    """Backups in Amazon S3."""

    gcs: GcsBackupSettings | None = None
    """Backups in Google Cloud Storage."""

    aws_backup: AwsBackupSettings | None = None
    """Snapshots by AWS Backup."""

    vault_snapshots: bool = False
    """Whether each run takes a snapshot of Vault, too: once people have initialised it, and have given the job its role
    there (docs/components/backup.md).
    """

    rabbitmq_definitions: bool = False
    """Whether each run exports the definitions of RabbitMQ (users, rights, policies, queues), too: of a broker on
    Amazon MQ, since one in the cluster has them from the program.
    """

    memory_mib: Annotated[int, Field(ge=256, le=65_536)] = 1024
    """Memory of a job in MiB; it does not grow with the databases, but with the number of files in a repository."""

    drill_storage_gib: Annotated[int, Field(ge=1, le=16_384)] = 20
    """Volume for the drill's own server in GiB: somewhat more than the databases."""

    limit_hours: Annotated[int, Field(ge=1, le=23)] = 6
    """Hours after which a job counts as failed."""

    key_version: Annotated[int, Field(ge=1)] = 1
    """Which key encrypts the repositories. Another number makes another key, which the repositories have to be told
    of first (docs/components/backup.md).
    """

    def problems(self) -> Iterator[Problem]:
        if self.time_zone not in available_timezones():
            yield Problem("time_zone", self.time_zone, "a name of the tz database, such as Etc/UTC or Europe/Berlin")
        if self.s3 is None and self.gcs is None and self.aws_backup is None:
            yield Problem("s3", None, "at least one of s3, gcs and aws_backup")
