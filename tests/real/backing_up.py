"""A database with all that a backup must keep, targets, and the commands that the scheduled jobs run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import yaml

from sandbox.toolchain.backup_binaries import ensure_restic
from sandbox.toolchain.cache import cache_directory
from tests.real.object_stores import ObjectStore
from tests.real.services import POSTGRES_BIN, Postgres

CONTENT = """
CREATE ROLE shop_owner NOLOGIN;
CREATE ROLE shop_app LOGIN PASSWORD 'shop' IN ROLE shop_owner CONNECTION LIMIT 7;
CREATE ROLE "odd ""name" NOLOGIN;
CREATE EXTENSION hstore;
CREATE SCHEMA shop AUTHORIZATION shop_owner;
CREATE TYPE shop.state AS ENUM ('new', 'paid');
CREATE TABLE shop.customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, tags hstore);
CREATE TABLE shop.orders (
  id serial PRIMARY KEY, customer bigint REFERENCES shop.customers, state shop.state DEFAULT 'new',
  total numeric(12, 2) CHECK (total >= 0), ratio double precision, placed timestamptz, raw bytea, more jsonb
);
CREATE TABLE shop.events (day date NOT NULL, what text) PARTITION BY RANGE (day);
CREATE TABLE shop.events_2026 PARTITION OF shop.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE shop.events_rest PARTITION OF shop.events DEFAULT;
CREATE INDEX orders_placed ON shop.orders (placed);
CREATE VIEW shop.paid AS SELECT * FROM shop.orders WHERE state = 'paid';
CREATE MATERIALIZED VIEW shop.totals AS SELECT customer, sum(total) FROM shop.orders GROUP BY 1;
CREATE FUNCTION shop.twice(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 * 2';
CREATE TABLE shop."Odd ""table" (a text);
INSERT INTO shop."Odd ""table" VALUES (NULL), (''), (E'tab\\tand\\nline'), ('ünïcödé');
INSERT INTO shop.customers (name, tags) SELECT 'customer ' || n, hstore('n', n::text) FROM generate_series(1, 500) n;
INSERT INTO shop.orders (customer, state, total, ratio, placed, raw, more)
  SELECT 1 + n % 500, CASE WHEN n % 3 = 0 THEN 'paid' ELSE 'new' END::shop.state, n * 1.5, 1.0 / n,
    '2026-11-01'::timestamptz + n * interval '1 minute', decode(md5(n::text), 'hex'), jsonb_build_object('n', n)
  FROM generate_series(1, 5000) n;
INSERT INTO shop.events SELECT '2025-12-01'::date + n, 'event ' || n FROM generate_series(1, 100) n;
SELECT lo_from_bytea(0, convert_to(repeat('large ' || n, 5000), 'UTF8')) FROM generate_series(1, 5) n;
ALTER TABLE shop.orders OWNER TO shop_owner;
GRANT SELECT ON shop.orders TO shop_app WITH GRANT OPTION;
ALTER TABLE shop.customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.customers FOR SELECT TO shop_app USING (name = current_user);
REFRESH MATERIALIZED VIEW shop.totals;
"""

DATABASE = "shop"


@dataclass
class Site:
    """A server, its targets, and the plan that says so.

    Attributes:
        server: PostgreSQL.
        stores: target to the server that keeps it.
        directory: where its files are.
        environment: what the commands are told.
    """

    server: Postgres
    stores: Mapping[str, ObjectStore]
    directory: Path
    environment: dict[str, str]

    @property
    def plan(self) -> dict[str, Any]:
        """The plan."""
        found: dict[str, Any] = yaml.safe_load((self.directory / "plan.yaml").read_text())
        return found

    def replan(self, **changes: Any) -> None:
        """Change the plan."""
        (self.directory / "plan.yaml").write_text(yaml.safe_dump({**self.plan, **changes}))

    def command(self, *words: str) -> list[str]:
        """Return a command of the operator."""
        return [sys.executable, "-m", "operations", "backup", *words]

    def run(self, *words: str, code: int | None = 0, seconds: int = 180) -> subprocess.CompletedProcess[str]:
        """Run a command of the operator, and see how it ends."""
        done = subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert code is None or done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def restic(self, target: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run restic on a target."""
        [repository] = [each["repository"] for each in self.plan["targets"] if each["name"] == target]
        told = {"RESTIC_REPOSITORY": repository, "RESTIC_PASSWORD_FILE": str(self.directory / "key"), "TZ": "UTC"}
        return subprocess.run(
            ["restic", *words],
            # Some of its commands leave what they have found in the current directory.
            cwd=self.directory,
            env={**self.environment, **told},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )

    def restore(self, target: str, *words: str, code: int | None = 0, into: Postgres | None = None) -> str:
        """Restore from a target alone, as the superuser of a server."""
        server = into or self.server
        password = self.directory / f"password-{server.port}"
        password.write_text(server.password)
        where = ["--host", server.host, "--port", str(server.port), "--sslmode", "disable"]
        who = ["--user", server.user, "--password-file", str(password)]
        return self.run("restore", "--target", target, *where, *who, *words, code=code).stderr

    def connect(self, database: str = DATABASE, server: Postgres | None = None) -> psycopg.Connection[Any]:
        """Connect as the superuser."""
        return connected(server or self.server, database)


def connected(server: Postgres, database: str) -> psycopg.Connection[Any]:
    """Connect as the superuser."""
    return psycopg.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        dbname=database,
        autocommit=True,
    )


def site(directory: Path, server: Postgres, stores: Mapping[str, ObjectStore], **changes: Any) -> Site:
    """Make a plan for a server whose database `shop` is backed up to stores, or to directories where there are none."""
    (directory / "password").write_text(server.password)
    (directory / "key").write_text("a key of the tests")
    targets = [{"name": name, "repository": store.repository} for name, store in stores.items()]
    targets = targets or [{"name": name, "repository": str(directory / name)} for name in ("first", "second")]
    plan = {
        "server": {
            "host": server.host,
            "port": server.port,
            "sslmode": "disable",
            "superuser": True,
            "databases": [{"name": DATABASE, "user": server.user, "password_file": str(directory / "password")}],
        },
        "targets": targets,
        "password_file": str(directory / "key"),
        "limits": {"reach": 20, "transfer": 120, "lock": 5},
        **changes,
    }
    (directory / "plan.yaml").write_text(yaml.safe_dump(plan))
    restic = ensure_restic(cache_directory())
    environment = {
        "PATH": f"{restic.parent}:{POSTGRES_BIN}:{os.environ['PATH']}",
        "HOME": str(directory),
        "AUTERITY_BACKUP_PLAN": str(directory / "plan.yaml"),
        "RESTIC_CACHE_DIR": str(directory / "cache"),
    }
    for store in stores.values():
        environment |= store.told
    return Site(server, stores, directory, environment)


def fill(server: Postgres) -> None:
    """Make the database `shop`, and all that a backup must keep."""
    with connected(server, "postgres") as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        connection.execute(f"ALTER DATABASE {DATABASE} SET work_mem TO '7MB'".encode())
        connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC".encode())
    with connected(server, DATABASE) as connection:
        for role in ("shop_app", "shop_owner", '"odd ""name"'):
            connection.execute(f"DROP ROLE IF EXISTS {role}".encode())
        connection.execute(CONTENT.encode())
        connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO shop_app".encode())


def whole(server: Postgres) -> dict[str, list[str]]:
    """Tell all that a server and its database hold, in a way that has nothing to do with how backups are compared.

    Rows come from COPY, definitions and privileges from a plain dump of the schema, large objects from lo_get.
    """
    environment = {**os.environ, "PGPASSWORD": server.password}
    where = ["-h", server.host, "-p", str(server.port), "-U", server.user]

    def asked(program: str, *words: str) -> list[str]:
        command = [str(POSTGRES_BIN / program), *where, *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
        # A random token of each dump, by which psql refuses commands in data.
        return [line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict", "--"))]

    def rows(query: str) -> list[str]:
        return asked("psql", "-XAt", "-d", DATABASE, "-c", query)

    tables = rows("SELECT c.oid::regclass FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'shop'::regnamespace")
    found = {f"rows of {table}": sorted(rows(f"COPY {table} TO STDOUT")) for table in sorted(tables)}
    found["sequences"] = [
        f"{name} {rows(f'SELECT last_value, is_called FROM {name}')}"
        for name in rows("SELECT c.oid::regclass FROM pg_class c WHERE relkind = 'S' ORDER BY 1")
    ]
    found["large objects"] = rows("SELECT oid, md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY 1")
    found["extensions"] = rows("SELECT extname, extversion FROM pg_extension ORDER BY 1")
    found["schema"] = asked("pg_dump", "--schema-only", "-d", DATABASE)
    found["roles"] = [line for line in asked("pg_dumpall", "--roles-only", "-l", DATABASE) if server.user not in line]
    found["settings"] = rows(
        "SELECT s.setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
        f" WHERE datname = '{DATABASE}'"
    )
    found["database"] = rows(
        "SELECT datacl, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate"
        f" FROM pg_database WHERE datname = '{DATABASE}'"
    )
    return found
