"""The workload in a cluster on EKS: what it has in AWS, and how the public edge reaches it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.access import WorkloadAccess
from components.cluster import AutoMode, AutoModeArgs, EksCluster, PodIdentity, PodIdentityArgs
from components.ecs import EcsCluster
from components.edge import Edge
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.iam import Statement
from components.network import Vpc
from components.observability.tasks import WatchedTasks, WatchedTasksArgs
from components.registry import PullThroughCache, PullThroughCacheArgs
from components.secrets import SecretKey, SecretReference, may_read
from components.workload import (
    Endpoint,
    Flow,
    GatewayDatabase,
    KmsSeal,
    ManagedGatewayDatabase,
    ManagedGatewayDatabaseArgs,
    MountedSecrets,
    MountedSecretsArgs,
    TargetGroupBinding,
    TargetGroupBindingArgs,
    Vault,
)
from components.workload import app as the_app
from components.workload import gateway as the_gateway
from components.workload import gateway_database as the_gateway_database
from components.workload import vault as the_vault
from components.workload.gateway_configuration import PROXY_PORT
from composition.app import Wiring
from composition.app import wire as wire_managed
from composition.backup import back_up, backup_flows
from composition.endpoints import (
    ANYWHERE,
    APP,
    GATEWAY,
    GATEWAY_DATABASE,
    GATEWAY_WORK,
    IDENTITY,
    LOKI,
    NAMESPACE,
    PROMETHEUS,
    VAULT,
)
from composition.ground import Ground
from composition.logs import store_logs
from composition.observability import LogStorage
from composition.stores import Stores
from composition.workload import (
    ClusterStores,
    Floor,
    Wired,
    gateway_database,
    lay_floor,
    make_cluster_stores,
    run_app,
    run_gateway,
    run_vault,
    to_vault,
    watch_over,
    wire,
)
from settings import AppSettings, StackSettings, VaultSettings
from settings.authorities import regional

HTTPS = (("TCP", 443),)

SECRETS = "aws"
"""What the app's logins in Secrets Manager are called in the cluster."""


@dataclass(frozen=True)
class Surroundings:
    """What stands around the cluster.

    Attributes:
        ground: providers, account, prefix of names.
        cluster: the cluster.
        vpc: its network.
        stores: the stores that AWS manages.
        edge: the public load balancer, if there is one.
        image: the app's image.
        access: network identity of the app's tasks on ECS.
        ecs: their cluster; None where there are none.
    """

    ground: Ground
    cluster: EksCluster
    vpc: Vpc
    stores: Stores
    edge: Edge | None
    image: pulumi.Input[str]
    access: WorkloadAccess
    ecs: EcsCluster | None


def run_on_eks(around: Surroundings, settings: StackSettings, app: AppSettings) -> None:
    """Run the app and what it needs in the cluster, and join the edge to it."""
    name, opts = around.ground.name, around.ground.opts
    inside = pulumi.ResourceOptions(provider=around.cluster.provider)
    ready = AutoMode(name, AutoModeArgs(app.architecture), inside)
    wiring = wire_managed(around.stores, app, around.ground.account)
    floor = lay_floor(
        name,
        settings,
        app,
        around.cluster.provider,
        outside_flows(around, settings, app, wiring),
        [ready],
        cache_images(around, settings),
    )
    stores = make_cluster_stores(floor, settings)
    vault = run_sealed_vault(around, floor, settings.vault) if settings.vault else None
    wired = wire(stores, settings) + to_vault(vault) + wire_outside(around, floor, wiring, opts)
    made = run_app(floor, settings, app, around.image, wired)
    tasks = find_tasks(around, settings, app)
    watching = watch_over(floor, settings, app, vault, log_storage(around, settings), tasks)
    database = find_gateway_database(around, floor, settings, stores)
    push_url = watching.push_url if watching else None
    back_up(around.ground, around.cluster, floor, settings, around.stores, stores, database, push_url, vault)
    if not settings.gateway or not database:
        return
    noticed = settings.edge.health_check.notice_seconds if settings.edge else the_gateway.NOTICE_SECONDS
    gateway = run_gateway(floor, settings.gateway, database, made, noticed)
    if around.edge:
        binding = TargetGroupBindingArgs(
            the_gateway.NAME,
            floor.critical,
            gateway.service,
            gateway.port,
            around.edge.target_group_arns["kubernetes"],
            # The check goes by a route, which waits for the first pods; later ones wait for the check.
            after=[gateway],
        )
        TargetGroupBinding(name, binding, floor.opts)


def outside_flows(around: Surroundings, settings: StackSettings, app: AppSettings, wiring: Wiring) -> list[Flow]:
    """List the connections between pods and what is outside the cluster.

    Addresses in the VPC change; who is meant there, security groups say.
    """
    network = Endpoint(None, blocks=(around.vpc.cidr_block,))
    wanted = [
        Flow(name, APP, network, (("TCP", destination.port),)) for name, destination in wiring.destinations.items()
    ]
    if wiring.permissions:
        wanted += [Flow("identity", APP, IDENTITY, (("TCP", 80),)), Flow("aws", APP, ANYWHERE, HTTPS)]
    if settings.vault:
        wanted.append(Flow("vault-identity", VAULT, IDENTITY, (("TCP", 80),)))
    if settings.observability and settings.observability.logs.object_storage:
        wanted += [Flow("log-identity", LOKI, IDENTITY, (("TCP", 80),)), Flow("log-storage", LOKI, ANYWHERE, HTTPS)]
    if settings.gateway and around.stores.database:
        port = (("TCP", wiring.destinations["postgres"].port),)
        parts = {"gateway": GATEWAY, "gateway-work": GATEWAY_WORK, "gateway-database": GATEWAY_DATABASE}
        wanted += [Flow(f"{part}-postgres", endpoint, network, port) for part, endpoint in parts.items()]
    if settings.observability and around.ecs:
        wanted += [
            Flow("metrics-identity", PROMETHEUS, IDENTITY, (("TCP", 80),)),
            Flow("tasks", PROMETHEUS, network, (("TCP", app.port),)),
        ]
    wanted += backup_flows(settings, network)
    if settings.gateway and around.edge:
        wanted.append(Flow("edge", network, GATEWAY, (("TCP", PROXY_PORT),)))
    return wanted


def wire_outside(around: Surroundings, floor: Floor, wiring: Wiring, opts: pulumi.ResourceOptions) -> Wired:
    """Give the app its rights in AWS, and its passwords as files that follow their rotation."""
    name, account = around.ground.name, around.ground.account
    references = list(dict.fromkeys(key.secret for key in wiring.secrets.values()))
    statements = [*wiring.permissions, *read_by_driver(around, references)]
    if not statements:
        return Wired(wiring.environment)
    identity = PodIdentity(
        f"{name}-app-pods",
        PodIdentityArgs(account, around.cluster.cluster_name, NAMESPACE, the_app.NAME, statements),
        opts,
    )
    if not wiring.secrets:
        return Wired(wiring.environment, after=[identity])
    mounted = MountedSecrets(
        f"{name}-app-secrets",
        MountedSecretsArgs(the_app.NAME, floor.normal, account.region, wiring.secrets),
        floor.opts,
    )
    files = {f"{variable}_FILE": f"{the_app.LOGINS}/{SECRETS}/{variable}" for variable in wiring.secrets}
    return Wired({**wiring.environment, **files}, {SECRETS: mounted.volume(SECRETS)}, after=[identity, mounted])


def read_by_driver(around: Surroundings, references: list[SecretReference]) -> list[Statement]:
    """Let a pod's identity fetch secrets; the driver asks for their versions, too, to see a rotation."""
    if not references:
        return []
    versions = Statement(
        sid="DescribeSecrets",
        actions=["secretsmanager:DescribeSecret"],
        resources=[reference.arn for reference in references],
    )
    return [*may_read(around.ground.account, *references), versions]


def find_tasks(around: Surroundings, settings: StackSettings, app: AppSettings) -> WatchedTasks | None:
    """Let the app's tasks on ECS be watched, too, where there are any."""
    if not around.ecs or not settings.observability:
        return None
    args = WatchedTasksArgs(
        around.ground.account,
        watching_cluster=around.cluster.cluster_name,
        watching_group_id=around.cluster.security_group_id,
        cluster_arn=around.ecs.arn,
        group_id=around.access.security_group_id,
        job=the_app.NAME,
        service=f"{around.ground.name}-app",
        port=app.port,
    )
    return WatchedTasks(around.ground.name, args, around.ground.opts)


def cache_images(around: Surroundings, settings: StackSettings) -> dict[str, pulumi.Output[str]]:
    """Let ECR stand for the public registries, where the settings want that."""
    if not settings.registry or not settings.registry.pull_through_cache:
        return {}
    args = PullThroughCacheArgs(
        settings.registry.pull_through_cache,
        around.ground.account,
        prefix=pulumi.get_stack(),
        node_role_name=around.cluster.node_role_name,
    )
    return PullThroughCache(around.ground.name, args, around.ground.opts).mirrors


def log_storage(around: Surroundings, settings: StackSettings) -> LogStorage | None:
    """Make room for the logs outside the cluster, where the settings want that."""
    if not settings.observability or not settings.observability.logs.object_storage:
        return None
    return store_logs(around.ground, around.cluster, force_destroy=settings.observability.logs.force_destroy)


def find_gateway_database(
    around: Surroundings, floor: Floor, settings: StackSettings, stores: ClusterStores
) -> GatewayDatabase | None:
    """Return the gateway's database, in the cluster or on the platform's server; None without a gateway."""
    if not settings.gateway:
        return None
    if stores.database:
        return gateway_database(stores.database)
    return managed_gateway_database(around, floor, settings.gateway.password_version)


def run_sealed_vault(around: Surroundings, floor: Floor, settings: VaultSettings) -> Vault:
    """Run Vault, which opens itself by a key of the stack's."""
    name, account = around.ground.name, around.ground.account
    key = EncryptionKey(f"{name}-vault", EncryptionKeyArgs(account, purpose="opening Vault"), around.ground.opts)
    opens = Statement(sid="OpenVault", actions=["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"], resources=[key.arn])
    identity = PodIdentity(
        f"{name}-vault",
        PodIdentityArgs(account, around.cluster.cluster_name, NAMESPACE, the_vault.NAME, [opens]),
        around.ground.opts,
    )
    seal = key.arn.apply(lambda arn: KmsSeal(arn, account.region))
    return run_vault(floor, settings, seal, [identity])


def managed_gateway_database(around: Surroundings, floor: Floor, password_version: int) -> GatewayDatabase:
    """Make Kong's database on the platform's server."""
    server = around.stores.database
    if server is None:
        raise ValueError("a gateway has a database, in the cluster or on RDS: the settings say so")
    name, account = around.ground.name, around.ground.account
    master = SecretReference(server.master_secret_arn, server.key_arn)
    identity = PodIdentity(
        f"{name}-gateway-database",
        PodIdentityArgs(
            account,
            around.cluster.cluster_name,
            NAMESPACE,
            the_gateway_database.NAME,
            read_by_driver(around, [master]),
        ),
        around.ground.opts,
    )
    mounted = MountedSecrets(
        f"{name}-gateway-master",
        MountedSecretsArgs(
            the_gateway_database.NAME, floor.critical, account.region, {"password": SecretKey(master, "password")}
        ),
        floor.opts,
    )
    return ManagedGatewayDatabase(
        name,
        ManagedGatewayDatabaseArgs(
            floor.critical,
            host=server.address,
            port=server.port,
            master=server.username,
            master_login=mounted.volume("master"),
            authorities=regional()[account.region],
            password_version=password_version,
            after=[identity, mounted],
        ),
        floor.opts,
    ).database
