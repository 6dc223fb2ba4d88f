"""The workload in a cluster on EKS: what it has in AWS, and how the public edge reaches it."""

from __future__ import annotations

from collections.abc import Mapping
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
    BrokerUsers,
    BrokerUsersArgs,
    DatabaseRoles,
    DatabaseRolesArgs,
    Endpoint,
    Flow,
    KmsSeal,
    MountedSecrets,
    MountedSecretsArgs,
    TargetGroupBinding,
    TargetGroupBindingArgs,
    Vault,
)
from components.workload import app as the_app
from components.workload import broker_users as the_broker_users
from components.workload import database_roles as the_database_roles
from components.workload import gateway as the_gateway
from components.workload import vault as the_vault
from components.workload.database_configuration import READER
from components.workload.gateway_configuration import PROXY_PORT
from components.workload.login import Known
from composition.app import Wiring
from composition.app import wire as wire_managed
from composition.backup import back_up, backup_flows
from composition.endpoints import (
    ANYWHERE,
    APP,
    BROKER_USERS,
    DATABASE_ROLES,
    GATEWAY,
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


def run_on_eks(around: Surroundings, settings: StackSettings, app: AppSettings) -> list[pulumi.Resource]:
    """Run the app and what it needs in the cluster, and join the edge to it.

    Returns:
        What makes the logins by which the app signs in to the stores, wherever it runs.
    """
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
    roles = make_database_roles(around, floor, settings)
    users = make_broker_users(around, floor, settings)
    logins: list[pulumi.Resource] = [made.made for made in (roles, users) if made]
    wired = wire(stores, settings) + to_vault(vault) + wire_outside(around, floor, wiring, opts) + Wired(after=logins)
    made = run_app(floor, settings, app, around.image, wired)
    tasks = find_tasks(around, settings, app)
    watching = watch_over(floor, settings, app, vault, log_storage(around, settings), tasks)
    push_url = watching.push_url if watching else None
    back_up(around.ground, around.cluster, floor, settings, around.stores, stores, roles, push_url, vault)
    database = gateway_database(stores.database) if stores.database else roles.gateway if roles else None
    if not settings.gateway or not database:
        return logins
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
    return logins


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
    if around.stores.database:
        port = (("TCP", wiring.destinations["postgres"].port),)
        kong = {"gateway": GATEWAY, "gateway-work": GATEWAY_WORK} if settings.gateway else {}
        parts = {**kong, "gateway-database": DATABASE_ROLES}
        wanted += [Flow(f"{part}-postgres", endpoint, network, port) for part, endpoint in parts.items()]
    if around.stores.broker:
        wanted += [
            Flow("queue-users-identity", BROKER_USERS, IDENTITY, (("TCP", 80),)),
            Flow("queue-users-queue", BROKER_USERS, network, HTTPS),
        ]
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


def fetched(
    around: Surroundings, floor: Floor, name: str, workload: str, files: Mapping[str, SecretKey]
) -> tuple[MountedSecrets, list[pulumi.Resource]]:
    """Let a Job fetch secrets as files; return them, and what must stand before it starts."""
    statements = read_by_driver(around, [key.secret for key in files.values()])
    identity = PodIdentity(
        f"{around.ground.name}-{workload.removeprefix('auterity-')}",
        PodIdentityArgs(around.ground.account, around.cluster.cluster_name, NAMESPACE, workload, statements),
        around.ground.opts,
    )
    mounted = MountedSecrets(
        f"{around.ground.name}-{name}",
        MountedSecretsArgs(workload, floor.critical, around.ground.account.region, files),
        floor.opts,
    )
    return mounted, [identity, mounted]


def make_database_roles(around: Surroundings, floor: Floor, settings: StackSettings) -> DatabaseRoles | None:
    """Make a role and a database for each client of the server on RDS; None where there is none."""
    server, wanted, gateway = around.stores.database, settings.database, settings.gateway
    if server is None or wanted is None:
        return None
    clients = {wanted.app_username: around.stores.app_roles, READER: around.stores.backup_roles}
    mounted, after = fetched(
        around,
        floor,
        "gateway-master",
        the_database_roles.NAME,
        {"password": SecretKey(server.master_secret, "password")},
    )
    return DatabaseRoles(
        around.ground.name,
        DatabaseRolesArgs(
            floor.critical,
            host=server.address,
            port=server.port,
            master=wanted.username,
            master_login=mounted.volume("master"),
            authorities=regional()[around.ground.account.region],
            database=wanted.name,
            owner=wanted.app_username,
            known={
                role: [Known(login.username, login.passwords[0]) for login in logins]
                for role, logins in clients.items()
                if logins
            },
            backups=settings.backup is not None,
            version=wanted.password_version,
            gateway_version=gateway.password_version if gateway else None,
            after=after,
        ),
        floor.opts,
    )


def make_broker_users(around: Surroundings, floor: Floor, settings: StackSettings) -> BrokerUsers | None:
    """Make the app's user in the broker on Amazon MQ; None where there is none."""
    broker, wanted = around.stores.broker, settings.messaging
    if broker is None or wanted is None:
        return None
    logins = around.stores.app_users
    files = {
        the_broker_users.ADMINISTRATOR_FILE: SecretKey(broker.secret, "password"),
        **{f"{the_broker_users.USERS}{login.username}": SecretKey(login.reference, "password") for login in logins},
    }
    mounted, after = fetched(around, floor, "queue-users", the_broker_users.NAME, files)
    return BrokerUsers(
        around.ground.name,
        BrokerUsersArgs(
            floor.critical,
            url=broker.console_url,
            administrator=broker.username,
            users=[login.username for login in logins],
            logins=mounted.volume("logins"),
            version=wanted.app_password_version,
            after=after,
        ),
        floor.opts,
    )
