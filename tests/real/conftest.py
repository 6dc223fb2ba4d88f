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


@pytest.fixture(scope="module")
def app_environment(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: services.Postgres,
    redis_server: services.Redis,
    rabbitmq_server: services.Rabbitmq,
) -> dict[str, str]:
    """Return what the reference application is told: where its servers are, and files with their passwords."""
    directory = tmp_path_factory.mktemp("secrets")

    def secret(name: str, server: services.Server) -> str:
        path = directory / name
        path.write_text(server.password + "\n")
        return str(path)

    return {
        "DATABASE_HOST": postgres_server.host,
        "DATABASE_PORT": str(postgres_server.port),
        "DATABASE_NAME": postgres_server.database,
        "DATABASE_USER": postgres_server.user,
        "DATABASE_PASSWORD_FILE": secret("database", postgres_server),
        "DATABASE_SSLMODE": "disable",
        "REDIS_HOST": redis_server.host,
        "REDIS_PORT": str(redis_server.port),
        "REDIS_PASSWORD_FILE": secret("redis", redis_server),
        "REDIS_TLS": "false",
        "RABBITMQ_HOST": rabbitmq_server.host,
        "RABBITMQ_PORT": str(rabbitmq_server.port),
        "RABBITMQ_USERNAME": rabbitmq_server.user,
        "RABBITMQ_PASSWORD_FILE": secret("rabbitmq", rabbitmq_server),
        "RABBITMQ_TLS": "false",
        "APP_DRAIN_SECONDS": "1",
        "APP_ENABLE_FAULTS": "true",
    }
