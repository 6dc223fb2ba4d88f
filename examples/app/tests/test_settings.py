"""The service's environment: what is taken, and what is refused by name."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from examples.app.orders.settings import Settings, WrongSettingsError, load_settings

DATABASE = {"DATABASE_HOST": "db", "DATABASE_NAME": "orders", "DATABASE_USER": "app", "DATABASE_SSLMODE": "require"}
RABBITMQ = {"RABBITMQ_HOST": "mq", "RABBITMQ_USERNAME": "app", "RABBITMQ_PASSWORD": "a-secret-word"}


@pytest.fixture(autouse=True)
def empty_environment() -> Iterator[None]:
    with patch.dict(os.environ, clear=True):
        yield


def read(**environment: str) -> Settings:
    os.environ.update(environment)
    return load_settings()


def refusal(**environment: str) -> str:
    with pytest.raises(WrongSettingsError) as caught:
        read(**environment)
    return str(caught.value)


def test_no_dependency_is_used_that_is_not_configured() -> None:
    settings = read()
    assert (settings.database, settings.redis, settings.rabbitmq) == (None, None, None)


def test_a_password_comes_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from a file\n")
    settings = read(**DATABASE, DATABASE_PASSWORD_FILE=str(file))
    assert settings.database is not None
    assert settings.database.secret() == "from a file"


def test_a_password_that_is_rotated_in_its_file_is_the_one_used_next(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("old")
    settings = read(**DATABASE, DATABASE_PASSWORD_FILE=str(file))
    file.write_text("new")
    assert settings.database is not None
    assert settings.database.secret() == "new"


def test_a_password_may_come_from_the_environment() -> None:
    settings = read(**RABBITMQ)
    assert settings.rabbitmq is not None
    assert settings.rabbitmq.secret() == "a-secret-word"


def test_a_password_from_two_sources_is_refused(tmp_path: Path) -> None:
    assert "RABBITMQ_*: PASSWORD and PASSWORD_FILE are both given" in refusal(
        **RABBITMQ, RABBITMQ_PASSWORD_FILE=str(tmp_path / "password")
    )


def test_a_password_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "password"
    assert f"DATABASE_*: PASSWORD_FILE {missing} cannot be read" in refusal(
        **DATABASE, DATABASE_PASSWORD_FILE=str(missing)
    )


def test_an_empty_password_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("\n")
    assert "is empty" in refusal(**DATABASE, DATABASE_PASSWORD_FILE=str(file))


def test_every_wrong_variable_is_named_in_one_error() -> None:
    message = refusal(APP_PORT="0", DATABASE_HOST="db", DATABASE_NAME="orders", REDIS_HOST="cache", REDIS_TLS="maybe")
    assert "APP_PORT '0' is wrong" in message
    assert "DATABASE_USER is missing" in message
    assert "REDIS_TLS 'maybe' is wrong" in message


def test_no_error_repeats_a_password() -> None:
    message = refusal(**{**RABBITMQ, "RABBITMQ_PASSWORD": "a-secret-word" * 100})
    assert message.startswith("RABBITMQ_PASSWORD ")
    assert "a-secret-word" not in message


def test_verified_tls_to_the_database_needs_authorities() -> None:
    assert "SSLMODE verify-full needs CA_FILE" in refusal(**{**DATABASE, "DATABASE_SSLMODE": "verify-full"})


def test_tls_is_used_unless_it_is_switched_off() -> None:
    secure = read(**RABBITMQ, REDIS_HOST="cache")
    assert secure.redis is not None
    assert secure.redis.tls
    assert secure.rabbitmq is not None
    assert secure.rabbitmq.effective_port == 5671
    plain = read(RABBITMQ_TLS="false")
    assert plain.rabbitmq is not None
    assert plain.rabbitmq.effective_port == 5672


def test_a_pool_whose_least_size_is_above_its_largest_is_refused() -> None:
    assert "POOL_MIN 5 is larger than POOL_MAX 2" in refusal(**DATABASE, DATABASE_POOL_MIN="5", DATABASE_POOL_MAX="2")
