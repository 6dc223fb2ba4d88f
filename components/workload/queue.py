"""The message broker in the cluster."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.exporters import METRICS
from components.workload.hardening import container_security
from components.workload.login import login_of, password_of, secret_of
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
    own_name,
    probe,
    read_only,
    resources,
    scratch,
    writable,
)
from components.workload.stateful import Keeping, keep
from settings.messaging import MessagingSettings

core = kubernetes.core.v1

NAME = "auterity-queue"
"""Name of the StatefulSet and of all that belongs to it."""

PORT, METRICS_PORT = 5672, 15692
"""TCP ports: AMQP, reached from inside the cluster alone, and the figures that RabbitMQ itself shows to Prometheus."""

NODE_PORTS = (4369, 25672)
"""TCP ports between nodes: Erlang's port mapper, and the nodes' own connections."""

USER = 999
"""User ``rabbitmq`` in the image."""

USERNAME = "auterity"
"""Name of the user as which workloads sign in; as documented."""

CONFIGURATION, DEFINITIONS, COOKIE, DATA = (
    "/etc/auterity",
    "/run/secrets/definitions",
    "/run/secrets/cookie",
    "/var/lib/rabbitmq",
)

PLUGINS = "[rabbitmq_prometheus].\n"
"""What is switched on; the management interface is not."""

DELIVERY_LIMIT = 20
"""Deliveries after which a message that nobody takes is dropped or dead-lettered: RabbitMQ 4's own default, stated."""

STOP_SECONDS = 120
"""Seconds for queues to be handed over and closed."""


@dataclass(frozen=True)
class ClusterQueueArgs:
    """What the broker needs to know.

    Attributes:
        settings: the stack's ``messaging`` section.
        place: where it runs.
    """

    settings: MessagingSettings
    place: Place


class ClusterQueue(pulumi.ComponentResource):
    """One RabbitMQ node or three, with quorum queues, one user and no management interface."""

    host: pulumi.Output[str]
    """Host name inside the cluster."""

    port: int
    """TCP port of AMQP; plain, since no packet leaves the cluster and network policies say who may connect."""

    username: str
    """Name of the workloads' user."""

    login: pulumi.Output[str]
    """Name of the Secret with ``username`` and ``password``."""

    def __init__(self, name: str, args: ClusterQueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:ClusterQueue", name, None, opts)
        settings, place, own = args.settings, args.place, pulumi.ResourceOptions(parent=self)
        password = password_of(f"{name}-queue", settings.password_version, own)
        login = login_of(f"{name}-queue-login", NAME, USERNAME, password, place, own)
        defined = secret_of(
            f"{name}-queue-definitions",
            NAME,
            "-definitions",
            place,
            {"definitions.json": password.apply(definitions)},
            own,
        )
        # Nodes, and the commands beside them, know each other by it; it never changes.
        known = password_of(f"{name}-queue-cookie", 1, own)
        cookie = secret_of(f"{name}-queue-cookie", NAME, "-cookie", place, {"cookie": known}, own)
        stated = pulumi.Output.from_input(place.namespace).apply(lambda space: server_configuration(settings, space))
        files: dict[str, pulumi.Input[str]] = {"rabbitmq.conf": stated, "enabled_plugins": PLUGINS}
        configuration = core.ConfigMap(f"{name}-queue", metadata=about(NAME, place), data=files, opts=own)
        several = settings.in_cluster.nodes > 1
        pod = Pod(
            NAME,
            user=USER,
            account=account_of(f"{name}-queue", NAME, place, own),
            init=[self._prepare()],
            containers=[self._server(settings)],
            volumes=[
                from_config_map("configuration", configuration),
                from_secret("definitions", defined),
                from_secret("cookie", cookie),
                scratch("temporary", 16),
            ],
            configured_by={
                "configuration": stated.apply(lambda text: digest(text, PLUGINS)),
                "password": str(settings.password_version),
            },
            stop_seconds=STOP_SECONDS,
            spread=several,
        )
        ports = {"amqp": PORT, METRICS: METRICS_PORT}
        keeping = Keeping(ports, settings.in_cluster.storage_gib, settings.in_cluster.nodes, together=several)
        self.host = host_of(keep(f"{name}-queue", keeping, pod, place, own))
        self.port = PORT
        self.username = USERNAME
        self.login = login
        self.register_outputs({"host": self.host, "port": self.port, "username": self.username, "login": self.login})

    def _prepare(self) -> core.ContainerArgs:
        """Put the cookie where Erlang looks for it, readable by its owner alone, as Erlang wants it."""
        target = f"{DATA}/.erlang.cookie"
        return core.ContainerArgs(
            name="prepare",
            image=image("rabbitmq"),
            command=["sh", "-ec", f"umask 077; rm -f {target}; cp {COOKIE}/cookie {target}; chmod 0400 {target}"],
            resources=resources(10, 32),
            security_context=container_security(),
            volume_mounts=[read_only("cookie", COOKIE), writable("data", DATA)],
        )

    def _server(self, settings: MessagingSettings) -> core.ContainerArgs:
        # The listener is the last thing that a node opens; a command of RabbitMQ's own takes a second of CPU.
        listens = core.TCPSocketActionArgs(port="amqp")
        return core.ContainerArgs(
            name="rabbitmq",
            image=image("rabbitmq"),
            env=[
                *own_name(),
                *environment_of(
                    {
                        "RABBITMQ_USE_LONGNAME": "true",
                        "RABBITMQ_NODENAME": f"rabbit@$(POD_NAME).{NAME}.$(POD_NAMESPACE).svc",
                        "RABBITMQ_CONFIG_FILE": f"{CONFIGURATION}/rabbitmq.conf",
                        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{CONFIGURATION}/enabled_plugins",
                    }
                ),
            ],
            ports=[
                core.ContainerPortArgs(name="amqp", container_port=PORT),
                core.ContainerPortArgs(name=METRICS, container_port=METRICS_PORT),
            ],
            resources=resources(settings.in_cluster.cpu_request_millis, settings.in_cluster.memory_mib),
            startup_probe=probe(listens, 5, 120),
            readiness_probe=probe(listens, 5, 3),
            liveness_probe=probe(listens, 15, 8),
            security_context=container_security(),
            volume_mounts=[
                read_only("configuration", CONFIGURATION),
                read_only("definitions", DEFINITIONS),
                writable("data", DATA),
                writable("temporary", "/tmp"),  # noqa: S108 - a volume of the pod's own
            ],
        )


def server_configuration(settings: MessagingSettings, namespace: str) -> str:
    """Write ``rabbitmq.conf`` (https://www.rabbitmq.com/docs/configure); it holds no secret.

    Args:
        settings: the stack's ``messaging`` section.
        namespace: where the nodes look for each other.
    """
    size = settings.in_cluster
    lines: dict[str, str | int] = {
        "listeners.tcp.default": PORT,
        "prometheus.tcp.port": METRICS_PORT,
        # Publishers wait from there on; the rest is for what messages need while they pass.
        "vm_memory_high_watermark.absolute": f"{size.memory_mib * 6 // 10}MB",
        # A tenth of the volume, before it is full and nothing can be saved.
        "disk_free_limit.absolute": f"{size.storage_gib * 1000 // 10}MB",
        "heartbeat": settings.heartbeat_seconds,
        "consumer_timeout": settings.consumer_timeout_ms or 2_147_483_647,
        "definitions.import_backend": "local_filesystem",
        "definitions.local.path": f"{DEFINITIONS}/definitions.json",
        "log.console": "true",
        "log.console.level": "info",
        "log.console.formatter": "json",
    }
    if size.nodes > 1:
        formation = "cluster_formation"
        lines[f"{formation}.peer_discovery_backend"] = "classic_config"
        for number in range(size.nodes):
            lines[f"{formation}.classic_config.nodes.{number + 1}"] = f"rabbit@{NAME}-{number}.{NAME}.{namespace}.svc"
    return "".join(f"{key} = {value}\n" for key, value in lines.items())


def definitions(password: str) -> str:
    """Write the users, rights and policies (https://www.rabbitmq.com/docs/definitions); with them comes no guest.

    Args:
        password: the workloads', of which the server is told the salted digest alone.
    """
    # Another salt for another password, and the same one for the same: else each deployment would find a change.
    salt = hashlib.sha256(f"salt of {password}".encode()).digest()[:4]
    salted = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    return json.dumps(
        {
            "vhosts": [{"name": "/", "default_queue_type": "quorum"}],
            "users": [
                {
                    "name": USERNAME,
                    "password_hash": salted,
                    "hashing_algorithm": "rabbit_password_hashing_sha256",
                    "tags": [],
                }
            ],
            "permissions": [{"user": USERNAME, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
            "policies": [
                {
                    "vhost": "/",
                    "name": "quorum",
                    "pattern": ".*",
                    "apply-to": "queues",
                    "definition": {"delivery-limit": DELIVERY_LIMIT},
                    "priority": 0,
                }
            ],
        },
        indent=2,
    )
