"""The servers that tests start: gone when the test is over, and missed by name."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.real import services

ROOT = Path(__file__).parents[2]


def alive() -> set[int]:
    """The processes below this one, and those that were given to init."""
    return {
        process.pid
        for process in psutil.process_iter(["username", "status"])
        if process.info["username"] == services.Redis.account and process.info["status"] != psutil.STATUS_ZOMBIE
    } | {child.pid for child in psutil.Process().children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE}


def test_a_server_leaves_neither_process_nor_file_behind() -> None:
    before = alive()
    with services.redis() as server:
        directory = server.directory
        assert alive() > before
    assert alive() == before
    assert not directory.exists()


def test_a_server_ends_with_the_process_that_started_it() -> None:
    before = alive()
    code = """
import os
from tests.real import services
running = services.redis()
print(running.__enter__().directory, flush=True)
os._exit(0)
"""
    started = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    shutil.rmtree(started.stdout.strip())
    for _ in range(100):
        if alive() == before:
            break
        time.sleep(0.1)
    assert alive() == before


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
