"""The app on AWS: its image, what it is told of the stores, what it may do with them, and its service on ECS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.access import WorkloadAccess
from components.account import AwsAccount
from components.cache import PORT as CACHE_PORT
from components.cache import ManagedCache
from components.database import PORT as DATABASE_PORT
from components.database import RdsPostgres
from components.database_proxy import RdsProxy
from components.ecs import EcsCluster
from components.edge import Edge
from components.iam import Statement
from components.image import AppImage, AppImageArgs
from components.messaging import PORT as BROKER_PORT
from components.messaging import RabbitBroker
from components.network import Vpc
from components.secrets import SecretKey, StoredLogin
from components.service import Destination, EcsService, EcsServiceArgs, ServedBy
from components.storage import ObjectStorage, may_use
from composition.ground import Ground
from composition.stores import Stores
from settings import AppSettings, EdgeSettings, ImageSettings

AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""Where the app's image keeps the certificate authorities that everybody trusts, Amazon's among them."""


@dataclass(frozen=True)
class Wiring:
    """How the app reaches its stores.

    Attributes:
        environment: environment variables that are no secret.
        secrets: environment variable to the secret that it gets.
        destinations: name of a store to its security group and port.
        permissions: what the app may do in AWS.
    """

    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    secrets: Mapping[str, SecretKey] = field(default_factory=dict)
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    permissions: tuple[Statement, ...] = ()

    def __add__(self, other: Wiring) -> Wiring:
        return Wiring(
            {**self.environment, **other.environment},
            {**self.secrets, **other.secrets},
            {**self.destinations, **other.destinations},
            (*self.permissions, *other.permissions),
        )


def to_database(database: RdsPostgres, proxy: RdsProxy | None, logins: Sequence[StoredLogin], ca_file: str) -> Wiring:
    """Connect as the app's own role, through the proxy where there is one.

    Where no cluster is that could make the role, the app is the master user.
    """
    secret = logins[0].reference if logins else database.master_secret
    return Wiring(
        environment={
            "DATABASE_HOST": proxy.endpoint if proxy else database.address,
            "DATABASE_PORT": database.port.apply(str),
            "DATABASE_NAME": database.database_name,
            "DATABASE_USER": logins[0].username if logins else database.username,
            "DATABASE_SSLMODE": "verify-full",
            "DATABASE_CA_FILE": AUTHORITIES if proxy else ca_file,
        },
        secrets={"DATABASE_PASSWORD": SecretKey(secret, "password")},
        destinations={"postgres": Destination((proxy or database).security_group_id, DATABASE_PORT)},
    )


def to_cache(cache: ManagedCache) -> Wiring:
    """Connect to the primary as the workloads' user."""
    return Wiring(
        environment={
            "REDIS_HOST": cache.address,
            "REDIS_PORT": cache.port.apply(str),
            "REDIS_USERNAME": cache.username,
            "REDIS_TLS": "true",
        },
        secrets={"REDIS_PASSWORD": SecretKey(cache.secret, "password")},
        destinations={"cache": Destination(cache.security_group_id, CACHE_PORT)},
    )


def to_broker(broker: RabbitBroker, logins: Sequence[StoredLogin]) -> Wiring:
    """Connect to the broker as the app's own user; as the first one where no cluster is that could make another."""
    return Wiring(
        environment={
            "RABBITMQ_HOST": broker.host,
            "RABBITMQ_PORT": broker.port.apply(str),
            "RABBITMQ_USERNAME": logins[0].username if logins else broker.username,
            "RABBITMQ_TLS": "true",
        },
        secrets={"RABBITMQ_PASSWORD": SecretKey(logins[0].reference if logins else broker.secret, "password")},
        destinations={"rabbitmq": Destination(broker.security_group_id, BROKER_PORT)},
    )


def to_storage(storage: ObjectStorage, account: AwsAccount) -> Wiring:
    """Use the bucket by the role of the task: no key is handed over."""
    return Wiring(
        environment={"STORAGE_BUCKET": storage.bucket, "AWS_REGION": account.region},
        permissions=may_use(storage, account),
    )


def wire(stores: Stores, settings: AppSettings, account: AwsAccount) -> Wiring:
    """Tell the app of all stores that there are."""
    wiring = Wiring()
    if stores.database:
        wiring += to_database(stores.database, stores.proxy, stores.app_roles, settings.database_ca_file)
    if stores.cache:
        wiring += to_cache(stores.cache)
    if stores.broker:
        wiring += to_broker(stores.broker, stores.app_users)
    if stores.storage:
        wiring += to_storage(stores.storage, account)
    return wiring


def build_image(ground: Ground, settings: ImageSettings, app: AppSettings) -> AppImage:
    """Build the app's image and push it, or take the one that the settings name."""
    image = AppImage(ground.name, AppImageArgs(settings, ground.account, app.architecture), ground.opts)
    pulumi.export("app_image", image.reference)
    return image


def serve_on_ecs(
    ground: Ground,
    app: AppSettings,
    image: AppImage,
    vpc: Vpc,
    access: WorkloadAccess,
    stores: Stores,
    cluster: EcsCluster,
    edge: Edge | None,
    edge_settings: EdgeSettings | None,
    after: Sequence[pulumi.Resource] = (),
) -> EcsService:
    """Run the app on ECS, behind the edge where there is one, once what makes its logins has."""
    wiring = wire(stores, app, ground.account)
    service = EcsService(
        ground.name,
        EcsServiceArgs(
            app,
            ground.account,
            cluster,
            subnet_ids=vpc.private_subnet_ids,
            security_group_id=access.security_group_id,
            log_key_arn=ground.log_key_arn,
            image=image.reference,
            repository_arn=image.repository_arn,
            environment=wiring.environment,
            secrets=wiring.secrets,
            destinations=wiring.destinations,
            permissions=wiring.permissions,
            served_by=ServedBy(
                edge.target_group_arns["ecs"], edge.target_group_arn_suffixes["ecs"], edge.load_balancer_arn_suffix
            )
            if edge
            else None,
            idle_timeout_seconds=edge_settings.idle_timeout_seconds if edge_settings else 60,
            alarm_topic_arn=ground.alarm_topic_arn,
            # A target group that no listener forwards to cannot be a service's; a subnet's route may come late.
            after=[vpc, *([edge] if edge else []), *after],
        ),
        ground.opts,
    )
    pulumi.export("app_service", service.service_name)
    return service
