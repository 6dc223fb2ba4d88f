"""The roles of everybody who comes to a server on RDS, made by a Job: nobody else signs in as the master user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.database import USER
from components.workload.database_configuration import READER, RESTORER, VERIFIERS, roles, verifier
from components.workload.gateway import AUTHORITIES, DATABASE, GatewayDatabase
from components.workload.hardening import container_security
from components.workload.jobs import job
from components.workload.login import Known, Login, in_turns, rotating_login, secret_of
from components.workload.pods import (
    Place,
    Pod,
    about,
    account_of,
    digest,
    environment_of,
    from_config_map,
    from_secret,
    read_only,
    resources,
)

core = kubernetes.core.v1

NAME = "auterity-gateway-database"
"""Name of the Job, of its service account and of all that belongs to it: of what it first was for. Another name would
replace what is deployed.
"""

CONFIGURATION, MASTER = "/etc/auterity", "/run/secrets/master"

PREPARE_ROLES = f'PGPASSWORD="$(cat {MASTER}/password)" exec psql -Xq -f {CONFIGURATION}/roles.sql'
"""What the Job runs."""


@dataclass(frozen=True)
class DatabaseRolesArgs:
    """What the Job needs to know.

    Attributes:
        place: where it runs.
        host: host name of the server; not of a proxy, which knows the app's role alone.
        port: its TCP port.
        master: name of the user that may create roles and databases.
        master_login: volume with the file ``password`` of that user.
        authorities: who signed the server's certificate, in PEM.
        database: name of the platform's database.
        owner: name of the role that owns it.
        known: a role whose login is in Secrets Manager, the owner first, to the logins that the server has to accept.
        backups: whether there are roles that make backups and restore them.
        version: which passwords all of those have.
        gateway_version: which password Kong has; None without a gateway.
        after: what must stand before the Job starts, and no value carries: its rights in AWS.
    """

    place: Place
    host: pulumi.Input[str]
    port: pulumi.Input[int]
    master: str
    master_login: core.VolumeArgs
    authorities: str
    database: str
    owner: str
    known: Mapping[str, Sequence[Known]]
    backups: bool
    version: int
    gateway_version: int | None = None
    after: Sequence[pulumi.Resource] = ()


class DatabaseRoles(pulumi.ComponentResource):
    """A role for each client of a server that they share, with a database of its own, that sees nothing else.

    The Job runs again, under another name, when what it states or a password changes.
    """

    made: kubernetes.batch.v1.Job
    """What has made them; who signs in as one of them comes after it."""

    gateway: GatewayDatabase | None
    """How the gateway reaches its database; None without a gateway."""

    restorer: Login | None
    """Login of the role that restores backups, which no other job mounts; None without one."""

    def __init__(self, name: str, args: DatabaseRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        before = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="auterity:workload:ManagedGatewayDatabase")])
        super().__init__("auterity:workload:DatabaseRoles", name, None, pulumi.ResourceOptions.merge(before, opts))
        place, own = args.place, pulumi.ResourceOptions(parent=self)
        logins: dict[str, Login] = {}
        if args.gateway_version is not None:
            logins[DATABASE] = self._login(f"{name}-gateway-database", "-login", DATABASE, args.gateway_version, place)
        if args.backups:
            logins[RESTORER] = self._login(
                f"{name}-database-role-{RESTORER}", f"-{RESTORER}", RESTORER, args.version, place
            )
        known = {**args.known, **{role: login.known for role, login in logins.items()}}
        signing_in = [one for each in known.values() for one in each]
        # The server is told what tells a right password, and the Job no more than that.
        verifiers = secret_of(
            f"{name}-gateway-database-verifiers",
            NAME,
            "-verifiers",
            place,
            {one.username: one.password.apply(verifier) for one in signing_in},
            own,
        )
        kong = {DATABASE: DATABASE} if DATABASE in logins else {}
        statements = roles(
            {args.database: args.owner, **kong},
            monitors=(),
            readers=(READER,) if args.backups else (),
            restorers=(RESTORER,) if args.backups else (),
            logins={role: [one.username for one in each] for role, each in known.items()},
            former={args.database: args.master},
        )
        configuration = core.ConfigMap(
            f"{name}-gateway-database", metadata=about(NAME, place), data={"roles.sql": statements}, opts=own
        )
        # An object of its own: neither the app's image nor its releases are the gateway's matter.
        signed_by = core.ConfigMap(
            f"{name}-database-authorities",
            metadata=about(NAME, place, "-authorities"),
            data={"bundle.pem": args.authorities},
            opts=own,
        )
        authorities = from_config_map("authorities", signed_by)
        pod = Pod(
            NAME,
            user=USER,
            account=account_of(f"{name}-gateway-database", NAME, place, own),
            containers=[self._prepare(args)],
            volumes=[
                from_config_map("configuration", configuration),
                args.master_login,
                from_secret("verifiers", verifiers),
                authorities,
            ],
            restart="OnFailure",
        )
        versions = f"{args.version} {args.gateway_version}"
        job_name = pulumi.Output.from_input(args.host).apply(
            lambda host: f"{NAME}-{digest(image('postgres'), host, statements, versions)[:10]}"
        )
        later = pulumi.ResourceOptions(parent=self, depends_on=list(args.after))
        self.made = job(f"{name}-gateway-database", job_name, pod, place, later)
        self.restorer = logins.get(RESTORER)
        self.gateway = None
        if DATABASE in logins:
            self.gateway = GatewayDatabase(
                args.host,
                args.port,
                from_secret("login", logins[DATABASE].secret),
                logins[DATABASE].username,
                authorities=authorities,
                # The Job has had the server take the login over.
                after=[self.made],
            )
        self.register_outputs({"host": args.host, "roles": sorted(one.username for one in signing_in)})

    def _login(self, name: str, suffix: str, role: str, version: int, place: Place) -> Login:
        own = pulumi.ResourceOptions(parent=self)
        return rotating_login(name, name, NAME, suffix, in_turns(role), version, place, own)

    def _prepare(self, args: DatabaseRolesArgs) -> core.ContainerArgs:
        environment: dict[str, pulumi.Input[str]] = {
            "PGHOST": args.host,
            "PGPORT": pulumi.Output.from_input(args.port).apply(str),
            "PGUSER": args.master,
            "PGDATABASE": "postgres",
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": f"{AUTHORITIES}/bundle.pem",
            "PGCONNECT_TIMEOUT": "10",
        }
        return core.ContainerArgs(
            name="prepare",
            image=image("postgres"),
            command=["sh", "-ec", PREPARE_ROLES],
            env=environment_of(environment),
            resources=resources(50, 64),
            security_context=container_security(),
            volume_mounts=[
                read_only("configuration", CONFIGURATION),
                read_only("master", MASTER),
                read_only("verifiers", VERIFIERS),
                read_only("authorities", AUTHORITIES),
            ],
        )
