"""Real servers, started when a test of a module first asks for one and ended after the module's last test.

A server that is not installed fails the tests that need it, with the package's name: what cannot run is not proven.
"""

from collections.abc import Iterator

import pytest

from tests.real import services


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[services.Postgres]:
    """PostgreSQL 15, empty."""
    with services.postgres() as server:
        yield server


@pytest.fixture(scope="module")
def redis_server() -> Iterator[services.Redis]:
    """Redis, empty."""
    with services.redis() as server:
        yield server


@pytest.fixture(scope="module")
def rabbitmq_server() -> Iterator[services.Rabbitmq]:
    """RabbitMQ, without queues."""
    with services.rabbitmq() as server:
        yield server
