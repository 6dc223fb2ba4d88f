"""Passwords of the stores in the cluster are rotated under load, on real servers, and nobody is refused.

Two rotations, since only the second one reuses a login's place. What is rendered for each version reaches the server's
volumes and the clients' pods in the order of a deployment: the Secrets; the server takes them over while it runs; a Job
signs in until that works; then the app's pods are replaced one after the other.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aio_pika
import psycopg
import pytest
import redis

from components.workload.cache import DATA as CACHE_DATA
from components.workload.database_configuration import CONFIGURATION, SOCKETS, VERIFIERS
from components.workload.queue import DEFINITIONS, METRICS_PORT, PORT
from tests.real.rotating import (
    Cut,
    Load,
    Login,
    Volumes,
    keeper_command,
    login_of_app,
    wait_as_the_job_does,
)
from tests.real.services import _POSTGRES, _REDIS, POSTGRES_BIN, Postgres, Rabbitmq, Redis, _running, free_port
from tests.unit.programs import CONFIG_MAP
from tests.unit.rotation import SECRET, rendered

RABBITMQ_BIN = Path("/usr/lib/rabbitmq/bin")
PODS = 3
ROTATIONS = (2, 3)


class RotatedCache(Redis):
    """The local stack's cache, with what keeps its logins."""

    def prepare(self) -> None:
        self.volumes = Volumes(self.directory / "volumes")
        self.volumes.bring(rendered(1), "auterity-cache")
        text = (self.volumes.path(CONFIG_MAP, "auterity-cache") / "valkey.conf").read_text()
        self.write("valkey.conf", text.replace(f"dir {CACHE_DATA}\n", f"dir {self.directory}\n"))
        (self.directory / "bin").mkdir()
        (self.directory / "bin" / "valkey-cli").symlink_to("/usr/bin/redis-cli")

    def start(self) -> None:
        users = self.volumes.path(SECRET, "auterity-cache-users")
        places = {"bind": self.host, "port": str(self.port), "aclfile": f"{users}/users.acl"}
        overrides = [word for name, value in places.items() for word in (f"--{name}", value)]
        self.launch([_REDIS, self.directory / "valkey.conf", *overrides])
        self.wait_until_ready()
        command = keeper_command(rendered(1), "auterity-cache", self.volumes)
        self.launch(self._at_my_port(command), self.path())

    def _at_my_port(self, command: list[str]) -> list[str]:
        where = command.index("valkey-cli") + 1
        return [*command[:where], "-p", str(self.port), *command[where:]]

    def path(self) -> dict[str, str]:
        return {"PATH": f"{self.directory}/bin{os.pathsep}{os.environ['PATH']}"}

    def environment(self) -> dict[str, str]:
        return {**self.path(), "CACHE_HOST": self.host, "CACHE_PORT": str(self.port)}

    def login(self, version: int) -> Login:
        return login_of_app(rendered(version), "cache", "REDIS_USERNAME", self.volumes)

    def connect(self, username: str, password: str) -> None:
        with redis.Redis(host=self.host, port=self.port, username=username, password=password) as client:
            try:
                client.set("order", "1", ex=60)
            except redis.ConnectionError as error:
                # Redis 7.0 ends connections as it loads its users; Valkey keeps those whose user is still there.
                if "closed by server" in str(error) or "reset by peer" in str(error):
                    raise Cut from error
                raise


class RotatedDatabase(Postgres):
    """The local stack's database, with what keeps its logins."""

    def prepare(self) -> None:
        self.volumes = Volumes(self.directory / "volumes", self._here)
        self.volumes.bring(rendered(1), "auterity-database")

    def _here(self, text: str) -> str:
        return (
            text.replace(VERIFIERS, str(self.directory / "volumes" / "secret-auterity-database-verifiers"))
            .replace(CONFIGURATION, str(self.directory / "volumes" / "configuration-auterity-database"))
            .replace(SOCKETS, str(self.directory))
        )

    def path(self) -> dict[str, str]:
        return {
            "PATH": f"{POSTGRES_BIN}{os.pathsep}{os.environ['PATH']}",
            "PGDATA": str(self.directory / "pgdata"),
            "PGHOST": str(self.directory),
        }

    def start(self) -> None:
        configuration = self.volumes.path(CONFIG_MAP, "auterity-database")
        self.run(["sh", configuration / "prepare.sh"], self.path())
        places = {"listen_addresses": self.host, "port": str(self.port)}
        overrides = [f"--{name}={value}" for name, value in places.items()]
        self.launch([_POSTGRES, f"--config-file={configuration}/postgresql.conf", *overrides], self.path())
        self.wait_until_ready()
        command = keeper_command(rendered(1), "auterity-database", self.volumes)
        self.launch(command, {**self.path(), "PGPORT": str(self.port)})

    def environment(self) -> dict[str, str]:
        return {**self.path(), "PGHOST": self.host, "PGPORT": str(self.port)}

    def login(self, version: int) -> Login:
        return login_of_app(rendered(version), "database", "DATABASE_USER", self.volumes)

    def connect(self, username: str, password: str) -> None:
        with psycopg.connect(
            host=self.host, port=self.port, user=username, password=password, dbname="auterity", connect_timeout=5
        ) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("auterity",)


class RotatedQueue(Rabbitmq):
    """The local stack's broker, with what keeps its logins."""

    def prepare(self) -> None:
        self.volumes = Volumes(self.directory / "volumes")
        self.volumes.bring(rendered(1), "auterity-queue")
        files = self.volumes.path(CONFIG_MAP, "auterity-queue")
        definitions = self.volumes.path(SECRET, "auterity-queue-definitions")
        places = {
            f"listeners.tcp.default = {PORT}": f"listeners.tcp.1 = {self.host}:{self.port}",
            f"prometheus.tcp.port = {METRICS_PORT}": f"prometheus.tcp.port = {free_port()}",
            DEFINITIONS: str(definitions),
        }
        configuration = (files / "rabbitmq.conf").read_text()
        for shipped_place, place in places.items():
            assert shipped_place in configuration
            configuration = configuration.replace(shipped_place, place)
        self.write("rabbitmq.conf", configuration)
        self.write("enabled_plugins", (files / "enabled_plugins").read_text())

    def start(self) -> None:
        super().start()
        command = keeper_command(rendered(1), "auterity-queue", self.volumes)
        path = {"PATH": f"{RABBITMQ_BIN}{os.pathsep}{os.environ['PATH']}"}
        self.launch(command, {**path, **self.node()})

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "QUEUE_HOST": self.host, "QUEUE_PORT": str(self.port)}

    def login(self, version: int) -> Login:
        return login_of_app(rendered(version), "queue", "RABBITMQ_USERNAME", self.volumes)

    def connect(self, username: str, password: str) -> None:
        async def publish() -> None:
            async with await aio_pika.connect(f"amqp://{username}:{password}@{self.host}:{self.port}/") as connection:
                channel = await connection.channel()
                await channel.default_exchange.publish(aio_pika.Message(b"order"), "nobody")

        asyncio.run(publish())


Rotated = RotatedCache | RotatedDatabase | RotatedQueue


@dataclass(frozen=True)
class Outcome:
    """What a client saw while the logins were rotated.

    Attributes:
        server: the server, at the last version.
        load: the connections.
        waited: seconds that each rotation's Job took.
    """

    server: Rotated
    load: Load
    waited: list[float]


@contextmanager
def rotated(kind: type[Rotated], workload: str) -> Iterator[Outcome]:
    """Go through all rotations under load."""
    for server in _running(kind):
        waited = []
        with Load(server.connect) as load:
            for _ in range(PODS):
                load.start_pod(server.login(1))
            for version in ROTATIONS:
                server.volumes.bring(rendered(version), workload)
                waited.append(wait_as_the_job_does(rendered(version), workload, server.volumes, server.environment()))
                load.roll_out(server.login(version))
        yield Outcome(server, load, waited)


@pytest.fixture(scope="module")
def cache() -> Iterator[Outcome]:
    with rotated(RotatedCache, "auterity-cache") as outcome:
        yield outcome


@pytest.fixture(scope="module")
def database() -> Iterator[Outcome]:
    with rotated(RotatedDatabase, "auterity-database") as outcome:
        yield outcome


@pytest.fixture(scope="module")
def queue() -> Iterator[Outcome]:
    with rotated(RotatedQueue, "auterity-queue") as outcome:
        yield outcome


STORES = ("cache", "database", "queue")


@pytest.mark.parametrize("store", STORES)
def test_no_connection_is_refused_while_logins_are_rotated_under_load(
    store: str, request: pytest.FixtureRequest
) -> None:
    load: Load = request.getfixturevalue(store).load
    assert load.refused == []
    assert load.accepted > PODS * 5 * len(ROTATIONS)


@pytest.mark.parametrize("store", STORES)
def test_a_login_is_refused_once_the_one_after_its_successor_is_there(
    store: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(store).server
    before, first = server.login(2), rendered(1)
    server.connect(before.username, before.password())
    [old] = [
        each.inputs["stringData"] for each in first.of_type(SECRET) if each.name == f"auterity-local-{NAMES[store]}"
    ]
    with pytest.raises(Exception, match=REFUSED[store]):
        server.connect(old["username"], old["password"])


NAMES = {"cache": "cache-login", "database": "database-auterity", "queue": "queue-login"}
REFUSED = {
    "cache": "WRONGPASS|invalid username",
    "database": "password authentication failed",
    "queue": "ACCESS_REFUSED",
}


def test_what_one_login_makes_in_the_database_the_next_one_owns(database: Outcome) -> None:
    login = database.server.login(2)
    with psycopg.connect(
        host=database.server.host,
        port=database.server.port,
        user=login.username,
        password=login.password(),
        dbname="auterity",
    ) as connection:
        connection.execute("CREATE TABLE made_by_the_alternate (id int)")
        owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'made_by_the_alternate'"
        assert connection.execute(owner).fetchone() == ("auterity",)
