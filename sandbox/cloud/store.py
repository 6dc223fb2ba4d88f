"""What the simulated clouds hold, on disk.

One SQLite file: a transaction per change, so that whatever is killed, the store holds what the cloud said it made.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.cloud.property_values import strings

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    number   INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    type     TEXT NOT NULL,
    id       TEXT NOT NULL,
    name     TEXT NOT NULL,
    inputs   TEXT NOT NULL,
    outputs  TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS resources_by_id ON resources (id);
CREATE TABLE IF NOT EXISTS identities (
    number   INTEGER NOT NULL REFERENCES resources ON DELETE CASCADE,
    word     TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS identities_by_word ON identities (word);
CREATE INDEX IF NOT EXISTS identities_by_number ON identities (number);
CREATE TABLE IF NOT EXISTS mentions (
    number   INTEGER NOT NULL REFERENCES resources ON DELETE CASCADE,
    word     TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS mentions_by_word ON mentions (word);
CREATE INDEX IF NOT EXISTS mentions_by_number ON mentions (number);
CREATE TABLE IF NOT EXISTS faults (fault TEXT PRIMARY KEY, uses INTEGER NOT NULL);
"""

_COLUMNS = "number, provider, account, region, type, id, name, inputs, outputs"
_NAME = re.compile(r"[\w./:+=,@-]{1,300}")


@dataclass(frozen=True)
class Resource:
    """One thing that exists in a simulated cloud.

    Attributes:
        provider: package name, such as ``aws``.
        account: account id or project that holds it; empty where the provider has none.
        region: Region it is in; empty for a global resource.
        type: Pulumi's type token.
        id: the id that the cloud gave it; unique per type, account and Region, but for revisions of one thing.
        name: name of the resource in the program that made it; empty if the cloud made it by itself.
        inputs: what it was last asked to be.
        outputs: what it is.
        number: the store's own key; 0 until it is stored.
    """

    provider: str
    account: str
    region: str
    type: str
    id: str
    name: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    number: int = field(default=0, compare=False)


class Store:
    """The resources of every simulated cloud, in ``cloud.db`` under `state_dir` (readable by its owner alone).

    It is used from one thread at a time; several processes may open it.

    Attributes:
        directory: where it is; what belongs to a resource and is no record lies beside it.
    """

    def __init__(self, state_dir: Path) -> None:
        self.directory = state_dir
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = state_dir / "cloud.db"
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._database.execute("PRAGMA journal_mode = WAL")
        # A transaction survives the death of any process; only a power cut could lose the last ones.
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("PRAGMA foreign_keys = ON")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is done inside happen wholly or not at all."""
        if self._database.in_transaction:
            yield
            return
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def list(
        self, provider: str | None = None, type: str | None = None, region: str | None = None
    ) -> Sequence[Resource]:
        """List resources in the order they were made, all or those of a provider, type or Region."""
        given = {"provider": provider, "type": type, "region": region}
        wanted = {column: value for column, value in given.items() if value is not None}
        where = " AND ".join(f"{column} = ?" for column in wanted) or "1"
        return self._select(f"{where} ORDER BY number", *wanted.values())

    def get(self, id: str, type: str | None = None, region: str | None = None) -> Resource:
        """Return the one resource with this id (and type, and Region).

        Raises:
            LookupError: there is none, or more than one.
        """
        found = self.find(id, type, region)
        if len(found) != 1:
            known = ", ".join(f"{resource.type} in {resource.region or 'no region'}" for resource in found) or "none"
            raise LookupError(f"id {id!r}: exactly one resource is wanted, found {known}")
        return found[0]

    def find(self, id: str, type: str | None = None, region: str | None = None) -> Sequence[Resource]:
        """List the resources with this id (of a type, in a Region)."""
        found = self._select("id = ?", id)
        return [r for r in found if type in (None, r.type) and region in (None, r.region)]

    def put(self, resource: Resource) -> Resource:
        """Add a resource, or rewrite it if it is stored already; return it as stored."""
        row = (
            resource.provider,
            resource.account,
            resource.region,
            resource.type,
            resource.id,
            resource.name,
            json.dumps(resource.inputs, separators=(",", ":")),
            json.dumps(resource.outputs, separators=(",", ":")),
        )
        with self.transaction():
            (number,) = self._database.execute(
                "INSERT INTO resources (number, provider, account, region, type, id, name, inputs, outputs)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number)"
                " DO UPDATE SET name = excluded.name, inputs = excluded.inputs, outputs = excluded.outputs"
                " RETURNING number",
                (resource.number or None, *row),
            ).fetchone()
            self._index("identities", number, {resource.id, *_identities(resource.outputs)})
            self._index("mentions", number, set(_mentions(resource.inputs)))
        return replace(resource, number=number)

    def remove(self, resource: Resource | str) -> None:
        """Take a resource, or the one with this id, out of the cloud.

        Raises:
            LookupError: no single resource has the id.
        """
        gone = self.get(resource) if isinstance(resource, str) else resource
        with self.transaction():
            self._database.execute("DELETE FROM resources WHERE number = ?", (gone.number,))

    def change(self, id: str, property: str, value: Any, type: str | None = None) -> Resource:
        """Change one property behind the program's back, as a person at the cloud's console would.

        Raises:
            LookupError: no single resource has the id, or it has no such property.
        """
        with self.transaction():
            resource = self.get(id, type)
            if property not in resource.outputs and property not in resource.inputs:
                raise LookupError(f"{id} has no property {property!r}; it has {', '.join(sorted(resource.outputs))}")
            inputs = {**resource.inputs, property: value} if property in resource.inputs else resource.inputs
            return self.put(replace(resource, inputs=inputs, outputs={**resource.outputs, property: value}))

    def identified(self, word: str) -> Sequence[Resource]:
        """List the resources whose id, ARN or name is `word`."""
        return self._select("number IN (SELECT number FROM identities WHERE word = ?)", word)

    def mentioning(self, *words: str) -> Sequence[Resource]:
        """List the resources whose inputs hold one of `words` as a whole string."""
        marks = ", ".join("?" * len(words))
        where = f"number IN (SELECT number FROM mentions WHERE word IN ({marks})) ORDER BY number"  # noqa: S608
        return self._select(where, *words)

    def uses(self, fault: str) -> int:
        """Return how often a fault has struck."""
        row = self._database.execute("SELECT uses FROM faults WHERE fault = ?", (fault,)).fetchone()
        return row[0] if row else 0

    def use(self, fault: str) -> None:
        """Count one more stroke of a fault."""
        self._database.execute(
            "INSERT INTO faults VALUES (?, 1) ON CONFLICT (fault) DO UPDATE SET uses = uses + 1", (fault,)
        )

    def _index(self, table: str, number: int, words: Iterable[str]) -> None:
        self._database.execute(f"DELETE FROM {table} WHERE number = ?", (number,))  # noqa: S608 (a constant)
        self._database.executemany(
            f"INSERT INTO {table} VALUES (?, ?)",  # noqa: S608 (a constant)
            [(number, word) for word in words],
        )

    def _select(self, where: str, *values: str) -> Sequence[Resource]:
        rows = self._database.execute(f"SELECT {_COLUMNS} FROM resources WHERE {where}", values)  # noqa: S608
        return [
            Resource(provider, account, region, type, id, name, json.loads(inputs), json.loads(outputs), number)
            for number, provider, account, region, type, id, name, inputs, outputs in rows
        ]


IDENTIFYING = (
    "arn",
    "name",
    "allocationId",
    "brokerName",
    "bucket",
    "domainName",
    "identifier",
    "replicationGroupId",
    "userGroupId",
    "userId",
)
"""Outputs by which others may refer to a resource."""


def _identities(outputs: Mapping[str, Any]) -> Iterator[str]:
    for key in IDENTIFYING:
        if isinstance(outputs.get(key), str):
            yield outputs[key]


def _mentions(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Yield what may be a reference to another resource: whole strings that could be an id, an ARN or a name."""
    return (word for word in strings(inputs) if _NAME.fullmatch(word))
