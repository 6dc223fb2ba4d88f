"""The cache in the cluster."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from components.secrets import PASSWORD_LENGTH
from components.workload.hardening import container_security, pod_security
from components.workload.labels import labels, selector
from settings.cache import CacheSettings

apps = kubernetes.apps.v1
core = kubernetes.core.v1
meta = kubernetes.meta.v1
policy = kubernetes.policy.v1

NAME = "auterity-cache"
"""Name of the StatefulSet and of all that belongs to it."""

IMAGE = "valkey/valkey:9.0.8"
"""Valkey's own image (https://valkey.io/download/releases/v9-0-8/)."""

PORT = 6379
"""TCP port, reached from inside the cluster alone."""

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
        namespace: where it runs.
        priority_class: name of its priority class.
    """

    settings: CacheSettings
    namespace: pulumi.Input[str]
    priority_class: pulumi.Input[str]


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
        own = pulumi.ResourceOptions(parent=self)
        about = meta.ObjectMetaArgs(name=NAME, namespace=args.namespace, labels=labels(NAME))
        generated = random.RandomPassword(
            f"{name}-cache-password-v{args.settings.password_version}", length=PASSWORD_LENGTH, special=False, opts=own
        )
        password: pulumi.Output[str] = pulumi.Output.secret(generated.result)
        login = core.Secret(
            f"{name}-cache-login",
            metadata=meta.ObjectMetaArgs(name=f"{NAME}-login", namespace=args.namespace, labels=labels(NAME)),
            string_data={"username": USERNAME, "password": password},
            opts=own,
        )
        users = core.Secret(
            f"{name}-cache-users",
            metadata=meta.ObjectMetaArgs(name=f"{NAME}-users", namespace=args.namespace, labels=labels(NAME)),
            string_data={"users.acl": password.apply(access_list)},
            opts=own,
        )
        configuration = core.ConfigMap(
            f"{name}-cache", metadata=about, data={"valkey.conf": server_configuration(args.settings)}, opts=own
        )
        account = core.ServiceAccount(f"{name}-cache", metadata=about, automount_service_account_token=False, opts=own)
        service = core.Service(
            f"{name}-cache",
            metadata=about,
            spec=core.ServiceSpecArgs(
                cluster_ip="None",
                selector=selector(NAME),
                ports=[core.ServicePortArgs(name="valkey", port=PORT, target_port="valkey")],
            ),
            opts=own,
        )
        apps.StatefulSet(
            f"{name}-cache",
            metadata=about,
            spec=apps.StatefulSetSpecArgs(
                replicas=1,
                service_name=service.metadata.name,
                selector=meta.LabelSelectorArgs(match_labels=selector(NAME)),
                template=self._pod(args, account, configuration, users),
                volume_claim_templates=[
                    core.PersistentVolumeClaimArgs(
                        metadata=meta.ObjectMetaArgs(name="data"),
                        spec=core.PersistentVolumeClaimSpecArgs(
                            access_modes=["ReadWriteOnce"],
                            resources=core.VolumeResourceRequirementsArgs(
                                requests={"storage": f"{args.settings.in_cluster.storage_gib}Gi"}
                            ),
                        ),
                    )
                ],
            ),
            opts=own,
        )
        policy.PodDisruptionBudget(
            f"{name}-cache",
            metadata=about,
            spec=policy.PodDisruptionBudgetSpecArgs(
                # The only one: it may go where a node is emptied, and comes back with its volume.
                max_unavailable=1,
                selector=meta.LabelSelectorArgs(match_labels=selector(NAME)),
            ),
            opts=own,
        )
        self.host = pulumi.Output.concat(service.metadata.name, ".", service.metadata.namespace, ".svc")
        self.port = PORT
        self.username = USERNAME
        self.login = login.metadata.apply(lambda metadata: metadata.name or "")
        self.register_outputs({"host": self.host, "port": self.port, "username": self.username, "login": self.login})

    def _pod(
        self,
        args: ClusterCacheArgs,
        account: core.ServiceAccount,
        configuration: core.ConfigMap,
        users: core.Secret,
    ) -> core.PodTemplateSpecArgs:
        megabytes = int(args.settings.in_cluster.memory_mib * HEADROOM)
        ping = core.ExecActionArgs(
            # A user that may do nothing else, with any password; an error of the server is one of the command (-e).
            command=["valkey-cli", "-e", "--user", "probe", "--pass", "any", "--no-auth-warning", "ping"]
        )

        def probe(period: int, failures: int) -> core.ProbeArgs:
            return core.ProbeArgs(exec_=ping, period_seconds=period, timeout_seconds=3, failure_threshold=failures)

        container = core.ContainerArgs(
            name="valkey",
            image=IMAGE,
            command=["valkey-server", f"{CONFIGURATION}/valkey.conf"],
            ports=[core.ContainerPortArgs(name="valkey", container_port=PORT)],
            resources=core.ResourceRequirementsArgs(
                requests={"cpu": "100m", "memory": f"{megabytes}Mi"}, limits={"memory": f"{megabytes}Mi"}
            ),
            # It reads its data first: as long as it has to.
            startup_probe=probe(5, 60),
            readiness_probe=probe(5, 2),
            liveness_probe=probe(10, 6),
            security_context=container_security(),
            volume_mounts=[
                core.VolumeMountArgs(name="configuration", mount_path=CONFIGURATION, read_only=True),
                core.VolumeMountArgs(name="users", mount_path=USERS, read_only=True),
                core.VolumeMountArgs(name="data", mount_path=DATA),
            ],
        )
        return core.PodTemplateSpecArgs(
            # Both are read at the start alone.
            metadata=meta.ObjectMetaArgs(
                labels=labels(NAME),
                annotations={
                    "auterity/configuration": hashlib.sha256(server_configuration(args.settings).encode()).hexdigest(),
                    "auterity/password": str(args.settings.password_version),
                },
            ),
            spec=core.PodSpecArgs(
                service_account_name=account.metadata.name,
                automount_service_account_token=False,
                enable_service_links=False,
                priority_class_name=args.priority_class,
                security_context=pod_security(USER),
                containers=[container],
                volumes=[
                    core.VolumeArgs(
                        name="configuration",
                        config_map=core.ConfigMapVolumeSourceArgs(name=configuration.metadata.name),
                    ),
                    core.VolumeArgs(name="users", secret=core.SecretVolumeSourceArgs(secret_name=users.metadata.name)),
                ],
            ),
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
    )
