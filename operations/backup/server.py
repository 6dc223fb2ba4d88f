"""The PostgreSQL server: sessions, and the programs that work on it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from operations.backup.errors import BackupError
from operations.backup.plan import DatabasePlan, ServerPlan, read_secret
from operations.backup.processes import run

MAINTENANCE = "postgres"
"""Database to be in while others are made or removed."""

Session = psycopg.Connection[tuple[object, ...]]

SETTINGS = {
    # Values must be written the same way on every server and by every user, or checksums would differ.
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "search_path": "pg_catalog",
    # An error, instead of only the rows that a policy shows.
    "row_security": "off",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}

COMPRESS = ("zstd", "-1", "--rsyncable", "--threads=2", "--quiet", "--stdout")
"""Level 1 takes three fifths of the default level's CPU, and made a gigabyte of orders smaller than that does (290
against 335 MiB). Two threads whatever machine it is: memory grows with each.
"""

DECOMPRESS = ("zstd", "--decompress", "--quiet", "--stdout")

ROLES_LIMIT = 120
"""Seconds to read the roles."""

UNCOUNTED = re.compile(r"^(CREATE|ALTER|GRANT|COMMENT)\b.* \"?rds", re.MULTILINE)
"""Statements about the roles that RDS itself has."""

SUPERUSERS_WORDS = re.compile(r" (NO)?(SUPERUSER|REPLICATION|BYPASSRLS)\b")
"""Attributes that only a superuser may name, whether they are given or withheld."""


def environment(server: ServerPlan, database: DatabasePlan, name: str | None = None) -> dict[str, str]:
    """Tell libpq where to connect, and as whom (https://www.postgresql.org/docs/15/libpq-envars.html)."""
    found = {
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": database.user,
        "PGPASSWORD": read_secret(database.password_file),
        "PGDATABASE": name or database.name,
        "PGSSLMODE": server.sslmode,
        "PGCONNECT_TIMEOUT": "15",
        "PGAPPNAME": "auterity-backup",
    }
    if server.sslrootcert:
        found["PGSSLROOTCERT"] = str(server.sslrootcert)
    return found


@contextmanager
def session(server: ServerPlan, database: DatabasePlan, name: str | None = None) -> Iterator[Session]:
    """Connect as a database's reader, to `name` instead of its own database where that is given.

    Raises:
        BackupError: the server does not let us in.
    """
    told = environment(server, database, name)
    try:
        connection = psycopg.connect(
            host=told["PGHOST"],
            port=told["PGPORT"],
            user=told["PGUSER"],
            password=told["PGPASSWORD"],
            dbname=told["PGDATABASE"],
            sslmode=told["PGSSLMODE"],
            sslrootcert=told.get("PGSSLROOTCERT"),
            connect_timeout=15,
            application_name="auterity-backup",
            autocommit=True,
        )
    except psycopg.Error as error:
        raise BackupError(f"no session in database {told['PGDATABASE']} on {server.host}: {error}") from error
    with connection:
        try:
            for setting, value in SETTINGS.items():
                connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
            yield connection
        except psycopg.Error as error:
            raise BackupError(f"database {told['PGDATABASE']} on {server.host}: {error}") from error


def dump_command(snapshot: str) -> list[str]:
    """Return the command that dumps a database as an exported snapshot shows it, compressed.

    zstd compresses so that what has not changed since yesterday is the same bytes again a little after what has
    (``--rsyncable``), which the repository already has; it takes a third of the CPU of restic's own compression.
    """
    dump = ["pg_dump", "--format=custom", "--compress=0", "--no-password", f"--snapshot={snapshot}"]
    # A failure of either is one of both: restic then keeps nothing.
    return ["bash", "-o", "pipefail", "-c", f'"$@" | {shlex.join(COMPRESS)}', "dump", *dump]


def read_roles(server: ServerPlan) -> str:
    """Return statements that make the server's roles, with password verifiers where a superuser reads them.

    Raises:
        BackupError: they cannot be read.
    """
    command = ["pg_dumpall", "--roles-only", "--no-password", *([] if server.superuser else ["--no-role-passwords"])]
    # pg_dumpall takes the database to be in as an option alone.
    found = run(
        [*command, f"--database={server.databases[0].name}"],
        environment(server, server.databases[0]),
        seconds=ROLES_LIMIT,
    )
    if found.code != 0:
        raise BackupError(f"the roles of {server.host} cannot be read: {found.words}")
    lines = found.output.decode().splitlines()
    wanted = [line for line in lines if line.startswith(("CREATE ROLE", "ALTER ROLE", "GRANT"))]
    if server.superuser:
        return "\n".join(wanted)
    return "\n".join(_without_superuser(line) for line in wanted if not UNCOUNTED.search(line))


def make_roles(connection: Session, statements: str) -> None:
    """Make the roles that a backup names; those that are there already are brought to what it says.

    The session's own is left as it is, or its password would become what it once was.

    Raises:
        psycopg.Error: a statement is refused.
    """
    [(own,)] = connection.execute("SELECT quote_ident(current_user)").fetchall()
    for statement in statements.splitlines():
        if statement.startswith(f"ALTER ROLE {own} "):
            continue
        if statement.startswith("CREATE ROLE"):
            body = f"BEGIN {statement} EXCEPTION WHEN duplicate_object THEN NULL; END"
            connection.execute(sql.SQL("DO {}").format(sql.Literal(body)))
        else:
            connection.execute(statement.encode())


def _without_superuser(statement: str) -> str:
    return re.sub(r" GRANTED BY .*;$", ";", SUPERUSERS_WORDS.sub("", statement))
