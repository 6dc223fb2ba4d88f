"""PostgreSQL on Amazon RDS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from settings.aws import LogRetentionDays, Region
from settings.base import NUMBER, Problem, Settings, at_least_in_production, in_production
from settings.reserved_words import database_is_reserved, role_is_reserved
from settings.windows import DailyWindow, WeeklyWindow, minutes, overlap

_DAY_IN_MINUTES = 24 * 60

INSIGHTS_RETENTION_DAYS = {"standard": 7, "advanced": 465}
"""Days of performance history that each Database Insights mode keeps (RDS user guide, 'Monitoring with Database
Insights').
"""


ROLES = ("kong", "backup", "restorer", "metrics", "postgres")
"""Roles that the platform makes itself on the server, and the superuser's name in the cluster."""

LOGICAL_REPLICATION = "rds.logical_replication"
"""Parameter by which a blue/green deployment keeps the copy of another major release in step."""

PLATFORM_PARAMETERS = frozenset(
    {
        "log_connections",
        "log_disconnections",
        "log_lock_waits",
        "log_min_duration_statement",
        "log_statement",
        "rds.force_ssl",
        "shared_preload_libraries",
    }
)
"""PostgreSQL parameters that the platform sets itself."""


class BackupReplicaSettings(Settings):
    """Automated backups copied to another Region, restorable to any second there too."""

    region: Region = "us-west-2"
    """Region that receives the copies; not the stack's own."""

    retention_days: Annotated[int, Field(ge=1, le=35)] = 14
    """Days that the copies are kept, 1 to 35 (StartDBInstanceAutomatedBackupsReplication)."""


class ClusterDatabaseSettings(Settings):
    """The database where it runs in the Kubernetes cluster."""

    memory_mib: Annotated[int, Field(ge=128, le=262_144)] = 1024
    """Memory of the server in MiB, a quarter of it for shared buffers."""

    cpu_request_millis: Annotated[int, Field(ge=50, le=64_000)] = 250
    """CPU kept free for the server, in milli-CPU."""

    storage_gib: Annotated[int, Field(ge=1, le=16_384)] = 10
    """Volume in GiB. It grows in place, and never shrinks."""

    max_connections: Annotated[int, Field(ge=10, le=5000)] = 100
    """Connections at the same time."""

    password_version: Annotated[int, Field(ge=1)] = 1
    """Which logins the roles have; the next higher number makes new ones beside those in use. Never skip one: the
    logins before would stop being valid at once.
    """

    def problems(self) -> Iterator[Problem]:
        if self.max_connections * 5 > self.memory_mib:
            yield Problem(
                "max_connections",
                self.max_connections,
                f"at most {self.memory_mib // 5} beside memory_mib {self.memory_mib}: each may take 5 MiB",
            )


class DatabaseSettings(Settings):
    """The platform's PostgreSQL database."""

    mode: Annotated[
        Literal["managed", "in_cluster"],
        in_production("managed", "a single pod is neither replicated nor backed up to the second"),
    ] = "managed"
    """Where the database runs: on Amazon RDS, or in the Kubernetes cluster. Keys about RDS alone may stay while the
    database runs in the cluster; `name`, `username` and `slow_query_ms` are about both.
    """

    in_cluster: ClusterDatabaseSettings = ClusterDatabaseSettings()
    """Size of the database in the cluster."""

    engine_version: Literal["15", "16", "17"] = "15"
    """Major release of PostgreSQL; another one than the instance has, together with `upgrade`. RDS picks the newest
    minor release at creation and applies later ones in the maintenance window; naming a minor here would make the next
    deployment try to undo such an upgrade. In the cluster 15 alone.
    """

    upgrade: Literal["in_place", "blue_green"] | None = None
    """How a deployment may raise the instance to a higher major `engine_version`; unset, RDS refuses one. ``in_place``
    stops the database while it is upgraded; ``blue_green`` upgrades a copy that is kept in step, and switches over.
    Take it out again after the upgrade (docs/runbooks/database-upgrade.md).
    """

    instance_class: Annotated[str, Field(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$", examples=["db.r7g.large"])] = (
        "db.r7g.large"
    )
    """RDS instance class."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")] = "auterity"
    """Name of the database that is made first, no reserved word of PostgreSQL. Changing it replaces the instance."""

    username: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")] = "auterity"
    """Name of the master user on RDS, as whom the Job that makes the roles of all clients signs in, and nobody else.
    RDS refuses `admin`, PostgreSQL's reserved words, and names that begin with `pg_` or `rds`. Changing it replaces the
    instance. In the cluster it names who owned the database before `app_username` did.
    """

    app_username: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")] = "app"
    """Name of the role as which the app signs in: it owns the database `name`, and no other."""

    password_version: Annotated[int, Field(ge=1)] = 1
    """Which logins the app and the backups have on RDS; the next higher number makes new ones, and those before it stay
    valid. Never skip one. In the cluster: `in_cluster.password_version`.
    """

    master_password: Literal["rds", "stack"] = "rds"  # noqa: S105 - who makes it
    """Who makes the master user's password: RDS, which keeps it in Secrets Manager and rotates it each week, or the
    stack. RDS has neither blue/green deployments nor read replicas of an instance whose password it manages.
    """

    master_password_version: Annotated[int, Field(ge=1)] = 1
    """Which password the master user has where the stack makes it; the next higher number makes a new one."""

    multi_az: Annotated[bool, in_production(True, "the loss of one zone would stop the platform (FSBP RDS.5)")] = True
    """Keep a synchronous standby in a second availability zone."""

    allocated_storage_gib: Annotated[int, Field(ge=20, le=65536)] = 100
    """Storage at creation in GiB, gp3: 20 to 65536."""

    max_allocated_storage_gib: Annotated[int, Field(ge=22, le=65536)] = 1000
    """GiB up to which storage grows by itself; at least 10 % above `allocated_storage_gib`."""

    iops: Annotated[int, Field(ge=12000, le=64000)] | None = None
    """Provisioned IOPS of gp3, 12000 to 64000, from 400 GiB on; unset: the included 3000 (12000 from 400 GiB on)."""

    storage_throughput_mibps: Annotated[int, Field(ge=500, le=4000)] | None = None
    """Provisioned throughput of gp3 in MiB/s, 500 to 4000, together with `iops`; unset: the included one."""

    backup_retention_days: Annotated[
        int, Field(ge=0, le=35), at_least_in_production(7, "point-in-time recovery must reach back a week")
    ] = 14
    """Days that automated backups allow point-in-time recovery, 0 (off) to 35."""

    backup_window: DailyWindow = "03:00-04:00"
    """Daily window in UTC for the automated backup, at least 30 minutes; after the nightly dump at 02:00."""

    maintenance_window: WeeklyWindow = "sun:05:00-sun:06:00"
    """Weekly window in UTC for maintenance, at least 30 minutes, apart from `backup_window`."""

    backup_replica: BackupReplicaSettings | None = None
    """Copies of the automated backups in another Region."""

    deletion_protection: Annotated[
        bool, in_production(True, "nobody deletes the production database by mistake (FSBP RDS.8)")
    ] = True
    """Refuse deletion in AWS, mark the instance as protected in Pulumi, and take a final snapshot when it is deleted
    after all.
    """

    database_insights: Literal["standard", "advanced"] = "standard"
    """Database Insights: standard keeps 7 days of history; advanced keeps 15 months, adds fleet dashboards, and costs.
    """

    monitoring_interval_seconds: Annotated[Literal[0, 1, 5, 10, 15, 30, 60], NUMBER] = 60
    """Seconds between Enhanced Monitoring samples of the operating system; 0 switches it off."""

    apply_immediately: bool = False
    """Apply changes to the instance at once, with the restart that some need, instead of in the maintenance window."""

    log_retention_days: LogRetentionDays = 90
    """Days that CloudWatch keeps the exported PostgreSQL and upgrade logs."""

    slow_query_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 1000
    """Statements that take longer, in milliseconds, are logged."""

    parameters: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]+$")], str] = {}
    """Further PostgreSQL parameters, by name; those that the platform sets (TLS, logging) cannot be repeated here."""

    @property
    def managed(self) -> bool:
        """Whether the database runs on RDS."""
        return self.mode == "managed"

    @property
    def insights_retention_days(self) -> int:
        """Days of performance history, which follow from the Database Insights mode."""
        return INSIGHTS_RETENTION_DAYS[self.database_insights]

    def problems(self) -> Iterator[Problem]:
        if role_is_reserved(self.username):
            allowed = "a name that neither PostgreSQL nor RDS reserves (admin, user, pg_…, rds…)"
            yield Problem("username", self.username, allowed)
        if not self.managed and len(self.username) > 53:
            allowed = "at most 53 characters in the cluster, where `…_alternate` takes turns with it"
            yield Problem("username", self.username, allowed)
        if database_is_reserved(self.name):
            yield Problem(
                "name", self.name, "a name that is no reserved word of PostgreSQL and no database of RDS' own"
            )
        yield from self._role_problems()
        yield from self._upgrade_problems()
        if self.max_allocated_storage_gib * 10 < self.allocated_storage_gib * 11:
            least = -(-self.allocated_storage_gib * 11 // 10)
            yield Problem(
                "max_allocated_storage_gib",
                self.max_allocated_storage_gib,
                f"at least {least}, 10 % above allocated_storage_gib",
            )
        for key in ("iops", "storage_throughput_mibps"):
            if getattr(self, key) is not None and self.allocated_storage_gib < 400:
                yield Problem(
                    key,
                    getattr(self, key),
                    "unset below 400 GiB, where gp3 cannot be provisioned on RDS for PostgreSQL",
                )
        if self.storage_throughput_mibps is not None and self.iops is None:
            yield Problem("storage_throughput_mibps", self.storage_throughput_mibps, "set together with iops")
        if minutes(self.backup_window) < 30:
            yield Problem("backup_window", self.backup_window, "a window of at least 30 minutes")
        if not 30 <= minutes(self.maintenance_window) < _DAY_IN_MINUTES:
            yield Problem(
                "maintenance_window", self.maintenance_window, "a window of at least 30 minutes and less than a day"
            )
        if overlap(self.backup_window, self.maintenance_window):
            yield Problem(
                "maintenance_window",
                self.maintenance_window,
                f"a window that does not meet backup_window ({self.backup_window} daily)",
            )
        if self.backup_replica is not None and self.backup_retention_days == 0:
            yield Problem("backup_retention_days", 0, "1 or more where backup_replica is set")
        for parameter in sorted(self.parameters):
            if parameter in PLATFORM_PARAMETERS:
                yield Problem(
                    f"parameters.{parameter}",
                    self.parameters[parameter],
                    "parameters that the platform does not set itself",
                )

    def _role_problems(self) -> Iterator[Problem]:
        for key, name in (("username", self.username), ("app_username", self.app_username)):
            if name in ROLES and (key, name) != ("username", "postgres"):
                yield Problem(key, name, f"a name other than {', '.join(ROLES)}, which are roles of their own")
        if self.app_username == self.username:
            yield Problem(
                "app_username",
                self.app_username,
                f"a name other than username ({self.username}), who may do everything",
            )

    def _upgrade_problems(self) -> Iterator[Problem]:
        if not self.managed:
            if self.engine_version != "15":
                yield Problem(
                    "engine_version", self.engine_version, "'15' in the cluster, whose volume nobody upgrades"
                )
            return
        if self.upgrade is None:
            return
        if not self.apply_immediately:
            yield Problem(
                "apply_immediately",
                False,
                "true while upgrade is set: what the old release needs goes as soon as the deployment is done",
            )
        if self.upgrade == "blue_green":
            if self.master_password == "rds":  # noqa: S105 - who makes it
                yield Problem(
                    "master_password", "rds", "'stack' for upgrade: blue_green, which RDS refuses while it manages it"
                )
            if self.parameters.get(LOGICAL_REPLICATION) != "1":
                yield Problem(
                    f"parameters.{LOGICAL_REPLICATION}",
                    self.parameters.get(LOGICAL_REPLICATION),
                    "'1' for upgrade: blue_green, and in force since an earlier restart",
                )
            if self.backup_retention_days == 0:
                yield Problem("backup_retention_days", 0, "1 or more for upgrade: blue_green")
