"""What is backed up, and where to: the file that every command reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from operations.backup.errors import BackupError

PLAN_VARIABLE = "AUTERITY_BACKUP_PLAN"
"""Environment variable with the path of the plan."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


class Part(BaseModel):
    """Base of the plan's models: frozen, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class DatabasePlan(Part):
    """A database, and who reads the whole of it."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    """Name of the database."""

    user: str
    """Role that owns it, or reads all of it."""

    password_file: Path
    """File with the role's password."""


class ServerPlan(Part):
    """A PostgreSQL server."""

    host: str
    """Host name or address."""

    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    """TCP port."""

    sslmode: Annotated[str, Field(pattern=r"^(disable|prefer|require|verify-ca|verify-full)$")] = "verify-full"
    """How the server must prove who it is (libpq's ``sslmode``)."""

    sslrootcert: Path | None = None
    """File with the authorities that may have signed its certificate, in PEM."""

    superuser: bool = False
    """Whether the users are superusers, who read the roles' password verifiers, too. RDS has none: passwords are
    then not in the backup, and are set anew after a restore.
    """

    databases: Annotated[tuple[DatabasePlan, ...], Field(min_length=1)]
    """Its databases, each as it is restored: in this order."""


class TargetPlan(Part):
    """A place that keeps backups."""

    name: Name
    """What it is called, such as ``s3``."""

    repository: str
    """restic's name of the repository: ``s3:https://s3.us-west-2.amazonaws.com/BUCKET/PATH``, ``gs:BUCKET:/PATH`` or a
    directory.
    """

    environment: dict[str, str] = {}
    """Further environment variables of restic that are no secret."""


Url = Annotated[str, Field(pattern=r"^https?://[^/]+$")]


class VaultPlan(Part):
    """A Vault whose data are backed up, by a token of a service account."""

    url: Url
    """Address of its API."""

    role: str
    """Role of its Kubernetes auth method, which may read ``sys/storage/raft/snapshot`` and nothing else."""

    token_file: Path
    """File with the service account's token."""

    authority: Path | None = None
    """File with the authority that has signed its certificate, in PEM; the system's otherwise."""


class RabbitmqPlan(Part):
    """A RabbitMQ whose users, rights, queues and policies are backed up; messages are not."""

    url: Url
    """Address of its management API."""

    user: str
    """An administrator."""

    password_file: Path
    """File with the administrator's password."""

    authority: Path | None = None
    """File with the authority that has signed its certificate, in PEM; the system's otherwise."""


class RetentionPlan(Part):
    """How many backups stay: the last one of each of so many days, weeks (ISO 8601) and months that have any."""

    daily: Annotated[int, Field(ge=1, le=366)] = 7
    """Days."""

    weekly: Annotated[int, Field(ge=0, le=520)] = 4
    """Weeks."""

    monthly: Annotated[int, Field(ge=0, le=120)] = 6
    """Months."""


class LimitsPlan(Part):
    """How long things may take, in seconds."""

    reach: Annotated[int, Field(ge=1, le=3600)] = 120
    """Seconds in which a target must answer."""

    transfer: Annotated[int, Field(ge=1, le=86_400)] = 14_400
    """Seconds in which a dump must be written, or read."""

    lock: Annotated[int, Field(ge=0, le=7200)] = 2400
    """Seconds to wait for somebody else's lock on a repository; one that was left behind is void after 30 minutes."""


class MetricsPlan(Part):
    """Where figures go."""

    push_url: str | None = None
    """Address of a Pushgateway; none: figures are in the log alone."""


class Plan(Part):
    """All that the commands need to know; it holds no secret."""

    server: ServerPlan
    """The server whose databases are backed up."""

    targets: Annotated[tuple[TargetPlan, ...], Field(min_length=1)]
    """Where the backups are kept, each by itself complete."""

    password_file: Path
    """File with the password of the repositories."""

    vault: VaultPlan | None = None
    """Vault, where there is one to be backed up."""

    rabbitmq: RabbitmqPlan | None = None
    """RabbitMQ, where it has what no program makes again."""

    retention: RetentionPlan = RetentionPlan()
    """How many backups stay."""

    limits: LimitsPlan = LimitsPlan()
    """How long things may take."""

    metrics: MetricsPlan = MetricsPlan()
    """Where figures go."""

    def target(self, name: str) -> TargetPlan:
        """Return a target by its name.

        Raises:
            BackupError: there is none of this name.
        """
        for target in self.targets:
            if target.name == name:
                return target
        raise BackupError(f"--target: {name!r} given, allowed: {', '.join(target.name for target in self.targets)}")


def read_plan(path: Path) -> Plan:
    """Read a plan, YAML or JSON.

    Raises:
        BackupError: it cannot be read, or says what is not allowed; the message names every wrong key.
    """
    try:
        return Plan.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BackupError(f"the plan cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise BackupError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, e['loc']))}: {e['input']!r} given, {e['msg']}" for e in error.errors())
        raise BackupError(f"{path}: {'; '.join(wrong)}") from error


def read_secret(path: Path) -> str:
    """Read a password from its file.

    Raises:
        BackupError: there is none.
    """
    try:
        found = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BackupError(f"a password cannot be read: {error}") from error
    if not found:
        raise BackupError(f"a password cannot be read: {path} is empty")
    return found
