"""The database in the cluster."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.database_configuration import (
    CONFIGURATION,
    DATA,
    METRICS_ROLE,
    PORT,
    PREPARE,
    RESTORER,
    SOCKETS,
    VERIFIERS,
    access,
    roles,
    server_configuration,
    verifier,
)
from components.workload.exporters import exporter
from components.workload.hardening import container_security
from components.workload.login import Login, SignIn, in_turns, keeper, rotating_login, secret_of, wait_until_accepted
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

SIGN_IN = (
    'PGPASSWORD="$(cat "$0/password")" exec psql --no-psqlrc --quiet --username="$(cat "$0/username")" '
    "--dbname=postgres --command='SELECT 1'"
)
"""Finds out whether a login is accepted; the password stands on no command line."""


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

    logins: dict[str, Login]
    """Name of a database to the login that owns it, or acts for its owner."""

    restorer: Login | None
    """Login of the role that restores backups; None without one."""

    def __init__(self, name: str, args: ClusterDatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:ClusterDatabase", name, None, opts)
        settings, place, own = args.settings, args.place, pulumi.ResourceOptions(parent=self)
        size, version = settings.in_cluster, settings.in_cluster.password_version
        owners = {settings.name: settings.username, **{database: database for database in args.further}}
        restorers = (RESTORER,) if args.restorable else ()
        account = account_of(f"{name}-database", NAME, place, own)
        logins = {
            role: rotating_login(
                f"{name}-database-{role}",
                f"{name}-database-{role}",
                NAME,
                f"-{role.replace('_', '-')}",
                in_turns(role),
                version,
                place,
                own,
            )
            for role in dict.fromkeys([*owners.values(), *restorers])
        }
        verifiers = verifiers_of(f"{name}-database-verifiers", NAME, logins, place, own)
        at_the_start = {
            "postgresql.conf": server_configuration(settings),
            "pg_hba.conf": access(),
            "prepare.sh": PREPARE,
        }
        signing_in = {role: [one.username for one in login.known] for role, login in logins.items()}
        files = {**at_the_start, "roles.sql": roles(owners, restorers=restorers, logins=signing_in)}
        configuration = core.ConfigMap(f"{name}-database", metadata=about(NAME, place), data=files, opts=own)
        pod = Pod(
            NAME,
            user=USER,
            account=account,
            init=[self._prepare(settings), self._keeper()],
            containers=[self._server(settings), self._exporter()],
            volumes=[
                from_config_map("configuration", configuration),
                from_secret("verifiers", verifiers),
                scratch("sockets", 1),
                core.VolumeArgs(
                    name="shared-memory",
                    empty_dir=core.EmptyDirVolumeSourceArgs(medium="Memory", size_limit=f"{size.memory_mib // 4}Mi"),
                ),
            ],
            configured_by={"configuration": digest(*at_the_start.values())},
            stop_seconds=STOP_SECONDS,
        )
        service = keep(f"{name}-database", Keeping({"postgres": PORT}, size.storage_gib), pod, place, own)
        self.host = host_of(service)
        self.port = PORT
        sign_in = SignIn(image("postgres"), USER, "sh", SIGN_IN, {"PGHOST": self.host, "PGPORT": str(PORT)})
        each = list(logins.values())
        after = wait_until_accepted(f"{name}-database-login", NAME, version, each, sign_in, account, place, own)
        accepted = {role: dataclasses.replace(login, accepted=after) for role, login in logins.items()}
        self.logins = {database: accepted[owner] for database, owner in owners.items()}
        self.restorer = accepted.get(RESTORER)
        self.register_outputs(
            {
                "host": self.host,
                "port": self.port,
                "logins": {database: login.secret for database, login in self.logins.items()},
                "restorer": self.restorer.secret if self.restorer else None,
            }
        )

    def _prepare(self, settings: DatabaseSettings) -> core.ContainerArgs:
        """Lay the data out where there is none, and bring roles and databases to what is stated."""
        return core.ContainerArgs(
            name="prepare",
            image=image("postgres"),
            command=["sh", f"{CONFIGURATION}/prepare.sh"],
            env=self._environment(),
            resources=resources(100, settings.in_cluster.memory_mib),
            security_context=container_security(),
            volume_mounts=[*self._mounts(), read_only("verifiers", VERIFIERS)],
        )

    def _keeper(self) -> core.ContainerArgs:
        """Bring roles and databases to what is stated when that changes, by the socket, as the server's superuser."""
        mounts = [
            read_only("configuration", CONFIGURATION),
            read_only("verifiers", VERIFIERS),
            writable("sockets", SOCKETS),
        ]
        file = f"{CONFIGURATION}/roles.sql"
        command = ["psql", "--username=postgres", "--dbname=postgres", "--no-psqlrc", "--quiet", f"--file={file}"]
        return keeper(image("postgres"), f"{file} {VERIFIERS}/*", command, mounts, self._environment())

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
            },
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


def verifiers_of(
    name: str, workload: str, logins: Mapping[str, Login], place: Place, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Make the Secret by which a server tells right passwords from wrong ones, and return its name.

    Args:
        name: name of the resource.
        workload: name of the workload that reads it.
        logins: name of a role to its login.
        place: where it is read.
        opts: options of the resource.
    """
    contents = {one.username: one.password.apply(verifier) for login in logins.values() for one in login.known}
    return secret_of(name, workload, "-verifiers", place, contents, opts)
