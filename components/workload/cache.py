"""The cache in the cluster."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.exporters import exporter
from components.workload.hardening import container_security
from components.workload.login import login_of, password_of, secret_of
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

    login: pulumi.Output[str]
    """Name of the Secret with ``username`` and ``password``."""

    def __init__(self, name: str, args: ClusterCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:ClusterCache", name, None, opts)
        own, place = pulumi.ResourceOptions(parent=self), args.place
        password = password_of(f"{name}-cache", args.settings.password_version, own)
        login = login_of(f"{name}-cache-login", NAME, USERNAME, password, place, own)
        known = {"users.acl": password.apply(access_list)}
        users = secret_of(f"{name}-cache-users", NAME, "-users", place, known, own)
        configuration = core.ConfigMap(
            f"{name}-cache",
            metadata=about(NAME, place),
            data={"valkey.conf": server_configuration(args.settings)},
            opts=own,
        )
        pod = Pod(
            NAME,
            user=USER,
            account=account_of(f"{name}-cache", NAME, place, own),
            containers=[self._server(args.settings), self._exporter()],
            volumes=[from_config_map("configuration", configuration), from_secret("users", users)],
            # Both are read at the start alone.
            configured_by={
                "configuration": digest(server_configuration(args.settings)),
                "password": str(args.settings.password_version),
            },
        )
        keeping = Keeping({"valkey": PORT}, args.settings.in_cluster.storage_gib)
        self.host = host_of(keep(f"{name}-cache", keeping, pod, place, own))
        self.port = PORT
        self.username = USERNAME
        self.login = login
        self.register_outputs({"host": self.host, "port": self.port, "username": self.username, "login": self.login})

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


def access_list(password: str) -> str:
    """Write the users (https://valkey.io/topics/acl/): the workloads', one for probes, and nobody by default.

    Args:
        password: the workloads', of which the server is told the digest alone.
    """
    digest = hashlib.sha256(password.encode()).hexdigest()
    return (
        "user default off\n"
        f"user {USERNAME} on #{digest} ~* &* +@all -@dangerous +info\n"
        "user probe on nopass -@all +ping\n"
        "user metrics on nopass -@all +ping +info +latency|latest +latency|histogram +slowlog|len +slowlog|get\n"
    )
