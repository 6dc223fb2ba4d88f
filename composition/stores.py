"""Where the platform keeps its data: database, cache and queue, each reachable from named clients only."""

from __future__ import annotations

import pulumi

from components.cache import ManagedCache, ManagedCacheArgs
from components.database import RdsPostgres, RdsPostgresArgs
from components.messaging import RabbitBroker, RabbitBrokerArgs
from components.network import Vpc
from components.secrets import Login, Secrets, SecretsArgs
from composition.ground import Ground
from settings import DatabaseSettings, StackSettings


def make_stores(ground: Ground, settings: StackSettings, vpc: Vpc) -> None:
    """Make the stores that the settings want managed by AWS."""
    if settings.database:
        make_database(ground, settings.database, vpc)
    make_cache_and_queue(ground, settings, vpc)


def make_database(ground: Ground, settings: DatabaseSettings, vpc: Vpc) -> None:
    """Make the PostgreSQL database; RDS keeps its password."""
    database = RdsPostgres(
        ground.name,
        RdsPostgresArgs(
            settings,
            ground.account,
            vpc_id=vpc.vpc_id,
            subnet_ids=vpc.database_subnet_ids,
            log_key_arn=ground.log_key_arn,
            clients={},
        ),
        ground.opts,
    )
    pulumi.export("database_endpoint", database.endpoint)
    pulumi.export("database_secret_arn", database.master_secret_arn)


def make_cache_and_queue(ground: Ground, settings: StackSettings, vpc: Vpc) -> None:
    """Make the cache and the queue with the logins that their clients read from Secrets Manager."""
    cache = settings.cache if settings.cache and settings.cache.managed else None
    messaging = settings.messaging if settings.messaging and settings.messaging.managed else None
    logins: dict[str, Login] = {}
    if cache:
        logins["cache"] = ManagedCache.login(cache)
    if messaging:
        logins["messaging"] = RabbitBroker.login(messaging)
    if not logins:
        return
    secrets = Secrets(ground.name, SecretsArgs(settings.secrets, ground.account, logins), ground.opts)
    if cache:
        managed_cache = ManagedCache(
            ground.name,
            ManagedCacheArgs(
                cache,
                ground.account,
                vpc_id=vpc.vpc_id,
                subnet_ids=vpc.private_subnet_ids,
                log_key_arn=ground.log_key_arn,
                login=secrets.logins["cache"],
                clients={},
            ),
            ground.opts,
        )
        pulumi.export("cache_address", managed_cache.address)
        pulumi.export("cache_secret_arn", managed_cache.secret.arn)
    if messaging:
        broker = RabbitBroker(
            ground.name,
            RabbitBrokerArgs(
                messaging,
                ground.account,
                vpc_id=vpc.vpc_id,
                subnet_ids=vpc.private_subnet_ids,
                login=secrets.logins["messaging"],
                clients={},
            ),
            ground.opts,
        )
        pulumi.export("messaging_endpoint", broker.endpoint)
        pulumi.export("messaging_secret_arn", broker.secret.arn)
