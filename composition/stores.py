"""Where the platform keeps its data: database, cache, queue and objects, each reachable from named clients only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.access import WorkloadAccess
from components.bucket import request_log
from components.cache import ManagedCache, ManagedCacheArgs
from components.cluster import EksCluster
from components.database import RdsPostgres, RdsPostgresArgs
from components.database_proxy import RdsProxy, RdsProxyArgs
from components.messaging import RabbitBroker, RabbitBrokerArgs
from components.network import Vpc
from components.secrets import Login, Secrets, SecretsArgs
from components.storage import ObjectStorage, ObjectStorageArgs
from composition.ground import Ground
from settings import DatabaseProxySettings, DatabaseSettings, StackSettings, StorageSettings

Clients = Mapping[str, pulumi.Input[str]]
"""Who may connect: a name for each source, to the id of its security group."""


@dataclass(frozen=True)
class Stores:
    """The stores that AWS manages; None for one that the stack has not, or has in its cluster."""

    database: RdsPostgres | None
    proxy: RdsProxy | None
    cache: ManagedCache | None
    broker: RabbitBroker | None
    storage: ObjectStorage | None


def make_stores(
    ground: Ground, settings: StackSettings, vpc: Vpc, access: WorkloadAccess, cluster: EksCluster | None
) -> Stores:
    """Make the stores that the settings want managed by AWS, for tasks on ECS and for pods."""
    clients: dict[str, pulumi.Input[str]] = {"ecs": access.security_group_id}
    if cluster:
        clients["kubernetes"] = cluster.security_group_id
    database, proxy = None, None
    if settings.database and settings.database.managed:
        # Where there is a pool, it alone comes to the database, and the gateway, whose user the pool does not know.
        by_itself = {name: group for name, group in clients.items() if name == "kubernetes" and settings.gateway}
        direct: Clients = by_itself if settings.database_proxy else clients
        database = make_database(ground, settings.database, vpc, direct)
    if database and settings.database_proxy:
        proxy = make_proxy(ground, settings.database_proxy, vpc, database, clients)
    cache, broker = make_cache_and_queue(ground, settings, vpc, clients)
    storage = make_storage(ground, settings.storage, vpc) if settings.storage else None
    return Stores(database, proxy, cache, broker, storage)


def make_database(ground: Ground, settings: DatabaseSettings, vpc: Vpc, clients: Clients) -> RdsPostgres:
    """Make the PostgreSQL database; RDS keeps its password."""
    database = RdsPostgres(
        ground.name,
        RdsPostgresArgs(
            settings,
            ground.account,
            vpc_id=vpc.vpc_id,
            subnet_ids=vpc.database_subnet_ids,
            log_key_arn=ground.log_key_arn,
            clients=clients,
        ),
        ground.opts,
    )
    pulumi.export("database_endpoint", database.endpoint)
    pulumi.export("database_secret_arn", database.master_secret_arn)
    return database


def make_proxy(
    ground: Ground, settings: DatabaseProxySettings, vpc: Vpc, database: RdsPostgres, clients: Clients
) -> RdsProxy:
    """Put a pool of connections before the database."""
    proxy = RdsProxy(
        ground.name,
        RdsProxyArgs(
            settings,
            ground.account,
            database,
            vpc_id=vpc.vpc_id,
            subnet_ids=vpc.private_subnet_ids,
            log_key_arn=ground.log_key_arn,
            clients=clients,
        ),
        ground.opts,
    )
    pulumi.export("database_proxy_endpoint", proxy.endpoint)
    return proxy


def make_cache_and_queue(
    ground: Ground, settings: StackSettings, vpc: Vpc, clients: Clients
) -> tuple[ManagedCache | None, RabbitBroker | None]:
    """Make the cache and the queue with the logins that their clients read from Secrets Manager."""
    cache_settings = settings.cache if settings.cache and settings.cache.managed else None
    broker_settings = settings.messaging if settings.messaging and settings.messaging.managed else None
    logins: dict[str, Login] = {}
    if cache_settings:
        logins["cache"] = ManagedCache.login(cache_settings)
    if broker_settings:
        logins["messaging"] = RabbitBroker.login(broker_settings)
    if not logins:
        return None, None
    secrets = Secrets(ground.name, SecretsArgs(settings.secrets, ground.account, logins), ground.opts)
    cache, broker = None, None
    if cache_settings:
        cache = ManagedCache(
            ground.name,
            ManagedCacheArgs(
                cache_settings,
                ground.account,
                vpc_id=vpc.vpc_id,
                subnet_ids=vpc.private_subnet_ids,
                log_key_arn=ground.log_key_arn,
                login=secrets.logins["cache"],
                clients=clients,
            ),
            ground.opts,
        )
        pulumi.export("cache_address", cache.address)
        pulumi.export("cache_secret_arn", cache.secret.arn)
    if broker_settings:
        # The pods of the backup, which have the security group of all pods, export its definitions.
        exported = settings.backup is not None and settings.backup.rabbitmq_definitions
        administrators = {who: group for who, group in clients.items() if who == "kubernetes" and exported}
        broker = RabbitBroker(
            ground.name,
            RabbitBrokerArgs(
                broker_settings,
                ground.account,
                vpc_id=vpc.vpc_id,
                subnet_ids=vpc.private_subnet_ids,
                login=secrets.logins["messaging"],
                clients=clients,
                administrators=administrators,
            ),
            ground.opts,
        )
        pulumi.export("messaging_endpoint", broker.endpoint)
        pulumi.export("messaging_secret_arn", broker.secret.arn)
    return cache, broker


def make_storage(ground: Ground, settings: StorageSettings, vpc: Vpc) -> ObjectStorage:
    """Make the app's bucket, and one that holds the log of every request to it."""
    log = request_log(
        f"{ground.name}-objects",
        "the objects of the app",
        ground.account,
        ground.opts,
        force_destroy=settings.force_destroy,
    )
    storage = ObjectStorage(
        ground.name,
        ObjectStorageArgs(settings, ground.account, endpoint_id=vpc.s3_endpoint_id, access_log_bucket=log.bucket_ready),
        ground.opts,
    )
    pulumi.export("storage_bucket", storage.bucket)
    return storage
