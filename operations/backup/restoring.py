"""Restoring a backup: into a database beside the one it replaces, which is exchanged once the new one is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from psycopg import sql

from operations.backup.errors import BackupError, RefusedError
from operations.backup.facts import Facts, count, differences
from operations.backup.manifest import Backup, Dumped, dump_file
from operations.backup.plan import DatabasePlan, ServerPlan
from operations.backup.processes import pipe
from operations.backup.server import DECOMPRESS, MAINTENANCE, Session, environment, make_roles, session
from operations.backup.timing import timed

USER_OBJECTS = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""

NAME_BYTES = 63
"""Longest name that PostgreSQL takes whole."""

MAJOR = 10000
"""``server_version`` of a major release."""


@dataclass
class Restored:
    """A database that was restored.

    Attributes:
        database: its name.
        seconds: phase to how long it took.
        facts: what it holds.
    """

    database: str
    seconds: dict[str, float] = field(default_factory=dict)
    facts: Facts | None = None


@dataclass(frozen=True)
class Destination:
    """Where a backup goes to.

    Attributes:
        server: the server.
        user: who makes roles and databases there; only its user and password count.
        names: database of the backup to the name that it gets; those that are not here are not restored.
        overwrite: names of databases that may be replaced although something is in them.
        roles: whether roles are made, too; otherwise those that the databases name must be there.
    """

    server: ServerPlan
    user: DatabasePlan
    names: dict[str, str]
    overwrite: frozenset[str] = frozenset()
    roles: bool = True


def restore(backup: Backup, destination: Destination, told: Callable[[str], None]) -> list[Restored]:
    """Restore databases of a backup, roles first, in the order in which they were dumped.

    A database keeps its old content until its new one is complete and compared with the backup; if anything fails,
    nothing has changed but for roles.

    Args:
        backup: the backup.
        destination: where it goes to.
        told: hears of progress.

    Raises:
        RefusedError: a database is there, not empty, and not named as one to be overwritten.
        BackupError: something does not work, or what was restored differs from what was dumped.
    """
    databases = {name: dumped for name, dumped in backup.manifest.databases.items() if name in destination.names}
    with session(destination.server, destination.user, MAINTENANCE) as connection:
        newest = connection.info.server_version // MAJOR
        if newest < backup.manifest.server_version // MAJOR:
            raise RefusedError(
                f"{destination.server.host} runs PostgreSQL {newest}; the backup is of "
                f"{backup.manifest.server_version // MAJOR} and goes into that release or a newer one"
            )
        for name in databases:
            _may_replace(connection, destination, destination.names[name])
        if destination.roles:
            told("making roles")
            make_roles(connection, backup.manifest.roles)
        return [_restore(backup, name, dumped, destination, connection, told) for name, dumped in databases.items()]


def _restore(
    backup: Backup,
    name: str,
    dumped: Dumped,
    destination: Destination,
    connection: Session,
    told: Callable[[str], None],
) -> Restored:
    final = destination.names[name]
    beside = f"{final[: NAME_BYTES - len('_restoring')]}_restoring"
    restored = Restored(final)
    server, user = destination.server, destination.user
    # What an earlier attempt has left is not gone on with.
    _drop(connection, beside)
    try:
        with timed(restored.seconds, "restore"):
            told(f"restoring {final}")
            _create(connection, beside, dumped.facts, member_of_all=destination.roles)
            reading = backup.repository.reading(dumped.snapshot, dump_file(name))
            writing = ["pg_restore", "--exit-on-error", "--no-password", f"--dbname={beside}"]
            limit = backup.repository.plan.limits.transfer
            pipe(reading, (DECOMPRESS, {}), (writing, environment(server, user, beside)), seconds=limit)
        with session(server, user, beside) as inside:
            with timed(restored.seconds, "analyze"):
                told(f"analyzing {final}")
                inside.execute("ANALYZE")
            with timed(restored.seconds, "compare"):
                told(f"comparing {final}")
                restored.facts = count(inside)
        compare(backup, name, dumped.facts, restored.facts)
        _exchange(connection, beside, final)
    except BaseException:
        _drop(connection, beside)
        raise
    return restored


def compare(backup: Backup, name: str, expected: Facts, found: Facts) -> None:
    """See that a restored database is what was dumped.

    Raises:
        BackupError: it is not; the message says in what.
    """
    differing = differences(expected, found)
    if differing:
        where = f"{name} of {backup.manifest.run} from target {backup.repository.name}"
        raise BackupError(f"{where} differs from what was dumped: {'; '.join(differing)}")


def _may_replace(connection: Session, destination: Destination, name: str) -> None:
    there = connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchall()
    if not there or name in destination.overwrite:
        return
    with session(destination.server, destination.user, name) as inside:
        [(objects,)] = inside.execute(USER_OBJECTS.encode()).fetchall()
    if objects:
        raise RefusedError(
            f"database {name} on {destination.server.host} is not empty ({objects} tables, sequences and indexes); "
            f"to replace it, say --overwrite {name}"
        )


def _create(connection: Session, name: str, facts: Facts, *, member_of_all: bool) -> None:
    """Make an empty database like the one that was dumped, as a member of all roles where that can be had."""
    connection.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(
            sql.Identifier(name), facts.encoding, facts.collation, facts.character_type
        )
    )
    this, owner = sql.Identifier(name), sql.Identifier(facts.owner)
    if member_of_all and not _is_superuser(connection):
        # Objects are given to their owners, which takes a member of them.
        for (role,) in connection.execute(
            "SELECT rolname FROM pg_roles WHERE NOT rolsuper AND rolname !~ '^(pg_|rds)' AND rolname <> current_user"
            " AND NOT pg_has_role(current_user, oid, 'MEMBER')"
        ).fetchall():
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(str(role))))
    connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(this, owner))
    for setting in facts.settings:
        key, _, value = setting.partition("=")
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET {} TO {}").format(this, sql.Identifier(*key.split(".")), value)
        )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(this))
    for each in facts.privileges:
        connection.execute(
            sql.SQL("GRANT {} ON DATABASE {} TO {} {}").format(
                sql.SQL(_privilege(each.privilege)),
                this,
                sql.SQL("PUBLIC") if each.role is None else sql.Identifier(each.role),
                sql.SQL("WITH GRANT OPTION" if each.grantable else ""),
            )
        )


def _privilege(word: str) -> str:
    if word not in ("CONNECT", "CREATE", "TEMPORARY"):
        raise BackupError(f"a database has no privilege {word!r}")
    return "CREATE" if word == "CREATE" else "CONNECT" if word == "CONNECT" else "TEMPORARY"


def _is_superuser(connection: Session) -> bool:
    [(found,)] = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchall()
    return bool(found)


def _exchange(connection: Session, beside: str, final: str) -> None:
    """Put the new database in the old one's place, in one transaction, then remove the old one."""
    old = f"{final[: NAME_BYTES - len('_replaced')]}_replaced"
    there = connection.execute("SELECT FROM pg_database WHERE datname = %s", (final,)).fetchall()
    _drop(connection, old)
    if there:
        # Whoever is in the database keeps it from being renamed, and would write where nobody reads any more.
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(final)))
        connection.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s", (final,))
    try:
        with connection.transaction():
            if there:
                _rename(connection, final, old)
            _rename(connection, beside, final)
    except BaseException:
        if there:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(final)))
        raise
    _drop(connection, old)


def _rename(connection: Session, name: str, other: str) -> None:
    connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(other)))


def _drop(connection: Session, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
