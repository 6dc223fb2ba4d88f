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

READER = "backup"
"""Role that reads all of every database for the backups, and writes nothing."""

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


TAKE_OVER = """\
\\connect :database
BEGIN;
SELECT coalesce(string_agg(format('ALTER DATABASE %I OWNER TO %I;', datname, :'former'), ' '), '') AS kept
FROM pg_database WHERE datdba = :'former'::regrole \\gset
SELECT format('REASSIGN OWNED BY %I TO %I; ', :'former', :'owner') || :'kept'
WHERE EXISTS (
  SELECT FROM pg_shdepend
  WHERE refclassid = 'pg_authid'::regclass AND refobjid = :'former'::regrole AND deptype = 'o'
    AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
) \\gexec
COMMIT;"""
"""What gives all that a role owns in a database to the owner; other databases of that role stay with it."""

LET_READ = """\
\\connect :database
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, :'reader') FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND pg_has_role(nspowner, 'USAGE') \\gexec
SELECT format('GRANT SELECT ON %I.%I TO %I', nspname, relname, :'reader')
FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
  AND pg_has_role(relowner, 'USAGE') \\gexec
SELECT format('GRANT SELECT ON LARGE OBJECT %s TO %I', oid, :'reader') FROM pg_largeobject_metadata
WHERE pg_has_role(lomowner, 'USAGE') \\gexec
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" GRANT USAGE ON SCHEMAS TO :"reader";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" GRANT SELECT ON TABLES TO :"reader";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" GRANT SELECT ON SEQUENCES TO :"reader";"""
"""What lets a role read all that there is in a database, and all that its owner will make; of large objects, which have
no such default before release 18, those that there are.
"""


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
    monitors: Sequence[str] = (METRICS_ROLE,),
    readers: Sequence[str] = (),
    restorers: Sequence[str] = (),
    logins: Mapping[str, Sequence[str]] | None = None,
    former: Mapping[str, str] | None = None,
) -> str:
    """Write what brings roles and databases to what is stated, as often as it runs, by whoever may make them.

    That is the superuser in the cluster, and on RDS the master user, which makes roles and databases and is no
    superuser.

    Args:
        owners: name of each database to that of its owner; all names are plain identifiers.
        monitors: roles that may read the server's figures, and no data.
        readers: roles that may read all of every database, and write nothing.
        restorers: roles that may make databases for the owners. They make no roles: in release 15 whoever does can
            become the superuser.
        logins: name of an owner, a reader or a restorer to the roles that sign in for it, each with a password of its
            own: itself, or one that then acts in its name. Who is not named signs in as itself.
        former: name of a database to the role that used it before it had an owner of its own, and that runs this. What
            that role has in the database becomes the owner's; it may still use it, so that who signs in by it goes on
            working.
    """
    named = dict.fromkeys([*owners.values(), *readers, *restorers])
    acting = {role: (logins or {}).get(role, (role,)) for role in named}
    others = {login: role for role, signing_in in acting.items() for login in signing_in if login != role}
    # Whose sessions a restorer ends, and for whom it makes databases.
    clients = [
        role for role, acts_for in {**{one: one for one in named}, **others}.items() if acts_for not in restorers
    ]
    lines = [
        "\\set ON_ERROR_STOP on",
        *(line for role in dict.fromkeys([*acting, *monitors]) for line in _role(role)),
        *(f"ALTER ROLE {monitor} LOGIN;" for monitor in monitors),
        *(line for role, signing_in in acting.items() for login in signing_in for line in _login(login, role)),
        *(f"GRANT pg_monitor TO {monitor};" for monitor in monitors),
        *(line for restorer in restorers for line in _restorer(restorer, clients)),
        *(line for database, owner in owners.items() for line in _database(database, owner)),
        *(f"GRANT CONNECT ON DATABASE {database} TO {who};" for database in owners for who in (*monitors, *readers)),
        *(
            f"\\set database {database}\n\\set former {role}\n\\set owner {owners[database]}\n{TAKE_OVER}"
            for database, role in (former or {}).items()
        ),
        *(
            f"\\set database {database}\n\\set owner {owner}\n\\set reader {reader}\n{LET_READ}"
            for database, owner in owners.items()
            for reader in readers
        ),
    ]
    return "\n".join([*lines, ""])


def _role(role: str) -> list[str]:
    # Who is not the superuser may give a database to those alone whose member it is. From release 16 on it also changes
    # those alone that it administers: what it makes there, and what it was given before the upgrade.
    administered = "CASE WHEN current_setting('server_version_num')::int < 160000 THEN ' WITH ADMIN OPTION' ELSE '' END"
    missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
    return [
        f"SELECT 'CREATE ROLE {role}' WHERE {missing} \\gexec",
        f"SELECT 'GRANT {role} TO CURRENT_USER' || {administered} \\gexec",
    ]


def _login(login: str, role: str) -> list[str]:
    # What it makes is the role's own, whoever signed in.
    in_its_name = [*_role(login), f"GRANT {role} TO {login};", f"ALTER ROLE {login} SET role TO '{role}';"]
    return [
        *(in_its_name if login != role else []),
        # Servers log such statements: they get to see what tells a right password, and never one.
        f"\\set verifier `cat {VERIFIERS}/{login}`",
        f"ALTER ROLE {login} LOGIN PASSWORD :'verifier';",
    ]


def _restorer(restorer: str, clients: Sequence[str]) -> list[str]:
    return [
        f"ALTER ROLE {restorer} CREATEDB;",
        # Who is in a database that is replaced has to leave it. Members end each other's sessions anyway: from release
        # 16 on RDS may keep the right to end everybody's for itself.
        f"DO $$ BEGIN GRANT pg_signal_backend TO {restorer}; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;",
        *(f"GRANT {role} TO {restorer};" for role in clients),
    ]


def _database(database: str, owner: str) -> list[str]:
    this = f"FROM pg_database WHERE datname = '{database}'"
    return [
        f"SELECT 'CREATE DATABASE {database} OWNER {owner}' WHERE NOT EXISTS (SELECT {this}) \\gexec",
        f"SELECT 'ALTER DATABASE {database} OWNER TO {owner}' {this} AND datdba <> '{owner}'::regrole \\gexec",
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
