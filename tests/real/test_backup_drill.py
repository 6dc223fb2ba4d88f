"""Rehearsals, and restores by somebody who is no superuser."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from components.workload.database_configuration import RESTORER
from operations.backup import drilling
from operations.backup.manifest import find
from operations.backup.plan import DatabasePlan, ServerPlan
from operations.backup.repository import Repository
from operations.backup.restoring import Destination
from tests.real.backing_up import Site, connected, fill, site
from tests.real.kept_backups import repositories
from tests.real.quick_repositories import make
from tests.real.services import HOST, Postgres, _running, free_port, postgres
from tests.real.test_cluster_database import ROLES, ShippedDatabase
from tests.unit.programs import with_section
from tests.unit.recording import Recording

DAY = 24 * 3600


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres) -> Site:
    """A server whose database has a backup in each of two directories."""
    fill(postgres_server)
    made = site(tmp_path_factory.mktemp("backup"), postgres_server, {})
    make(made)
    made.run("run", "--id", "night")
    return made


@pytest.fixture
def repository(backed_up: Site, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The first repository, for use inside this process."""
    monkeypatch.setenv("PATH", backed_up.environment["PATH"])
    return repositories(backed_up)[0]


def scratch(server: Postgres, directory: Path) -> tuple[ServerPlan, DatabasePlan]:
    password = directory / "scratch"
    password.write_text(server.password)
    user = DatabasePlan(name="postgres", user=server.user, password_file=password)
    return ServerPlan(host=server.host, port=server.port, sslmode="disable", databases=(user,)), user


def test_a_drill_restores_from_every_target_and_leaves_nothing_behind(backed_up: Site) -> None:
    with postgres() as fresh, Receiver() as (url, bodies):
        backed_up.replan(metrics={"push_url": url})
        password = backed_up.directory / "fresh"
        password.write_text(fresh.password)
        where = ["--host", fresh.host, "--port", str(fresh.port), "--sslmode", "disable"]
        said = backed_up.run("drill", *where, "--user", fresh.user, "--password-file", str(password)).stderr
        assert len(re.findall(r"night restores; RPO \d+ s, RTO \d+\.\d s", said)) == 2
        with connected(fresh, "postgres") as connection:
            assert connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate").fetchall() == [
                ("postgres",)
            ]
    backed_up.replan(metrics={})
    assert set(bodies) == {f"/metrics/job/auterity-drill/target/{target}" for target in ("first", "second")}
    for name in ("auterity_drill_rpo_seconds", "auterity_drill_rto_seconds", "auterity_drill_failed 0.0"):
        assert all(name in body for body in bodies.values())


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("DELETE FROM shop.events WHERE what = 'event 1'", "rows instead of"),
        ("UPDATE shop.orders SET total = total + 0.01 WHERE id = 4711", "table shop.orders has other rows"),
        ("SELECT lo_unlink(min(oid)) FROM pg_largeobject_metadata", "large objects differ"),
        ("SELECT setval('shop.orders_id_seq', 1)", "sequence shop.orders_id_seq stands at 1"),
        ("DROP EXTENSION hstore CASCADE", "extension hstore is missing"),
        ("ALTER TABLE shop.orders DROP CONSTRAINT orders_total_check", "constraints differ"),
    ],
)
def test_a_drill_fails_when_what_is_restored_differs_by_as_little_as_a_row(
    backed_up: Site, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str, told: str
) -> None:
    judged = drilling.judge
    server, user = scratch(backed_up.server, tmp_path)

    def spoil(backup: object, destination: Destination, name: str, database: str) -> None:
        with connected(backed_up.server, database) as connection:
            connection.execute(damage.encode())
        judged(find(repository), destination, name, database)

    assert drilling.drill(repository, server, user, DAY, lambda _: None).error == ""
    monkeypatch.setattr(drilling, "judge", spoil)
    assert re.search(told, drilling.drill(repository, server, user, DAY, lambda _: None).error)


def test_a_drill_fails_when_the_newest_backup_is_too_old(
    backed_up: Site, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, user = scratch(backed_up.server, tmp_path)
    later = datetime.now(UTC).timestamp() + 2 * DAY
    monkeypatch.setattr("operations.backup.drilling.time.time", lambda: later)
    assert "s old, allowed: 86400" in drilling.drill(repository, server, user, DAY, lambda _: None).error


def test_figures_that_cannot_be_pushed_fail_no_backup(backed_up: Site) -> None:
    backed_up.replan(metrics={"push_url": f"http://{HOST}:{free_port()}"})
    said = backed_up.run("run", "--id", "unseen").stderr
    backed_up.replan(metrics={})
    assert "the figures of first cannot be pushed" in said
    assert "unseen" in backed_up.run("list").stdout


def test_a_server_that_does_not_answer_shows_in_the_figures_of_every_target(backed_up: Site) -> None:
    plan = backed_up.plan
    with Receiver() as (url, bodies):
        backed_up.replan(metrics={"push_url": url}, server={**plan["server"], "port": free_port()})
        backed_up.run("run", "--id", "nobody", code=1)
    backed_up.replan(metrics={}, server=plan["server"])
    assert set(bodies) == {f"/metrics/job/auterity-backup/target/{target}" for target in ("first", "second")}
    assert all("auterity_backup_failed 1.0" in body for body in bodies.values())
    assert not any("auterity_backup_last_success" in body for body in bodies.values())


def test_a_drill_that_fails_shows_in_the_figures_and_leaves_the_last_success_as_it_was(backed_up: Site) -> None:
    with Receiver() as (url, bodies):
        backed_up.replan(metrics={"push_url": url})
        where = ["--host", HOST, "--port", str(backed_up.server.port), "--sslmode", "disable", "--oldest", "0"]
        who = ["--user", backed_up.server.user, "--password-file", str(backed_up.directory / "password")]
        backed_up.run("drill", "--target", "second", *where, *who, code=1)
    backed_up.replan(metrics={})
    [body] = bodies.values()
    assert "auterity_drill_failed 1.0" in body
    assert "auterity_drill_last_success" not in body


def test_somebody_who_is_no_superuser_backs_up_and_restores_all_but_passwords(tmp_path: Path) -> None:
    with postgres() as source, postgres() as fresh:
        for server in (source, fresh):
            with connected(server, "postgres") as connection:
                connection.execute("CREATE ROLE master LOGIN CREATEROLE CREATEDB PASSWORD 'of the master'")
                connection.execute("CREATE ROLE rds_superuser NOLOGIN")
                connection.execute("GRANT rds_superuser TO master")
        with connected(fresh, "postgres") as connection:
            # Nobody there is called like the superuser here.
            connection.execute("CREATE ROLE boss SUPERUSER LOGIN PASSWORD 'of the boss'")
        fresh.user, fresh.password = "boss", "of the boss"
        with connected(fresh, "postgres") as connection:
            connection.execute("ALTER ROLE tester RENAME TO somebody")
        at = site(tmp_path, source, {})
        source.user, source.password = "master", "of the master"
        (tmp_path / "password").write_text("of the master")
        [database] = at.plan["server"]["databases"]
        at.replan(server={**at.plan["server"], "superuser": False, "databases": [{**database, "user": "master"}]})
        with connected(source, "postgres") as connection:
            connection.execute("CREATE DATABASE shop")
        with connected(source, "shop") as connection:
            connection.execute(OWNED_BY_ONE.encode())
        make(at)
        at.run("run")
        said = at.run("restore", "--target", "second", "--host", HOST, "--port", str(fresh.port), *as_master(tmp_path))
        assert "the backup has no passwords" in said.stderr
        with connected(source, "shop") as before, connected(fresh, "shop") as after:
            for query in ("SELECT * FROM shop.things", "SELECT nextval('shop.numbers')", "SELECT lo_get(oid) FROM {}"):
                asked = query.format("pg_largeobject_metadata").encode()
                assert after.execute(asked).fetchall() == before.execute(asked).fetchall()
            member = b"SELECT pg_has_role('reader', 'writers', 'MEMBER')"
            assert after.execute(member).fetchone() == (True,)
            reads = b"SELECT has_table_privilege('reader', 'shop.things', 'SELECT')"
            assert after.execute(reads).fetchone() == (True,)


OWNED_BY_ONE = """
CREATE ROLE writers NOLOGIN;
CREATE ROLE reader LOGIN PASSWORD 'read' IN ROLE writers;
CREATE EXTENSION hstore;
CREATE SCHEMA shop;
CREATE TABLE shop.things (id integer PRIMARY KEY, more hstore);
INSERT INTO shop.things SELECT n, hstore('n', n::text) FROM generate_series(1, 1000) n;
CREATE SEQUENCE shop.numbers START 4711;
SELECT nextval('shop.numbers'), lo_from_bytea(0, 'large');
GRANT USAGE ON SCHEMA shop TO reader;
GRANT SELECT ON shop.things TO reader;
"""


def as_master(directory: Path) -> list[str]:
    return ["--sslmode", "disable", "--user", "master", "--password-file", str(directory / "password")]


class Receiver:
    """Who takes what is pushed: path to body."""

    def __enter__(self) -> tuple[str, dict[str, str]]:
        bodies: dict[str, str] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies[self.path] = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.send_response(202)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()
        return f"http://{HOST}:{self._server.server_port}", bodies

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class BackedUpDatabase(ShippedDatabase):
    """The database in the cluster of a stack with backups."""

    roles = (*ROLES, RESTORER)

    @classmethod
    def recorded(cls) -> tuple[Recording, str]:
        return with_section("dev", "database", mode="in_cluster"), "dev"


def test_the_role_that_restores_in_the_cluster_puts_databases_back_for_their_owners_and_is_no_superuser(
    tmp_path: Path,
) -> None:
    for server in _running(BackedUpDatabase):
        at = site(tmp_path, server, {})
        databases = []
        for name in ("auterity", "kong"):
            (tmp_path / name).write_text(server.passwords[name])
            databases.append({"name": name, "user": name, "password_file": str(tmp_path / name)})
        at.replan(server={**at.plan["server"], "superuser": False, "databases": databases})
        with server.connect("auterity", "auterity") as connection:
            connection.execute("CREATE EXTENSION hstore")
            connection.execute("CREATE TABLE orders AS SELECT generate_series(1, 100) AS id")
            connection.execute("GRANT SELECT ON orders TO metrics")
            make(at)
            at.run("run")
            connection.execute("DELETE FROM orders WHERE id > 50")
        (tmp_path / RESTORER).write_text(server.passwords[RESTORER])
        who = ["--no-roles", "--user", RESTORER, "--password-file", str(tmp_path / RESTORER)]
        at.run("restore", "--target", "second", *who, code=3)
        # Somebody is in it meanwhile.
        with server.connect("metrics", "auterity"):
            at.run("restore", "--target", "second", *who, "--overwrite", "auterity", "--overwrite", "kong")
        with server.connect("auterity", "auterity") as connection:
            assert connection.execute("SELECT count(*) FROM orders").fetchone() == (100,)
            owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'orders'"
            assert connection.execute(owner).fetchone() == ("auterity",)
        with server.connect(RESTORER) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("GRANT pg_execute_server_program TO restorer")
