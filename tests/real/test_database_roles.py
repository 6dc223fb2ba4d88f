"""The roles of a shared server are made by the Job's own script on a real PostgreSQL 15, by a user with the rights that
RDS gives its master user, in a database that was in use before; then each tries what is another's.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from components.workload.database_configuration import VERIFIERS, verifier
from components.workload.database_roles import CONFIGURATION, MASTER
from tests.real.services import POSTGRES_BIN, Postgres, _running
from tests.unit.programs import shipped

STACK = "auterity-prod-gateway-database"
DATABASES = {"app": "auterity", "kong": "kong"}
"""Role to the database that it owns."""

CLIENTS = ("app", "kong", "backup", "restorer")


class SharedServer(Postgres):
    """A server as RDS makes one: its master user owns the databases and is no superuser."""

    def prepare(self) -> None:
        super().prepare()
        self.passwords = {role: f"password-of-{role}" for role in ("auterity", *CLIENTS)}

    def start(self) -> None:
        super().start()
        with self.connect_as(self.user, self.password, "postgres") as superuser:
            if superuser.execute("SELECT FROM pg_roles WHERE rolname = 'auterity'").fetchone():
                return
            superuser.execute("CREATE ROLE auterity LOGIN CREATEROLE CREATEDB PASSWORD 'password-of-auterity'")
            superuser.execute("GRANT pg_signal_backend TO auterity")
            for database in ("postgres", "template1"):
                superuser.execute(f"ALTER DATABASE {database} OWNER TO auterity".encode())
            superuser.execute("CREATE DATABASE auterity OWNER auterity")
            # As the parameter group has it.
            superuser.execute("ALTER SYSTEM SET log_statement = 'ddl'")
            superuser.execute("SELECT pg_reload_conf()")

    def connect_as(self, role: str, password: str, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=self.host, port=self.port, user=role, password=password, dbname=database, autocommit=True
        )

    def connect(self, role: str, database: str) -> psycopg.Connection:
        return self.connect_as(role, self.passwords[role], database)

    def run_job(self) -> None:
        """Run what the Job's container runs, with its files where they are here."""
        job = shipped("prod").named(STACK, "kubernetes:batch/v1:Job").inputs["spec"]["template"]["spec"]
        [prepare] = job["containers"]
        statements = shipped("prod").named(STACK, "kubernetes:core/v1:ConfigMap").inputs["data"]["roles.sql"]
        places = {path: str(self.directory / path[1:].replace("/", "-")) for path in (CONFIGURATION, MASTER, VERIFIERS)}
        for directory in places.values():
            Path(directory).mkdir(exist_ok=True)
        for role in CLIENTS:
            self.write(f"{places[VERIFIERS]}/{role}", verifier(self.passwords[role]))
        self.write(f"{places[MASTER]}/password", self.passwords["auterity"])
        self.write(f"{places[CONFIGURATION]}/roles.sql", here(statements, places))
        environment = {variable["name"]: variable["value"] for variable in prepare["env"]}
        environment |= {"PGHOST": self.host, "PGPORT": str(self.port), "PGSSLMODE": "disable"}
        environment["PATH"] = f"{POSTGRES_BIN}{os.pathsep}{os.environ['PATH']}"
        command = [here(word, places) for word in prepare["command"]]
        subprocess.run(command, env=environment, check=True, timeout=60)


def here(text: str, places: dict[str, str]) -> str:
    for path, place in places.items():
        text = text.replace(path, place)
    return text


@pytest.fixture(scope="module")
def server() -> Iterator[SharedServer]:
    """A server on which the app was the master user, after the Job has run, twice."""
    for started in _running(SharedServer):
        with started.connect("auterity", "auterity") as app:
            app.execute("CREATE TABLE orders (id serial PRIMARY KEY, total numeric)")
            app.execute("CREATE SCHEMA shop CREATE TABLE customers (name text)")
            app.execute("INSERT INTO orders (total) VALUES (1), (2)")
            app.execute("CREATE FUNCTION shop.many() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM orders)")
            app.execute("SELECT lo_from_bytea(0, 'large')")
        started.run_job()
        started.run_job()
        with started.connect("kong", "kong") as kong:
            kong.execute("CREATE TABLE routes (id int)")
            kong.execute("INSERT INTO routes VALUES (1)")
        yield started


def test_the_app_owns_what_the_master_user_has_made_for_it(server: SharedServer) -> None:
    with server.connect("app", "auterity") as app:
        app.execute("ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text")
        app.execute("INSERT INTO orders (total) VALUES (3)")
        app.execute("CREATE TABLE IF NOT EXISTS later (id int)")
        app.execute("INSERT INTO later VALUES (1)")
        assert app.execute("SELECT shop.many() > 2").fetchone() == (True,)
        owned = app.execute(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname IN ('public', 'shop')"
        ).fetchall()
    assert owned == [("app",)]


def test_who_still_signs_in_as_the_master_user_loses_nothing_meanwhile(server: SharedServer) -> None:
    with server.connect("auterity", "auterity") as old:
        old.execute("INSERT INTO orders (total) VALUES (4)")
        old.execute("SELECT * FROM shop.customers")


def test_the_master_user_keeps_the_databases_that_are_no_clients(server: SharedServer) -> None:
    with server.connect("app", "auterity") as app:
        owners: dict[str, str] = dict(
            app.execute("SELECT datname, pg_get_userbyid(datdba) FROM pg_database").fetchall()
        )
    del owners["template0"]
    assert owners == {"auterity": "app", "kong": "kong", "postgres": "auterity", "template1": "auterity"}


@pytest.mark.parametrize(("role", "database"), [("app", "kong"), ("kong", "auterity")])
def test_no_client_gets_into_anothers_database(server: SharedServer, role: str, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        server.connect(role, database)


@pytest.mark.parametrize("database", DATABASES.values())
def test_backups_read_all_of_every_database_also_what_is_made_later(server: SharedServer, database: str) -> None:
    with server.connect("backup", database) as reader:
        tables = reader.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'shop')")
        found = tables.fetchall()
        assert found
        for schema, table in found:
            reader.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table)))
        reader.execute("SELECT lo_get(oid) FROM pg_largeobject_metadata")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO orders (total) VALUES (5)",
        "UPDATE orders SET total = 0",
        "DELETE FROM orders",
        "TRUNCATE orders",
        "SELECT setval('orders_id_seq', 1)",
        "DROP TABLE orders",
        "ALTER TABLE orders ADD COLUMN spoilt int",
        "CREATE TABLE public.mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (id int)",
        "SET ROLE app",
        "SELECT lo_unlink(min(oid)) FROM pg_largeobject_metadata",
    ],
)
def test_backups_write_nothing(server: SharedServer, statement: str) -> None:
    with server.connect("backup", "auterity") as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(statement.encode())


@pytest.mark.parametrize("role", CLIENTS)
@pytest.mark.parametrize("statement", ["CREATE ROLE mine", "ALTER ROLE auterity PASSWORD 'mine'", "SET ROLE auterity"])
def test_no_client_becomes_somebody_else(server: SharedServer, role: str, statement: str) -> None:
    with server.connect(role, "postgres") as client, pytest.raises(psycopg.errors.InsufficientPrivilege):
        client.execute(statement.encode())


@pytest.mark.parametrize("role", ["app", "kong", "backup"])
def test_only_who_restores_makes_databases(server: SharedServer, role: str) -> None:
    with server.connect(role, "postgres") as client, pytest.raises(psycopg.errors.InsufficientPrivilege):
        client.execute("CREATE DATABASE mine")


@pytest.mark.parametrize("role", CLIENTS)
def test_nobody_reads_what_tells_a_right_password(server: SharedServer, role: str) -> None:
    with server.connect(role, "postgres") as client, pytest.raises(psycopg.errors.InsufficientPrivilege):
        client.execute("SELECT rolpassword FROM pg_authid")


def test_who_restores_puts_a_database_in_the_place_of_one_that_is_in_use(server: SharedServer) -> None:
    with server.connect("kong", "kong") as kong, server.connect("restorer", "postgres") as restorer:
        restorer.execute("CREATE DATABASE kong_restoring TEMPLATE template0")
        restorer.execute("ALTER DATABASE kong_restoring OWNER TO kong")
        restorer.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'kong'")
        restorer.execute("ALTER DATABASE kong RENAME TO kong_replaced")
        restorer.execute("ALTER DATABASE kong_replaced RENAME TO kong")
        restorer.execute("DROP DATABASE kong_restoring")
        with pytest.raises(psycopg.OperationalError):
            kong.execute("SELECT 1")


def test_another_password_is_set_by_the_next_run(server: SharedServer) -> None:
    old = server.passwords["app"]
    server.passwords["app"] = "quite-another"
    server.run_job()
    server.connect("app", "auterity").close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        server.connect_as("app", old, "auterity")


def test_who_makes_the_roles_still_may_after_an_upgrade_to_16(server: SharedServer) -> None:
    """From 16 on a role with CREATEROLE alters those alone of which it has the admin option."""
    with server.connect("auterity", "postgres") as master:
        administered = master.execute(
            "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = current_user::regrole AND admin_option"
        ).fetchall()
    assert {role for (role,) in administered} == set(CLIENTS)


def test_no_password_gets_into_the_servers_log(server: SharedServer) -> None:
    log = server.log.read_text()
    assert "ALTER ROLE app LOGIN PASSWORD" in log
    assert "quite-another" not in log
    assert not [role for role in CLIENTS if f"password-of-{role}" in log]
