"""The API gateway in the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.copies import Serving, serve, take_one_at_a_time
from components.workload.exporters import METRICS
from components.workload.gateway_configuration import (
    ADMIN_PORT,
    ALIVE,
    BODIES,
    PREFIX,
    PROXY_PORT,
    PROXY_TLS_PORT,
    STATUS,
    STATUS_PORT,
    administration,
    declaration,
    environment,
    everywhere,
)
from components.workload.hardening import container_security
from components.workload.jobs import job
from components.workload.labels import selector
from components.workload.pods import (
    Place,
    Pod,
    about,
    account_of,
    digest,
    environment_of,
    from_config_map,
    host_of,
    name_of,
    probe,
    read_only,
    resources,
    scratch,
    writable,
)
from settings.gateway import GatewaySettings

apps = kubernetes.apps.v1
batch = kubernetes.batch.v1
core = kubernetes.core.v1

NAME = "auterity-gateway"
"""Name of the Deployment and of all that belongs to it."""

WORK = "auterity-gateway-work"
"""Name of the pods that prepare the database and hand the configuration over."""

USER = 1000
"""User ``kong`` in Kong's image, ``deckuser`` in decK's."""

DATABASE = "kong"
"""Name of Kong's database and of its owner."""

LOGIN, AUTHORITIES, CONFIGURATION, INCLUDED = (
    "/run/secrets/database",
    "/run/authorities",
    "/etc/auterity",
    "/etc/auterity-nginx",
)

NOTICE_SECONDS, STOP_SECONDS = 10, 50
"""Seconds that whoever sends requests takes to notice that a copy has come or goes, where nobody says otherwise; and
those that a copy may then take to answer what it has.
"""

MIGRATE = f"""\
# The image's entry point does this for the command `kong` alone.
KONG_PG_PASSWORD=$(cat {LOGIN}/password)
export KONG_PG_PASSWORD
unset KONG_PG_PASSWORD_FILE
state() {{
  code=0
  listed=$(kong migrations list) || code=$?
}}
state
# Begun for a release before this one, and never finished: `up` refuses to go on before that.
if [ $code = 4 ] && grep -qi 'new migrations available' <<< "$listed"; then
  kong migrations finish
  state
fi
case $code in
  3) kong migrations bootstrap ;;
  5) kong migrations up ;;
esac
state
echo "$listed"
# What is pending now is finished after the rollout.
[ $code = 0 ] || [ $code = 4 ]
"""
"""What brings the tables to a release. ``kong migrations list`` ends with 3 for a database without any, 4 where some
are pending, 5 where some are new and none pending, else 0 (Kong, ``kong/cmd/migrations.lua``).
"""


@dataclass(frozen=True)
class GatewayDatabase:
    """How Kong reaches its database.

    Attributes:
        host: host name.
        port: TCP port.
        login: volume with the file ``password``.
        username: whose that is: the owner of the database ``kong``, or who acts for it.
        authorities: volume ``authorities`` with the file ``bundle.pem``, of who signed the server's certificate; None
            where the connection stays inside the cluster and is plain.
        after: what makes user and database.
    """

    host: pulumi.Input[str]
    port: pulumi.Input[int]
    login: core.VolumeArgs
    username: str = DATABASE
    authorities: core.VolumeArgs | None = None
    after: Sequence[pulumi.Resource] = ()


@dataclass(frozen=True)
class GatewayArgs:
    """What the gateway needs to know.

    Attributes:
        settings: the stack's ``gateway`` section.
        place: where it runs.
        database: where it keeps its configuration.
        app_host: host name of the app inside the cluster.
        app_port: its TCP port.
        notice_seconds: seconds that load balancers take to notice that a copy has come or goes.
    """

    settings: GatewaySettings
    place: Place
    database: GatewayDatabase
    app_host: pulumi.Input[str]
    app_port: int
    notice_seconds: int = NOTICE_SECONDS


class Gateway(pulumi.ComponentResource):
    """Kong before the app; its configuration is in PostgreSQL, and is what ``kong.yml`` states after each deployment.

    Its admin API listens on the loopback address of its pods alone. What is handed over goes the same way: by a pod
    that runs an administrating Kong for as long as that takes, and from there by the database to all copies.
    """

    service: pulumi.Output[str]
    """Name of the Service."""

    host: pulumi.Output[str]
    """Host name inside the cluster."""

    port: int
    """TCP port of plain HTTP; 8443 has TLS, with a certificate that nobody signed."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:Gateway", name, None, opts)
        settings, own = args.settings, pulumi.ResourceOptions(parent=self)
        self._account = account_of(f"{name}-gateway", NAME, args.place, own)
        self._args = args
        stated = pulumi.Output.from_input(args.app_host).apply(lambda host: declaration(settings, host, args.app_port))
        configuration = core.ConfigMap(
            f"{name}-gateway", metadata=about(NAME, args.place), data={"kong.yml": stated}, opts=own
        )
        migrated = self._migrate(f"{name}-gateway-migrate")
        deployment = self._deploy(name, migrated)
        self._finish(f"{name}-gateway-finish", deployment)
        self._configure(f"{name}-gateway-configure", configuration, stated, deployment)
        service = core.Service(
            f"{name}-gateway",
            metadata=about(NAME, args.place, there_with=".spec.clusterIP"),
            spec=core.ServiceSpecArgs(
                type="ClusterIP",
                selector=selector(NAME),
                ports=[
                    core.ServicePortArgs(name="proxy", port=PROXY_PORT, target_port="proxy"),
                    core.ServicePortArgs(name="proxy-tls", port=PROXY_TLS_PORT, target_port="proxy-tls"),
                ],
            ),
            opts=own,
        )
        take_one_at_a_time(f"{name}-gateway", NAME, args.place, own, sick_ones_too=True)
        self.service = name_of(service)
        self.host = host_of(service)
        self.port = PROXY_PORT
        self.register_outputs({"service": self.service, "host": self.host, "port": self.port})

    # Around the rollout (https://developer.konghq.com/gateway/upgrade/): new tables before it, old ones gone after it.

    def _migrate(self, name: str) -> batch.Job:
        migrating = self._kong("migrate", ["bash", "-euc", MIGRATE])
        return self._work(name, f"{NAME}-migrate", [], migrating, [], list(self._args.database.after), MIGRATE)

    def _finish(self, name: str, deployment: apps.Deployment) -> None:
        finishing = self._kong("finish", ["kong", "migrations", "finish"])
        self._work(name, f"{NAME}-finish", [], finishing, [], [deployment])

    def _configure(
        self, name: str, configuration: core.ConfigMap, stated: pulumi.Output[str], deployment: apps.Deployment
    ) -> None:
        administrating = self._kong(
            "kong",
            ["kong", "docker-start"],
            {**administration(), "KONG_PROXY_LISTEN": "off"},
            # Stays until decK has ended, and is ended then.
            restart_policy="Always",
            startup_probe=core.ProbeArgs(
                exec_=core.ExecActionArgs(command=["kong", "health", "--prefix", PREFIX]),
                period_seconds=2,
                timeout_seconds=5,
                failure_threshold=60,
            ),
        )
        deck = core.ContainerArgs(
            name="deck",
            image=image("deck"),
            args=["gateway", "sync", f"{CONFIGURATION}/kong.yml", "--kong-addr", f"http://127.0.0.1:{ADMIN_PORT}"],
            env=environment_of({"DECK_ANALYTICS": "off"}),
            resources=resources(50, 128),
            security_context=container_security(),
            volume_mounts=[read_only("configuration", CONFIGURATION)],
        )
        volumes = [from_config_map("configuration", configuration)]
        self._work(name, f"{NAME}-configure", [administrating], deck, volumes, [deployment], stated)

    def _work(
        self,
        name: str,
        job_name: str,
        before: Sequence[core.ContainerArgs],
        last: core.ContainerArgs,
        volumes: Sequence[core.VolumeArgs],
        after: Sequence[pulumi.Resource],
        with_what: pulumi.Input[str] = "",
    ) -> batch.Job:
        """Do something with the database once, and again for another release, another database or another input."""
        database = self._args.database
        pod = Pod(
            WORK,
            user=USER,
            account=self._account,
            init=before,
            containers=[last],
            volumes=[*self._volumes(), *volumes],
            restart="OnFailure",
        )
        named = pulumi.Output.all(database.host, database.username, with_what).apply(
            lambda given: f"{job_name}-{digest(image('kong'), image('deck'), *map(str, given))[:10]}"
        )
        return job(name, named, pod, self._args.place, pulumi.ResourceOptions(parent=self, depends_on=list(after)))

    def _deploy(self, name: str, migrated: batch.Job) -> apps.Deployment:
        settings = self._args.settings

        alive = core.HTTPGetActionArgs(path=ALIVE, port=METRICS)
        included = core.ConfigMap(
            f"{name}-gateway-status",
            metadata=about(NAME, self._args.place, "-status"),
            data={"status.conf": STATUS},
            opts=pulumi.ResourceOptions(parent=self),
        )
        bodies = core.VolumeArgs(
            name="bodies",
            empty_dir=core.EmptyDirVolumeSourceArgs(medium="Memory", size_limit=f"{settings.memory_mib // 4}Mi"),
        )
        kong = self._kong(
            "kong",
            ["kong", "docker-start"],
            {**environment(settings), "KONG_NGINX_STATUS_INCLUDE": f"{INCLUDED}/status.conf"},
            mounts=[read_only("status", INCLUDED), writable("bodies", BODIES)],
            ports=[
                core.ContainerPortArgs(name="proxy", container_port=PROXY_PORT),
                core.ContainerPortArgs(name="proxy-tls", container_port=PROXY_TLS_PORT),
                core.ContainerPortArgs(name=METRICS, container_port=STATUS_PORT),
            ],
            startup_probe=probe(alive, 2, 60),
            readiness_probe=probe(alive, 5, 2),
            liveness_probe=probe(alive, 10, 6),
            lifecycle=core.LifecycleArgs(
                pre_stop=core.LifecycleHandlerArgs(sleep=core.SleepActionArgs(seconds=self._args.notice_seconds))
            ),
        )
        pod = Pod(
            NAME,
            user=USER,
            account=self._account,
            containers=[kong],
            volumes=[*self._volumes(), from_config_map("status", included), bodies],
            configured_by={"status": digest(STATUS)},
            stop_seconds=self._args.notice_seconds + STOP_SECONDS,
            spread=True,
        )
        delay = self._args.notice_seconds if settings.update_delay_seconds is None else settings.update_delay_seconds
        serving = Serving(settings.copies, delay, deadline_seconds=600)
        # It refuses to start on tables of another release.
        later = pulumi.ResourceOptions(parent=self, depends_on=[migrated])
        return serve(f"{name}-gateway", serving, pod, self._args.place, later)

    def _kong(
        self,
        name: str,
        command: list[str],
        variables: Mapping[str, str] | None = None,
        mounts: Sequence[core.VolumeMountArgs] = (),
        **further: object,
    ) -> core.ContainerArgs:
        database, settings = self._args.database, self._args.settings
        stated: dict[str, pulumi.Input[str]] = {
            **everywhere(DATABASE, database.username),
            **(variables or {}),
            "KONG_PG_HOST": database.host,
            "KONG_PG_PORT": pulumi.Output.from_input(database.port).apply(str),
            "KONG_PG_PASSWORD_FILE": f"{LOGIN}/password",
        }
        mounted = [
            *mounts,
            read_only("login", LOGIN),
            writable("run", PREFIX),
            writable("temporary", "/tmp"),  # noqa: S108 - a volume of the pod's own
        ]
        if database.authorities:
            stated["KONG_PG_SSL"] = stated["KONG_PG_SSL_REQUIRED"] = stated["KONG_PG_SSL_VERIFY"] = "on"
            stated["KONG_LUA_SSL_TRUSTED_CERTIFICATE"] = f"{AUTHORITIES}/bundle.pem"
            mounted.append(read_only("authorities", AUTHORITIES))
        return core.ContainerArgs(
            name=name,
            image=image("kong"),
            args=command,
            env=environment_of(stated),
            resources=resources(settings.cpu_request_millis, settings.memory_mib),
            security_context=container_security(),
            volume_mounts=mounted,
            **further,  # type: ignore[arg-type]
        )

    def _volumes(self) -> list[core.VolumeArgs]:
        volumes = [self._args.database.login, scratch("run", 256), scratch("temporary", 64)]
        if self._args.database.authorities:
            volumes.append(self._args.database.authorities)
        return volumes
