"""A real PostgreSQL 15 is prepared and run by exactly what the cluster's ConfigMap and Secrets hold; only paths and
addresses are overridden.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from components.workload.database_configuration import CONFIGURATION, SOCKETS, VERIFIERS, verifier
from tests.real.services import _POSTGRES, POSTGRES_BIN, Postgres, _running
from tests.unit.programs import shipped
from tests.unit.recording import Recording

ROLES = ("auterity", "kong")
"""Who signs in by a password."""


class ShippedDatabase(Postgres):
    """The local stack's database."""

    roles: tuple[str, ...] = ROLES

    @classmethod
    def recorded(cls) -> tuple[Recording, str]:
        """Return the stack, and its name."""
        return shipped("local"), "local"

    def prepare(self) -> None:
        stack, named = self.recorded()
        name = f"auterity-{named}-database"
        files = stack.named(name, "kubernetes:core/v1:ConfigMap").inputs["data"]
        self.passwords = {
            role: stack.named(f"{name}-{role}", "kubernetes:core/v1:Secret").inputs["stringData"]["password"]
            for role in self.roles
        }
        for name, text in files.items():
            self.write(name, self.here(text))
        (self.directory / "verifiers").mkdir()
        self._own(self.directory / "verifiers")
        for role in self.roles:
            self.hand_over(role, self.passwords[role])

    def here(self, text: str) -> str:
        for path in (CONFIGURATION, SOCKETS):
            text = text.replace(path, str(self.directory))
        return text.replace(VERIFIERS, str(self.directory / "verifiers"))

    def hand_over(self, role: str, password: str) -> None:
        """Put a password where the server finds it."""
        self.write(f"verifiers/{role}", verifier(password))

    def start(self) -> None:
        environment = {
            "PGDATA": str(self.directory / "pgdata"),
            "PGHOST": str(self.directory),
            "PATH": f"{POSTGRES_BIN}{os.pathsep}{os.environ['PATH']}",
        }
        self.run(["sh", self.directory / "prepare.sh"], environment)
        places = {"listen_addresses": self.host, "port": str(self.port)}
        overrides = [f"--{name}={value}" for name, value in places.items()]
        self.launch([_POSTGRES, f"--config-file={self.directory}/postgresql.conf", *overrides], environment)
        self.wait_until_ready()

    def connect(self, role: str, database: str = "postgres", password: str | None = None) -> psycopg.Connection:
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=role,
            dbname=database,
            password=password or self.passwords.get(role, "any"),
            connect_timeout=5,
            autocommit=True,
        )


@pytest.fixture(scope="module")
def server() -> Iterator[ShippedDatabase]:
    yield from _running(ShippedDatabase)


def test_the_app_owns_its_database(server: ShippedDatabase) -> None:
    with server.connect("auterity", "auterity") as app:
        app.execute("CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY)")
        app.execute("INSERT INTO orders VALUES (1) ON CONFLICT DO NOTHING")
        assert app.execute("SELECT count(*) FROM orders").fetchone() == (1,)


def test_the_gateway_has_a_database_of_its_own_and_sees_no_other(server: ShippedDatabase) -> None:
    with server.connect("kong", "kong") as kong:
        kong.execute("CREATE TABLE IF NOT EXISTS routes (id int)")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        server.connect("kong", "auterity")


@pytest.mark.parametrize("role", [*ROLES, "metrics"])
def test_nobody_may_run_the_server(server: ShippedDatabase, role: str) -> None:
    with server.connect("metrics") as metrics:
        rights = metrics.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles WHERE rolname = %s", [role]
        ).fetchone()
    assert rights == (False, False, False, False)


def test_the_superuser_does_not_come_over_the_network(server: ShippedDatabase) -> None:
    with pytest.raises(psycopg.OperationalError, match="rejects connection"):
        server.connect("postgres")


def test_a_wrong_password_is_refused(server: ShippedDatabase) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        server.connect("auterity", "auterity", "wrong")


def test_the_exporters_role_reads_figures_and_no_data(server: ShippedDatabase) -> None:
    with server.connect("auterity", "auterity") as app:
        app.execute("CREATE TABLE IF NOT EXISTS customers (name text)")
    with server.connect("metrics", "auterity") as metrics:
        assert metrics.execute("SELECT count(*) FROM pg_stat_database").fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            metrics.execute("SELECT * FROM customers")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("shared_buffers", "64MB"), ("max_connections", "50"), ("password_encryption", "scram-sha-256")],
)
def test_the_server_runs_as_configured(server: ShippedDatabase, parameter: str, value: str) -> None:
    with server.connect("metrics") as metrics:
        shown = metrics.execute(sql.SQL("SHOW {}").format(sql.Identifier(parameter))).fetchone()
    assert shown == (value,)


def test_pages_have_checksums(server: ShippedDatabase) -> None:
    with server.connect("metrics") as metrics:
        assert metrics.execute("SHOW data_checksums").fetchone() == ("on",)


def test_data_survives_a_restart_and_another_password_is_taken_over_by_it(server: ShippedDatabase) -> None:
    with server.connect("auterity", "auterity") as app:
        app.execute("CREATE TABLE IF NOT EXISTS kept (id int)")
    old = server.passwords["auterity"]
    server.hand_over("auterity", "quite-another-one")
    server.stop()
    server.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        server.connect("auterity", "auterity", old)
    with server.connect("auterity", "auterity", "quite-another-one") as app:
        assert app.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    server.hand_over("auterity", old)
    server.stop()
    server.start()


def test_what_an_interrupted_first_start_left_is_in_nobodys_way(server: ShippedDatabase) -> None:
    class Interrupted(ShippedDatabase):
        def prepare(self) -> None:
            super().prepare()
            (self.directory / "pgdata.new").mkdir()
            self.write("pgdata.new/PG_VERSION", "15\n")
            self._own(self.directory / "pgdata.new")

    for started in _running(Interrupted):
        with started.connect("auterity", "auterity") as app:
            assert app.execute("SELECT 1").fetchone() == (1,)


def test_no_password_is_in_the_log(server: ShippedDatabase) -> None:
    server.connect("auterity", "auterity").close()
    log = server.log.read_text()
    assert "connection authorized: user=auterity" in log
    for password in server.passwords.values():
        assert password not in log
