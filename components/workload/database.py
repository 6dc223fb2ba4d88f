"""The database in the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.database_configuration import (
    CONFIGURATION,
    DATA,
    LOGINS,
    METRICS_ROLE,
    PORT,
    PREPARE,
    RESTORER,
    SOCKETS,
    access,
    roles,
    server_configuration,
)
from components.workload.exporters import exporter
from components.workload.hardening import container_security
from components.workload.login import database_login
from components.workload.pods import (
    Place,
    Pod,
    about,
    account_of,
    digest,
    environment_of,
    from_config_map,
    from_secret,
    host_of,
    probe,
    read_only,
    resources,
    scratch,
    writable,
)
from components.workload.stateful import Keeping, keep
from settings.database import DatabaseSettings

core = kubernetes.core.v1

NAME = "auterity-database"
"""Name of the StatefulSet and of all that belongs to it."""

METRICS_PORT = 9187
"""TCP port of the figures."""

USER = 999
"""User ``postgres`` in the image; who is it, is the server's superuser too, by the socket alone."""

STOP_SECONDS = 120
"""Seconds for the last checkpoint."""


@dataclass(frozen=True)
class ClusterDatabaseArgs:
    """What the database needs to know.

    Attributes:
        settings: the stack's ``database`` section.
        place: where it runs.
        further: names of databases beside the platform's, each owned by a role of the same name.
        restorable: whether there is a role that restores backups.
    """

    settings: DatabaseSettings
    place: Place
    further: Sequence[str] = ()
    restorable: bool = False


class ClusterDatabase(pulumi.ComponentResource):
    """One PostgreSQL 15 with a volume: a database and a role for each user, the superuser by its socket alone."""

    host: pulumi.Output[str]
    """Host name inside the cluster."""

    port: int
    """TCP port; plain, since no packet leaves the cluster and network policies say who may connect."""

    logins: dict[str, pulumi.Output[str]]
    """Name of a database to the name of the Secret with ``username`` and ``password`` of its owner."""

    restorer: pulumi.Output[str] | None
    """Name of the Secret with the login of the role that restores backups; None without one."""

    def __init__(self, name: str, args: ClusterDatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:ClusterDatabase", name, None, opts)
        settings, place, own = args.settings, args.place, pulumi.ResourceOptions(parent=self)
        size, version = settings.in_cluster, settings.in_cluster.password_version
        owners = {settings.name: settings.username, **{database: database for database in args.further}}
        restorers = (RESTORER,) if args.restorable else ()
        logins = {
            role: database_login(f"{name}-database-{role}", NAME, f"-{role}", role, version, place, own)
            for role in (*owners.values(), METRICS_ROLE, *restorers)
        }
        files = {
            "postgresql.conf": server_configuration(settings),
            "pg_hba.conf": access(),
            "roles.sql": roles(owners, restorers=restorers),
            "prepare.sh": PREPARE,
        }
        configuration = core.ConfigMap(f"{name}-database", metadata=about(NAME, place), data=files, opts=own)
        pod = Pod(
            NAME,
            user=USER,
            account=account_of(f"{name}-database", NAME, place, own),
            init=[self._prepare(settings, list(logins))],
            containers=[self._server(settings), self._exporter()],
            volumes=[
                from_config_map("configuration", configuration),
                *(from_secret(f"login-{role}", secret) for role, secret in logins.items()),
                scratch("sockets", 1),
                core.VolumeArgs(
                    name="shared-memory",
                    empty_dir=core.EmptyDirVolumeSourceArgs(medium="Memory", size_limit=f"{size.memory_mib // 4}Mi"),
                ),
            ],
            configured_by={"configuration": digest(*files.values()), "password": str(version)},
            stop_seconds=STOP_SECONDS,
        )
        service = keep(f"{name}-database", Keeping({"postgres": PORT}, size.storage_gib), pod, place, own)
        self.host = host_of(service)
        self.port = PORT
        self.logins = {database: logins[owner] for database, owner in owners.items()}
        self.restorer = logins.get(RESTORER)
        self.register_outputs({"host": self.host, "port": self.port, "logins": self.logins, "restorer": self.restorer})

    def _prepare(self, settings: DatabaseSettings, roles: Sequence[str]) -> core.ContainerArgs:
        """Lay the data out where there is none, and bring roles and databases to what is stated."""
        return core.ContainerArgs(
            name="prepare",
            image=image("postgres"),
            command=["sh", f"{CONFIGURATION}/prepare.sh"],
            env=self._environment(),
            resources=resources(100, settings.in_cluster.memory_mib),
            security_context=container_security(),
            volume_mounts=[*self._mounts(), *(read_only(f"login-{role}", f"{LOGINS}/{role}") for role in roles)],
        )

    def _server(self, settings: DatabaseSettings) -> core.ContainerArgs:
        ready = core.ExecActionArgs(command=["pg_isready", "--quiet", "--host=127.0.0.1"])
        return core.ContainerArgs(
            name="postgres",
            image=image("postgres"),
            command=["postgres", f"--config-file={CONFIGURATION}/postgresql.conf"],
            env=self._environment(),
            ports=[core.ContainerPortArgs(name="postgres", container_port=PORT)],
            resources=resources(settings.in_cluster.cpu_request_millis, settings.in_cluster.memory_mib),
            # After a crash it reads its log first: as long as it has to.
            startup_probe=probe(ready, 5, 720),
            readiness_probe=probe(ready, 5, 3),
            liveness_probe=probe(ready, 10, 6),
            security_context=container_security(),
            volume_mounts=self._mounts(),
        )

    def _exporter(self) -> core.ContainerArgs:
        return exporter(
            image("postgres-exporter"),
            METRICS_PORT,
            {
                "DATA_SOURCE_URI": f"127.0.0.1:{PORT}/postgres?sslmode=disable",
                "DATA_SOURCE_USER": METRICS_ROLE,
                "DATA_SOURCE_PASS_FILE": f"{LOGINS}/{METRICS_ROLE}/password",
            },
            [read_only(f"login-{METRICS_ROLE}", f"{LOGINS}/{METRICS_ROLE}")],
        )

    def _environment(self) -> list[core.EnvVarArgs]:
        return environment_of({"PGDATA": f"{DATA}/pgdata", "PGHOST": SOCKETS})

    def _mounts(self) -> list[core.VolumeMountArgs]:
        return [
            read_only("configuration", CONFIGURATION),
            writable("data", DATA),
            writable("sockets", SOCKETS),
            writable("shared-memory", "/dev/shm"),  # noqa: S108 - PostgreSQL's own place for it
        ]
