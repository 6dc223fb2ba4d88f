"""The gateway's database on RDS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.database import USER, verifiers_of
from components.workload.database_configuration import VERIFIERS, roles
from components.workload.gateway import AUTHORITIES, DATABASE, GatewayDatabase
from components.workload.hardening import container_security
from components.workload.jobs import job
from components.workload.login import in_turns, rotating_login
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
"""Name of the Job, of its service account and of all that belongs to it."""

CONFIGURATION, MASTER = "/etc/auterity", "/run/secrets/master"


@dataclass(frozen=True)
class ManagedGatewayDatabaseArgs:
    """What its preparation needs to know.

    Attributes:
        place: where the Job runs.
        host: host name of the server; not of a proxy, which knows the master user alone.
        port: its TCP port.
        master: name of the user that may create roles and databases.
        master_login: volume with the file ``password`` of that user.
        authorities: who signed the server's certificate, in PEM.
        password_version: which password Kong has.
        after: what must stand before the Job starts, and no value carries: its rights in AWS.
    """

    place: Place
    host: pulumi.Input[str]
    port: pulumi.Input[int]
    master: pulumi.Input[str]
    master_login: core.VolumeArgs
    authorities: str
    password_version: int
    after: Sequence[pulumi.Resource] = ()


class ManagedGatewayDatabase(pulumi.ComponentResource):
    """A database of Kong's own on a server that others share, owned by a role that sees nothing else."""

    database: GatewayDatabase
    """How the gateway reaches it."""

    def __init__(self, name: str, args: ManagedGatewayDatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:ManagedGatewayDatabase", name, None, opts)
        place, own = args.place, pulumi.ResourceOptions(parent=self)
        login = rotating_login(
            f"{name}-gateway-database",
            f"{name}-gateway-database",
            NAME,
            "-login",
            in_turns(DATABASE),
            args.password_version,
            place,
            own,
        )
        verifiers = verifiers_of(f"{name}-gateway-database-verifiers", NAME, {DATABASE: login}, place, own)
        statements = roles({DATABASE: DATABASE}, readers=(), logins={DATABASE: [one.username for one in login.known]})
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
        environment: dict[str, pulumi.Input[str]] = {
            "PGHOST": args.host,
            "PGPORT": pulumi.Output.from_input(args.port).apply(str),
            "PGUSER": args.master,
            "PGDATABASE": "postgres",
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": f"{AUTHORITIES}/bundle.pem",
            "PGCONNECT_TIMEOUT": "10",
        }
        prepare = core.ContainerArgs(
            name="prepare",
            image=image("postgres"),
            command=["sh", "-ec", f'PGPASSWORD="$(cat {MASTER}/password)" exec psql -Xq -f {CONFIGURATION}/roles.sql'],
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
        pod = Pod(
            NAME,
            user=USER,
            account=account_of(f"{name}-gateway-database", NAME, place, own),
            containers=[prepare],
            volumes=[
                from_config_map("configuration", configuration),
                args.master_login,
                from_secret("verifiers", verifiers),
                authorities,
            ],
            restart="OnFailure",
        )
        named = pulumi.Output.from_input(args.host).apply(
            lambda host: f"{NAME}-{digest(image('postgres'), host, statements, str(args.password_version))[:10]}"
        )
        later = pulumi.ResourceOptions(parent=self, depends_on=list(args.after))
        prepared = job(f"{name}-gateway-database", named, pod, place, later)
        self.database = GatewayDatabase(
            args.host,
            args.port,
            from_secret("login", login.secret),
            login.username,
            authorities=authorities,
            # The Job has had the server take the login over.
            after=[prepared],
        )
        self.register_outputs({"host": args.host, "login": login.secret})
