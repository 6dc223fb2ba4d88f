"""The app on ECS: what it is told of the stores, and what it may do with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.cache import PORT as CACHE_PORT
from components.cache import ManagedCache
from components.database import PORT as DATABASE_PORT
from components.database import RdsPostgres
from components.iam import Statement
from components.messaging import PORT as BROKER_PORT
from components.messaging import RabbitBroker
from components.secrets import SecretReference
from components.service import Destination, SecretKey

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


def to_database(database: RdsPostgres, ca_file: str) -> Wiring:
    """Connect as the master user whose password RDS keeps."""
    secret = SecretReference(database.master_secret_arn, database.key_arn)
    return Wiring(
        environment={
            "DATABASE_HOST": database.address,
            "DATABASE_PORT": database.port.apply(str),
            "DATABASE_NAME": database.database_name,
            "DATABASE_USER": database.username,
            "DATABASE_SSLMODE": "verify-full",
            "DATABASE_CA_FILE": ca_file,
        },
        secrets={"DATABASE_PASSWORD": SecretKey(secret, "password")},
        destinations={"postgres": Destination(database.security_group_id, DATABASE_PORT)},
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


def to_broker(broker: RabbitBroker) -> Wiring:
    """Connect to the broker as its user."""
    return Wiring(
        environment={
            "RABBITMQ_HOST": broker.host,
            "RABBITMQ_PORT": broker.port.apply(str),
            "RABBITMQ_USERNAME": broker.username,
            "RABBITMQ_TLS": "true",
        },
        secrets={"RABBITMQ_PASSWORD": SecretKey(broker.secret, "password")},
        destinations={"rabbitmq": Destination(broker.security_group_id, BROKER_PORT)},
    )
