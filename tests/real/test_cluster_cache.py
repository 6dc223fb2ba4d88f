"""A real server loads exactly what the cluster's ConfigMap and Secret hold; only paths and addresses are overridden.

It is Redis 7.0 from Debian: what Valkey is configured with is within what Redis 7 has.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from redis.exceptions import NoPermissionError

from components.workload.cache import DATA, USERNAME
from tests.real.services import _REDIS, Redis, _running
from tests.unit.programs import shipped

SECRET = "kubernetes:core/v1:Secret"


class ShippedCache(Redis):
    """The local stack's cache."""

    def prepare(self) -> None:
        stack = shipped("local")
        configuration = stack.named("auterity-local-cache", "kubernetes:core/v1:ConfigMap").inputs["data"]
        users = stack.named("auterity-local-cache-users", SECRET).inputs["stringData"]
        self.password = stack.named("auterity-local-cache-login", SECRET).inputs["stringData"]["password"]
        # The server goes there as it reads the line: a later word on it comes too late.
        self.write("valkey.conf", configuration["valkey.conf"].replace(f"dir {DATA}\n", f"dir {self.directory}\n"))
        self.write("users.acl", users["users.acl"])

    def start(self) -> None:
        places = {
            "bind": self.host,
            "port": str(self.port),
            "aclfile": str(self.directory / "users.acl"),
        }
        overrides = [word for name, value in places.items() for word in (f"--{name}", value)]
        self.launch([_REDIS, self.directory / "valkey.conf", *overrides])
        self.wait_until_ready()


@pytest.fixture(scope="module")
def server() -> Iterator[ShippedCache]:
    yield from _running(ShippedCache)


def sign_in(server: ShippedCache, username: str | None, password: str | None) -> redis.Redis:
    return redis.Redis(host=server.host, port=server.port, username=username, password=password, decode_responses=True)


def test_the_workloads_user_reads_and_writes(server: ShippedCache) -> None:
    app = sign_in(server, USERNAME, server.password)
    assert app.ping()
    app.set("order", "1", ex=60)
    assert app.get("order") == "1"


def test_nobody_else_gets_in(server: ShippedCache) -> None:
    with pytest.raises(redis.AuthenticationError):
        sign_in(server, None, None).ping()
    with pytest.raises(redis.AuthenticationError):
        sign_in(server, USERNAME, "wrong").ping()


@pytest.mark.parametrize("command", [("FLUSHALL",), ("CONFIG", "GET", "dir"), ("SHUTDOWN",), ("KEYS", "*")], ids=str)
def test_the_workloads_user_may_not_run_the_server(server: ShippedCache, command: tuple[str, ...]) -> None:
    with pytest.raises(NoPermissionError):
        sign_in(server, USERNAME, server.password).execute_command(*command)  # type: ignore[no-untyped-call]


def test_the_probes_user_may_ping_and_nothing_else(server: ShippedCache) -> None:
    probe = sign_in(server, "probe", "any")
    assert probe.ping()
    with pytest.raises(NoPermissionError):
        probe.get("order")


def test_memory_is_bounded_and_gives_way_as_the_settings_say(server: ShippedCache) -> None:
    found = sign_in(server, USERNAME, server.password).info("memory")
    assert found["maxmemory"] == 64 * 1024**2
    assert found["maxmemory_policy"] == "allkeys-lru"


def test_what_was_written_survives_a_restart(server: ShippedCache) -> None:
    sign_in(server, USERNAME, server.password).set("kept", "1")
    server.stop()
    server.start()
    assert sign_in(server, USERNAME, server.password).get("kept") == "1"
