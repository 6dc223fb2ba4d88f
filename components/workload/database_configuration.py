"""What the database in the cluster is told: its configuration, who gets in, and which roles and databases there are.

None of it holds a secret: passwords come from files.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from settings.database import DatabaseSettings

PORT = 5432
"""TCP port, reached from inside the cluster alone."""

METRICS_ROLE = "metrics"
"""Role that may read the server's figures, and no data; it needs no password, and comes from the server's own pod."""

RESTORER = "restorer"
"""Role that may put databases in the place of others, in the name of their owners, and is no superuser."""

ITERATIONS = 4096
"""Rounds of hashing that make guessing slow: PostgreSQL's own number (``scram_iterations``)."""

CONFIGURATION, DATA, SOCKETS = "/etc/postgresql", "/var/lib/postgresql/data", "/var/run/postgresql"
"""Directories of the configuration, of the volume and of the server's sockets."""

VERIFIERS = "/run/secrets/database"
"""Directory of what tells right passwords from wrong ones: a file for each role that has one."""

PREPARE = f"""\
# Lay the data out where there is none, then bring roles and databases to what roles.sql states.
# No client gets in meanwhile: the server listens on its socket alone.
set -eu
if [ ! -e "$PGDATA" ]; then
  rm -rf "$PGDATA.new"
  initdb --pgdata="$PGDATA.new" --username=postgres --auth-local=peer --auth-host=scram-sha-256 \\
    --encoding=UTF8 --locale=C.UTF-8 --data-checksums
  mv "$PGDATA.new" "$PGDATA"
fi
# A volume's files are opened to its group when it is mounted; the server refuses a directory that others can read.
chmod 0700 "$PGDATA"
pg_ctl --pgdata="$PGDATA" --wait --timeout=3600 \\
  --options="--config-file={CONFIGURATION}/postgresql.conf --listen_addresses=" start
trap 'pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop' EXIT
psql --username=postgres --dbname=postgres --no-psqlrc --quiet --file={CONFIGURATION}/roles.sql
"""
"""What runs before each start of the server."""


def server_configuration(settings: DatabaseSettings) -> str:
    """Write ``postgresql.conf`` (https://www.postgresql.org/docs/15/runtime-config.html).

    A quarter of the memory for shared buffers is the manual's own proportion (19.4.1).
    """
    memory = settings.in_cluster.memory_mib
    lines: dict[str, str | int] = {
        "listen_addresses": "*",
        "port": PORT,
        "unix_socket_directories": SOCKETS,
        "hba_file": f"{CONFIGURATION}/pg_hba.conf",
        "max_connections": settings.in_cluster.max_connections,
        "password_encryption": "scram-sha-256",
        "shared_buffers": f"{memory // 4}MB",
        "effective_cache_size": f"{memory // 2}MB",
        "maintenance_work_mem": f"{max(16, memory // 16)}MB",
        "shared_preload_libraries": "pg_stat_statements",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_connections": "on",
        "log_disconnections": "on",
        "log_lock_waits": "on",
        "log_checkpoints": "on",
        "log_statement": "ddl",
        "log_min_duration_statement": f"{settings.slow_query_ms}ms",
        "log_line_prefix": "%m [%p] user=%u db=%d app=%a client=%h ",
    }
    return "".join(f"{key} = '{value}'\n" for key, value in lines.items())


def access() -> str:
    """Write ``pg_hba.conf``: the superuser by the socket, the exporter from its own pod, all others by password."""
    lines = [
        "local all postgres peer",
        "host all postgres all reject",
        f"host all {METRICS_ROLE} 127.0.0.1/32 trust",
        f"host all {METRICS_ROLE} all reject",
        "host all all all scram-sha-256",
    ]
    return "".join(f"{line}\n" for line in lines)


def roles(
    owners: Mapping[str, str],
    readers: Sequence[str] = (METRICS_ROLE,),
    restorers: Sequence[str] = (),
    logins: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Write what brings roles and databases to what is stated, as often as it runs.

    Args:
        owners: name of each database to that of its owner; both are plain identifiers.
        readers: roles that may read the server's figures, and no data.
        restorers: roles that may make databases for the owners. They make no roles: in release 15 whoever does can
            become the superuser.
        logins: name of an owner or a restorer to the roles that sign in for it, each with a password of its own:
            itself, or one that then acts in its name. Who is not named signs in as itself.
    """
    acting = {role: (logins or {}).get(role, (role,)) for role in dict.fromkeys([*owners.values(), *restorers])}
    lines = [
        "\\set ON_ERROR_STOP on",
        *(line for role in dict.fromkeys([*acting, *readers]) for line in _role(role)),
        *(f"ALTER ROLE {reader} LOGIN;" for reader in readers),
        *(line for role, signing_in in acting.items() for login in signing_in for line in _login(login, role)),
        *(f"GRANT pg_monitor TO {reader};" for reader in readers),
        *(f"ALTER ROLE {restorer} CREATEDB;" for restorer in restorers),
        # Who is in a database that is replaced has to leave it.
        *(f"GRANT pg_signal_backend TO {restorer};" for restorer in restorers),
        *(f"GRANT {owner} TO {restorer};" for restorer in restorers for owner in dict.fromkeys(owners.values())),
        *(line for database, owner in owners.items() for line in _database(database, owner)),
        *(f"GRANT CONNECT ON DATABASE {database} TO {reader};" for database in owners for reader in readers),
    ]
    return "\n".join([*lines, ""])


def _role(role: str) -> list[str]:
    return [
        _create(role),
        # Who is not the superuser may give a database to those alone whose member it is.
        f"GRANT {role} TO CURRENT_USER;",
    ]


def _create(role: str) -> str:
    missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
    return f"SELECT 'CREATE ROLE {role}' WHERE {missing} \\gexec"


def _login(login: str, role: str) -> list[str]:
    # What it makes is the role's own, whoever signed in.
    in_its_name = [_create(login), f"GRANT {role} TO {login};", f"ALTER ROLE {login} SET role TO '{role}';"]
    return [
        *(in_its_name if login != role else []),
        # Servers log such statements: they get to see what tells a right password, and never one.
        f"\\set verifier `cat {VERIFIERS}/{login}`",
        f"ALTER ROLE {login} LOGIN PASSWORD :'verifier';",
    ]


def _database(database: str, owner: str) -> list[str]:
    missing = f"NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}')"
    return [
        f"SELECT 'CREATE DATABASE {database} OWNER {owner}' WHERE {missing} \\gexec",
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC;",
    ]


def verifier(password: str) -> str:
    """Write what a server keeps of a password (RFC 5802, RFC 7677), in PostgreSQL's form.

    The salt follows from the password, so that the same one does not look like a change; passwords are made at random,
    so that no two have the same.
    """
    salt = hashlib.sha256(f"salt of {password}".encode()).digest()[:16]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded_salt, encoded_stored, encoded_server = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${ITERATIONS}:{encoded_salt}${encoded_stored}:{encoded_server}"
