"""The cache in the cluster."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.exporters import exporter
from components.workload.hardening import container_security
from components.workload.login import Login, SignIn, keeper, rotating_login, secret_of, wait_until_accepted
from components.workload.pods import (
    Place,
    Pod,
    about,
    account_of,
    digest,
    from_config_map,
    from_secret,
    host_of,
    probe,
    read_only,
    resources,
    writable,
)
from components.workload.stateful import Keeping, keep
from settings.cache import CacheSettings

core = kubernetes.core.v1

NAME = "auterity-cache"
"""Name of the StatefulSet and of all that belongs to it."""

PORT = 6379
"""TCP port, reached from inside the cluster alone."""

METRICS_PORT = 9121
"""TCP port of the figures."""

USER = 999
"""User of the process in Valkey's image."""

USERNAME = "app"
"""Name of the user as which workloads sign in."""

SIGN_IN = (
    'REDISCLI_AUTH="$(cat "$0/password")" exec valkey-cli -e -h "$CACHE_HOST" -p "$CACHE_PORT" '
    '--user "$(cat "$0/username")" ping'
)
"""Finds out whether a login is accepted; the password stands on no command line."""

CONFIGURATION, USERS, DATA = "/etc/valkey", "/etc/valkey-users", "/data"

HEADROOM = 1.5
"""Memory of the container over what is for data: copies while a snapshot is written, buffers of clients."""


@dataclass(frozen=True)
class ClusterCacheArgs:
    """What the cache needs to know.

    Attributes:
        settings: the stack's ``cache`` section.
        place: where it runs.
    """

    settings: CacheSettings
    place: Place


class ClusterCache(pulumi.ComponentResource):
    """One Valkey with a volume: what it holds survives a restart, and is read by signed-in users alone."""

    host: pulumi.Output[str]
    """Host name inside the cluster."""

    port: int
    """TCP port; plain, since no packet leaves the cluster and network policies say who may connect."""

    username: str
    """Name of the workloads' user."""

    login: Login
    """The workloads' login."""

    def __init__(self, name: str, args: ClusterCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:ClusterCache", name, None, opts)
        own, place = pulumi.ResourceOptions(parent=self), args.place
        account = account_of(f"{name}-cache", NAME, place, own)
        version = args.settings.password_version
        login = rotating_login(
            f"{name}-cache", f"{name}-cache-login", NAME, "-login", (USERNAME, USERNAME), version, place, own
        )
        accepted = pulumi.Output.all(*[one.password for one in login.known]).apply(access_list)
        users = secret_of(f"{name}-cache-users", NAME, "-users", place, {"users.acl": accepted}, own)
        configuration = core.ConfigMap(
            f"{name}-cache",
            metadata=about(NAME, place),
            data={"valkey.conf": server_configuration(args.settings)},
            opts=own,
        )
        pod = Pod(
            NAME,
            user=USER,
            account=account,
            init=[self._keeper()],
            containers=[self._server(args.settings), self._exporter()],
            volumes=[from_config_map("configuration", configuration), from_secret("users", users)],
            # Read at the start alone.
            configured_by={"configuration": digest(server_configuration(args.settings))},
        )
        keeping = Keeping({"valkey": PORT}, args.settings.in_cluster.storage_gib)
        self.host = host_of(keep(f"{name}-cache", keeping, pod, place, own))
        self.port = PORT
        self.username = USERNAME
        environment: dict[str, pulumi.Input[str]] = {"CACHE_HOST": self.host, "CACHE_PORT": str(PORT)}
        sign_in = SignIn(image("valkey"), USER, "sh", SIGN_IN, environment)
        after = wait_until_accepted(f"{name}-cache-login", NAME, version, [login], sign_in, account, place, own)
        self.login = dataclasses.replace(login, accepted=after)
        self.register_outputs(
            {"host": self.host, "port": self.port, "username": self.username, "login": self.login.secret}
        )

    def _keeper(self) -> core.ContainerArgs:
        # A user that may do nothing else, with any password. Clients stay connected (Valkey, `ACL LOAD`).
        load = ["valkey-cli", "-e", "--user", "keeper", "--pass", "any", "--no-auth-warning", "acl", "load"]
        return keeper(image("valkey"), f"{USERS}/*", load, [read_only("users", USERS)])

    def _exporter(self) -> core.ContainerArgs:
        # A user that may ask for figures and nothing else, with any password.
        where = {"REDIS_ADDR": f"redis://127.0.0.1:{PORT}", "REDIS_USER": "metrics", "REDIS_PASSWORD": "any"}
        # It would ask for the configuration, which the user may not see.
        return exporter(image("valkey-exporter"), METRICS_PORT, {**where, "REDIS_EXPORTER_CONFIG_COMMAND": "-"})

    def _server(self, settings: CacheSettings) -> core.ContainerArgs:
        ping = core.ExecActionArgs(
            # A user that may do nothing else, with any password; an error of the server is one of the command (-e).
            command=["valkey-cli", "-e", "--user", "probe", "--pass", "any", "--no-auth-warning", "ping"]
        )
        return core.ContainerArgs(
            name="valkey",
            image=image("valkey"),
            command=["valkey-server", f"{CONFIGURATION}/valkey.conf"],
            ports=[core.ContainerPortArgs(name="valkey", container_port=PORT)],
            resources=resources(100, int(settings.in_cluster.memory_mib * HEADROOM)),
            # It reads its data first: as long as it has to.
            startup_probe=probe(ping, 5, 60),
            readiness_probe=probe(ping, 5, 2),
            liveness_probe=probe(ping, 10, 6),
            security_context=container_security(),
            volume_mounts=[
                read_only("configuration", CONFIGURATION),
                read_only("users", USERS),
                writable("data", DATA),
            ],
        )


def server_configuration(settings: CacheSettings) -> str:
    """Write the server's configuration (https://valkey.io/topics/valkey.conf/); it holds no secret."""
    lines = {
        "bind": "* -::*",
        "port": str(PORT),
        # Users, and network policies, say who gets in.
        "protected-mode": "no",
        "aclfile": f"{USERS}/users.acl",
        "dir": DATA,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory": f"{settings.in_cluster.memory_mib}mb",
        "maxmemory-policy": settings.eviction,
        "loglevel": "notice",
        **settings.parameters,
    }
    return "".join(f"{key} {value}\n" for key, value in lines.items())


def access_list(passwords: Sequence[str]) -> str:
    """Write the users (https://valkey.io/topics/acl/): the workloads', some that may do one thing, nobody by default.

    Args:
        passwords: the workloads', each of which is accepted; the server is told their digests alone.
    """
    digests = " ".join(f"#{hashlib.sha256(password.encode()).hexdigest()}" for password in passwords)
    return (
        "user default off\n"
        f"user {USERNAME} on {digests} ~* &* +@all -@dangerous +info\n"
        "user probe on nopass -@all +ping\n"
        "user keeper on nopass -@all +acl|load\n"
        "user metrics on nopass -@all +ping +info +latency|latest +latency|histogram +slowlog|len +slowlog|get\n"
    )
