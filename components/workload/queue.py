"""The message broker in the cluster."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.images import image
from components.workload.exporters import METRICS
from components.workload.hardening import container_security
from components.workload.login import (
    Login,
    SignIn,
    in_turns,
    keeper,
    password_of,
    rotating_login,
    secret_of,
    wait_until_accepted,
)
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

LIMITS = "/tmp/limits"  # noqa: S108 - a volume of the pod's own
"""Directory of what is configured by what the volume really holds."""

PREPARE = f"""\
umask 077
rm -f {DATA}/.erlang.cookie
cp {COOKIE}/cookie {DATA}/.erlang.cookie
chmod 0400 {DATA}/.erlang.cookie
mkdir -p {LIMITS}
set -- $(stat -f -c '%b %S' {DATA})
echo "disk_free_limit.absolute = $(($1 * $2 / 10))" > {LIMITS}/disk.conf
"""
"""Publishers wait once a tenth of the volume is left, before it is full and nothing can be saved: of the one that is
there, which may have grown, or not yet.
"""

PLUGINS = "[rabbitmq_prometheus].\n"
"""What is switched on; the management interface is not."""

DELIVERY_LIMIT = 20
"""Deliveries after which a message that nobody takes is dropped or dead-lettered: RabbitMQ 4's own default, stated."""

STOP_SECONDS = 120
"""Seconds for queues to be handed over and closed."""

KEEPER_MEMORY_MIB = 256
"""MiB that RabbitMQ's command may take for the seconds that it runs: an Erlang virtual machine of its own."""

TAKE_OVER = f"rabbitmqctl --quiet await_startup; rabbitmqctl --quiet import_definitions {DEFINITIONS}/definitions.json"
"""Has a node that runs import its definitions anew."""

SIGN_IN = r"""
user=$(cat "$0/username") password=$(cat "$0/password")
exec 3<>"/dev/tcp/$QUEUE_HOST/$QUEUE_PORT"
# A frame's class and method, in decimal.
method() {
  set -- $(head -c 7 <&3 | od -An -v -tu1)
  set -- $(head -c $((($4 << 24) + ($5 << 16) + ($6 << 8) + $7 + 1)) <&3 | od -An -v -tu1)
  echo "$2.$4"
}
byte() { printf "\\x$(printf %02x "$1")"; }
response=$((${#user} + ${#password} + 2))
printf 'AMQP\0\0\11\1' >&3
[ "$(method)" = 10.10 ] || exit 1
{
  printf '\1\0\0\0\0\0'; byte $((response + 24))
  printf '\0\12\0\13\0\0\0\0\5PLAIN\0\0\0'; byte "$response"
  printf '\0%s\0%s\5en_US\316' "$user" "$password"
} >&3
[ "$(method)" = 10.30 ]
"""
"""Finds out whether a login is accepted: the first frames of AMQP 0-9-1 (specification, 4.2 and 'connection'), up to
where a broker that accepts it goes on to tune the connection (10.30). No client of AMQP is in the image.
"""


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
    """Name of the workloads' user in the version in use."""

    login: Login
    """The workloads' login."""

    def __init__(self, name: str, args: ClusterQueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:workload:ClusterQueue", name, None, opts)
        settings, place, own = args.settings, args.place, pulumi.ResourceOptions(parent=self)
        account = account_of(f"{name}-queue", NAME, place, own)
        version = settings.password_version
        login = rotating_login(
            f"{name}-queue", f"{name}-queue-login", NAME, "-login", in_turns(USERNAME), version, place, own
        )
        accepted = {one.username: one.password for one in login.known}
        stated_users = {"definitions.json": pulumi.Output.all(**accepted).apply(definitions)}
        defined = secret_of(f"{name}-queue-definitions", NAME, "-definitions", place, stated_users, own)
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
            account=account,
            init=[self._prepare(), self._keeper()],
            containers=[self._server(settings)],
            volumes=[
                from_config_map("configuration", configuration),
                from_secret("definitions", defined),
                from_secret("cookie", cookie),
                scratch("temporary", 16),
            ],
            configured_by={"configuration": stated.apply(lambda text: digest(text, PLUGINS))},
            stop_seconds=STOP_SECONDS,
            spread=several,
        )
        ports = {"amqp": PORT, METRICS: METRICS_PORT}
        keeping = Keeping(ports, settings.in_cluster.storage_gib, settings.in_cluster.nodes, together=True)
        self.host = host_of(keep(f"{name}-queue", keeping, pod, place, own))
        self.port = PORT
        self.username = login.username
        environment: dict[str, pulumi.Input[str]] = {"QUEUE_HOST": self.host, "QUEUE_PORT": str(PORT)}
        sign_in = SignIn(image("rabbitmq"), USER, "bash", SIGN_IN, environment)
        after = wait_until_accepted(f"{name}-queue-login", NAME, version, [login], sign_in, account, place, own)
        self.login = dataclasses.replace(login, accepted=after)
        self.register_outputs(
            {"host": self.host, "port": self.port, "username": self.username, "login": self.login.secret}
        )

    def _keeper(self) -> core.ContainerArgs:
        """Import the definitions when they are others; connections that stand are not cut."""
        mounts = [
            read_only("definitions", DEFINITIONS),
            # The cookie by which the command and the node know each other.
            read_only("data", DATA),
            writable("temporary", "/tmp"),  # noqa: S108 - a volume of the pod's own
        ]
        taking_over = ["sh", "-ec", TAKE_OVER]
        return keeper(image("rabbitmq"), f"{DEFINITIONS}/*", taking_over, mounts, node_name(), KEEPER_MEMORY_MIB)

    def _prepare(self) -> core.ContainerArgs:
        """Put the cookie where Erlang looks for it, readable by its owner alone, as Erlang wants it, and measure."""
        return core.ContainerArgs(
            name="prepare",
            image=image("rabbitmq"),
            command=["sh", "-ec", PREPARE],
            resources=resources(10, 32),
            security_context=container_security(),
            volume_mounts=[
                read_only("cookie", COOKIE),
                writable("data", DATA),
                writable("temporary", "/tmp"),  # noqa: S108 - a volume of the pod's own
            ],
        )

    def _server(self, settings: MessagingSettings) -> core.ContainerArgs:
        # The listener is the last thing that a node opens; a command of RabbitMQ's own takes a second of CPU.
        listens = core.TCPSocketActionArgs(port="amqp")
        return core.ContainerArgs(
            name="rabbitmq",
            image=image("rabbitmq"),
            env=[
                *node_name(),
                *environment_of(
                    {
                        "RABBITMQ_CONFIG_FILE": f"{CONFIGURATION}/rabbitmq.conf",
                        "RABBITMQ_CONFIG_FILES": LIMITS,
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


def node_name() -> list[core.EnvVarArgs]:
    """Tell a process in a node's pod the node's name."""
    named = {
        "RABBITMQ_USE_LONGNAME": "true",
        "RABBITMQ_NODENAME": f"rabbit@$(POD_NAME).{NAME}.$(POD_NAMESPACE).svc",
    }
    return [*own_name(), *environment_of(named)]


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


def salted(password: str) -> str:
    """Write what the broker keeps of a password (https://www.rabbitmq.com/docs/passwords)."""
    # Another salt for another password, and the same one for the same: else each deployment would find a change.
    salt = hashlib.sha256(f"salt of {password}".encode()).digest()[:4]
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def definitions(passwords: Mapping[str, str]) -> str:
    """Write the users, rights and policies (https://www.rabbitmq.com/docs/definitions); with them comes no guest.

    Args:
        passwords: name of each of the workloads' users to its password, of which the server is told the salted digest
            alone.
    """
    return json.dumps(
        {
            "vhosts": [{"name": "/", "default_queue_type": "quorum"}],
            "users": [
                {
                    "name": username,
                    "password_hash": salted(password),
                    "hashing_algorithm": "rabbit_password_hashing_sha256",
                    "tags": [],
                }
                for username, password in passwords.items()
            ],
            "permissions": [
                {"user": username, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
                for username in passwords
            ],
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
