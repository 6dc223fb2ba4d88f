"""Where the platform keeps its data: database, cache, queue and objects, each reachable from named clients only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.access import WorkloadAccess
from components.bucket import request_log
from components.cache import ManagedCache, ManagedCacheArgs
from components.cluster import EksCluster
from components.database import RdsPostgres, RdsPostgresArgs
from components.database_proxy import RdsProxy, RdsProxyArgs
from components.messaging import APP_USERNAME, RabbitBroker, RabbitBrokerArgs
from components.network import Vpc
from components.passwords import versions_in_use
from components.secrets import Login, Secrets, SecretsArgs, StoredLogin
from components.storage import ObjectStorage, ObjectStorageArgs
from components.workload.database_configuration import READER
from components.workload.login import in_turns
from composition.ground import Ground
from settings import (
    CacheSettings,
    DatabaseProxySettings,
    DatabaseSettings,
    MessagingSettings,
    StackSettings,
    StorageSettings,
)

Clients = Mapping[str, pulumi.Input[str]]
"""Who may connect: a name for each source, to the id of its security group."""


CACHE, BROKER, APP_USER = "cache", "messaging", "messaging-app"
MASTER, APP_ROLE, BACKUP_ROLE = "database-master", "database-app", "database-backup"
"""What the logins are for: the broker's administrator and the app there, the database's master user and its clients."""


@dataclass(frozen=True)
class Stores:
    """The stores that AWS manages; None for one that the stack has not, or has in its cluster.

    Attributes:
        logins: what a login is for to the login; for one that RDS manages there is none.
    """

    database: RdsPostgres | None
    proxy: RdsProxy | None
    cache: ManagedCache | None
    broker: RabbitBroker | None
    storage: ObjectStorage | None
    logins: Mapping[str, StoredLogin] = field(default_factory=dict)

    @property
    def app_roles(self) -> list[StoredLogin]:
        """Logins of the app in the database, the one in use first; none where no cluster is that makes its role."""
        return in_use(self.logins, APP_ROLE)

    @property
    def backup_roles(self) -> list[StoredLogin]:
        """Logins by which backups read the database, the one in use first."""
        return in_use(self.logins, BACKUP_ROLE)

    @property
    def app_users(self) -> list[StoredLogin]:
        """Logins of the app in the broker, the one in use first; none where no cluster is that makes its user."""
        return in_use(self.logins, APP_USER)


def taking_turns(purpose: str, username: str, version: int) -> dict[str, Login]:
    """Name the logins of a client to what each is for: each version's in use, and the one's before it.

    Odd and even versions have a user and a secret each, so that the login before stays good and readable for those that
    still have it.
    """
    return {
        (purpose, f"{purpose}-alternate")[number % 2 == 0]: Login(in_turns(username)[number % 2 == 0], number)
        for number in versions_in_use(version)
    }


def in_use(logins: Mapping[str, StoredLogin], purpose: str) -> list[StoredLogin]:
    """Return a client's logins, the one in use first."""
    return [login for each, login in logins.items() if each in (purpose, f"{purpose}-alternate")]


def make_stores(
    ground: Ground, settings: StackSettings, vpc: Vpc, access: WorkloadAccess, cluster: EksCluster | None
) -> Stores:
    """Make the stores that the settings want managed by AWS, for tasks on ECS and for pods."""
    clients: dict[str, pulumi.Input[str]] = {"ecs": access.security_group_id}
    if cluster:
        clients["kubernetes"] = cluster.security_group_id
    logins = make_logins(ground, settings, in_cluster=cluster is not None)
    database, proxy = None, None
    if settings.database and settings.database.managed:
        # Where there is a pool, it alone comes to the database, and pods: what makes the roles, the gateway, backups.
        by_itself = {name: group for name, group in clients.items() if name == "kubernetes"}
        direct: Clients = by_itself if settings.database_proxy else clients
        database = make_database(ground, settings.database, vpc, direct, logins.get(MASTER))
    if database and settings.database_proxy:
        proxy = make_proxy(ground, settings.database_proxy, vpc, database, clients, in_use(logins, APP_ROLE))
    cache, broker = None, None
    if settings.cache and settings.cache.managed:
        cache = make_cache(ground, settings.cache, vpc, clients, logins[CACHE])
    if settings.messaging and settings.messaging.managed:
        broker = make_broker(ground, settings.messaging, vpc, clients, logins[BROKER])
    storage = make_storage(ground, settings.storage, vpc) if settings.storage else None
    return Stores(database, proxy, cache, broker, storage, logins)


def make_logins(ground: Ground, settings: StackSettings, *, in_cluster: bool) -> Mapping[str, StoredLogin]:
    """Make the logins that the stores' clients read from Secrets Manager.

    Args:
        ground: providers, account, prefix of names.
        settings: the stack's.
        in_cluster: whether there is a cluster, for the Jobs that make the clients' own roles and users.
    """
    database = settings.database if settings.database and settings.database.managed else None
    messaging = settings.messaging if settings.messaging and settings.messaging.managed else None
    wanted: dict[str, Login] = {}
    if settings.cache and settings.cache.managed:
        wanted[CACHE] = ManagedCache.login(settings.cache)
    if messaging:
        wanted[BROKER] = RabbitBroker.login(messaging)
    if messaging and in_cluster:
        wanted |= taking_turns(APP_USER, APP_USERNAME, messaging.app_password_version)
    if database and database.master_password == "stack":  # noqa: S105 - who makes it
        wanted[MASTER] = Login(database.username, database.master_password_version)
    if database and in_cluster:
        wanted |= taking_turns(APP_ROLE, database.app_username, database.password_version)
        if settings.backup:
            wanted |= taking_turns(BACKUP_ROLE, READER, database.password_version)
    if not wanted:
        return {}
    return Secrets(ground.name, SecretsArgs(settings.secrets, ground.account, wanted), ground.opts).logins


def make_database(
    ground: Ground, settings: DatabaseSettings, vpc: Vpc, clients: Clients, master: StoredLogin | None
) -> RdsPostgres:
    """Make the PostgreSQL database; RDS keeps its master password, or the stack does."""
    database = RdsPostgres(
        ground.name,
        RdsPostgresArgs(
            settings,
            ground.account,
            vpc_id=vpc.vpc_id,
            subnet_ids=vpc.database_subnet_ids,
            log_key_arn=ground.log_key_arn,
            clients=clients,
            master=master,
        ),
        ground.opts,
    )
    pulumi.export("database_endpoint", database.endpoint)
    pulumi.export("database_secret_arn", database.master_secret.arn)
    return database


def make_proxy(
    ground: Ground,
    settings: DatabaseProxySettings,
    vpc: Vpc,
    database: RdsPostgres,
    clients: Clients,
    app: Sequence[StoredLogin],
) -> RdsProxy:
    """Put a pool of connections before the database, for the app's role alone."""
    through = [login.reference for login in app]
    if settings.let_master_in or not through:
        through.append(database.master_secret)
    proxy = RdsProxy(
        ground.name,
        RdsProxyArgs(
            settings,
            ground.account,
            database,
            logins=through,
            vpc_id=vpc.vpc_id,
            subnet_ids=vpc.private_subnet_ids,
            log_key_arn=ground.log_key_arn,
            clients=clients,
        ),
        ground.opts,
    )
    pulumi.export("database_proxy_endpoint", proxy.endpoint)
    return proxy


def make_cache(ground: Ground, settings: CacheSettings, vpc: Vpc, clients: Clients, login: StoredLogin) -> ManagedCache:
    """Make the cache."""
    cache = ManagedCache(
        ground.name,
        ManagedCacheArgs(
            settings,
            ground.account,
            vpc_id=vpc.vpc_id,
            subnet_ids=vpc.private_subnet_ids,
            log_key_arn=ground.log_key_arn,
            login=login,
            clients=clients,
        ),
        ground.opts,
    )
    pulumi.export("cache_address", cache.address)
    pulumi.export("cache_secret_arn", cache.secret.arn)
    return cache


def make_broker(
    ground: Ground, settings: MessagingSettings, vpc: Vpc, clients: Clients, login: StoredLogin
) -> RabbitBroker:
    """Make the queue; pods, which have one security group, make its users and export its definitions."""
    broker = RabbitBroker(
        ground.name,
        RabbitBrokerArgs(
            settings,
            ground.account,
            vpc_id=vpc.vpc_id,
            subnet_ids=vpc.private_subnet_ids,
            login=login,
            clients=clients,
            administrators={who: group for who, group in clients.items() if who == "kubernetes"},
        ),
        ground.opts,
    )
    pulumi.export("messaging_endpoint", broker.endpoint)
    pulumi.export("messaging_secret_arn", broker.secret.arn)
    return broker


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
