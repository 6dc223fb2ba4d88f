"""The servers that tests start: gone when the test is over, and missed by name."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from settings.reserved_words import KEYWORDS
from tests.real import services

ROOT = Path(__file__).parents[2]


def alive(port: int) -> bool:
    """Say whether a Redis of this port runs anywhere on the machine: it writes its port into its command line."""
    return any(f":{port}" in " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))


def test_a_server_leaves_neither_process_nor_file_behind() -> None:
    with services.redis() as server:
        assert alive(server.port)
    assert not alive(server.port)
    assert not server.directory.exists()


def test_a_server_ends_with_the_process_that_started_it() -> None:
    code = """
import os
from tests.real import services
running = services.redis()
server = running.__enter__()
print(server.port, server.directory, flush=True)
os._exit(0)
"""
    started = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    port, directory = started.stdout.split()
    shutil.rmtree(directory)
    deadline = time.monotonic() + 30
    while alive(int(port)):
        assert time.monotonic() < deadline, "the server outlived its test"
        time.sleep(0.1)


def test_no_command_line_shows_a_password() -> None:
    with services.redis() as server:
        commands = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
        assert any(f"{server.host}:{server.port}" in command for command in commands)
        assert not any(server.password in command for command in commands)


def test_a_server_that_is_not_installed_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.Postgres, "programs", (tmp_path / "postgres",))
    with pytest.raises(services.MissingServerError, match="apt-get install postgresql-15"), services.postgres():
        pass


def test_a_server_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(server: services.Redis) -> None:
        server.write("redis.conf", "no-such-directive 1\n")

    monkeypatch.setattr(services.Redis, "prepare", prepare)
    with pytest.raises(services.ServerFailedError, match=r"(?s)Redis ended.*no-such-directive"), services.redis():
        pass


def test_the_words_that_settings_refuse_as_names_are_those_that_postgresql_reserves() -> None:
    with (
        services.postgres() as server,
        psycopg.connect(
            host=server.host, port=server.port, dbname=server.database, user=server.user, password=server.password
        ) as connection,
    ):
        rows = connection.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')").fetchall()
    # PostgreSQL 16 reserves one more.
    assert {row[0] for row in rows} == KEYWORDS - {"system_user"}
