"""What a database holds, in numbers: by them a restored one is compared with the one that was dumped."""

from __future__ import annotations

from psycopg import sql
from pydantic import BaseModel, ConfigDict

from operations.backup.server import Session

TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY 1, 2
"""
"""Tables and partitions with rows of their own; those of extensions are the extensions' affair."""

# PostgreSQL's own hash of 64 bits, a third of the work of MD5. Every release computes it alike, or rows would leave
# their hash partitions. Summed (as numeric), so that the order of the rows does not matter.
ROWS = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM ONLY {} t"

LARGE_OBJECTS = """
SELECT count(*), coalesce(sum(hashtextextended(oid::text || md5(lo_get(oid)), 0)), 0)::text
FROM pg_largeobject_metadata
"""

SEQUENCES = """
SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences
WHERE schemaname NOT LIKE 'pg\\_%' ORDER BY 1
"""

EXTENSIONS = "SELECT extname FROM pg_extension ORDER BY 1"

CONSTRAINTS = """
SELECT contype::text, convalidated, count(*) FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' GROUP BY 1, 2 ORDER BY 1, 2
"""

SIZE = "SELECT pg_database_size(current_database())"

PROPERTIES = """
SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype
FROM pg_database WHERE datname = current_database()
"""

SETTINGS = """
SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
WHERE d.datname = current_database() AND s.setrole = 0 ORDER BY 1
"""

PRIVILEGES = """
SELECT CASE WHEN a.grantee = 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable
FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
WHERE d.datname = current_database() AND a.grantee <> d.datdba ORDER BY 1, 2
"""


class Rows(BaseModel):
    """Rows of a table.

    Attributes:
        count: how many.
        checksum: sum of their digests, a decimal number.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int
    checksum: str


class Privilege(BaseModel):
    """A privilege on the database itself; to everybody where no role is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str | None
    privilege: str
    grantable: bool


class Facts(BaseModel):
    """What a database holds.

    Attributes:
        owner, encoding, collation, character_type: how it was made.
        settings: its own settings, ``name=value``.
        privileges: who may do what with it, its owner aside.
        tables: ``schema.table`` to its rows.
        large_objects: its large objects.
        sequences: ``schema.sequence`` to the last value; None for one that was never asked.
        extensions: names of its extensions.
        constraints: kind and whether it was validated, to how many.
        size_bytes: bytes on the server's disk.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: str
    encoding: str
    collation: str
    character_type: str
    settings: tuple[str, ...]
    privileges: tuple[Privilege, ...]
    tables: dict[str, Rows]
    large_objects: Rows
    sequences: dict[str, int | None]
    extensions: tuple[str, ...]
    constraints: dict[str, int]
    size_bytes: int


def count(connection: Session) -> Facts:
    """Count and digest all that the session's snapshot shows; memory does not grow with the data.

    Raises:
        psycopg.Error: something cannot be read.
    """

    def ask(query: str | sql.Composed) -> list[tuple[object, ...]]:
        return connection.execute(query if isinstance(query, sql.Composed) else query.encode()).fetchall()

    [(owner, encoding, collation, character_type)] = ask(PROPERTIES)
    tables = {}
    for schema, table in ask(TABLES):
        [(rows, checksum)] = ask(sql.SQL(ROWS).format(sql.Identifier(str(schema), str(table))))
        tables[f"{schema}.{table}"] = Rows(count=int(str(rows)), checksum=str(checksum))
    [(objects, objects_checksum)] = ask(LARGE_OBJECTS)
    [(size,)] = ask(SIZE)
    return Facts(
        owner=str(owner),
        encoding=str(encoding),
        collation=str(collation),
        character_type=str(character_type),
        settings=tuple(str(setting) for (setting,) in ask(SETTINGS)),
        privileges=tuple(
            Privilege(role=None if role is None else str(role), privilege=str(privilege), grantable=bool(grantable))
            for role, privilege, grantable in ask(PRIVILEGES)
        ),
        tables=tables,
        large_objects=Rows(count=int(str(objects)), checksum=str(objects_checksum)),
        sequences={str(name): None if last is None else int(str(last)) for name, last in ask(SEQUENCES)},
        extensions=tuple(str(name) for (name,) in ask(EXTENSIONS)),
        constraints={
            f"{kind} {'valid' if valid else 'not valid'}": int(str(number)) for kind, valid, number in ask(CONSTRAINTS)
        },
        size_bytes=int(str(size)),
    )


def differences(expected: Facts, found: Facts) -> list[str]:
    """Say in what a restored database differs from what was dumped.

    Sequences are outside of transactions: one may be further on than it was when it was counted, never behind.
    """
    told = []
    for name in sorted(expected.tables.keys() | found.tables.keys()):
        before, after = expected.tables.get(name), found.tables.get(name)
        if before is None or after is None:
            told.append(f"table {name} is {'new' if before is None else 'missing'}")
        elif before.count != after.count:
            told.append(f"table {name} has {after.count} rows instead of {before.count}")
        elif before != after:
            told.append(f"table {name} has other rows, as many")
    if expected.large_objects != found.large_objects:
        told.append(f"large objects differ: {found.large_objects.count} of {expected.large_objects.count}")
    for name, last in expected.sequences.items():
        now = found.sequences.get(name)
        if name not in found.sequences or (last is not None and (now is None or abs(now) < abs(last))):
            told.append(f"sequence {name} stands at {now} instead of {last}")
    missing = [name for name in expected.extensions if name not in found.extensions]
    told += [f"extension {name} is missing" for name in missing]
    if expected.constraints != found.constraints:
        told.append(f"constraints differ: {found.constraints} instead of {expected.constraints}")
    return told
