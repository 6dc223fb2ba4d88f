"""What a run has stored; written last, so that a run counts only when all of it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from operations.backup.errors import BackupError
from operations.backup.facts import Facts
from operations.backup.repository import Repository

FILE = "manifest.json"
DUMP, MANIFEST = "dump", "manifest"
"""Tags of the two kinds of snapshots."""


class Dumped(BaseModel):
    """A database in a backup.

    Attributes:
        snapshot: id of the snapshot that holds its dump.
        size_bytes: size of the dump, compressed.
        facts: what it held.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    snapshot: str
    size_bytes: int
    facts: Facts


class Manifest(BaseModel):
    """A backup.

    Attributes:
        run: id of the run.
        time: when it began: nothing that was committed later is in it.
        server_version: PostgreSQL's release as a number, ``150019`` for 15.19.
        roles: statements that make the roles.
        passwords: whether they hold the roles' password verifiers.
        databases: name to database, in the order in which they are restored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    time: datetime
    server_version: int
    roles: str
    passwords: bool
    databases: dict[str, Dumped]

    @property
    def size_bytes(self) -> int:
        """Size of all dumps."""
        return sum(database.size_bytes for database in self.databases.values())


@dataclass(frozen=True)
class Backup:
    """A backup and where it is."""

    repository: Repository
    manifest: Manifest


def dump_file(database: str) -> str:
    """Return the name of a database's dump in its snapshot."""
    return f"{database}.dump.zst"


def marks(kind: str, run: str) -> list[str]:
    """Return the tags of a snapshot."""
    return [kind, f"run={run}"]


def find(repository: Repository, run: str = "latest") -> Backup:
    """Find a backup in a target.

    Args:
        repository: the target's.
        run: id of its run, of its manifest's snapshot or the beginning of that; ``latest`` for the newest.

    Raises:
        BackupError: there is none, or more than one.
    """
    snapshots = repository.snapshots(MANIFEST)
    found = snapshots[-1:] if run == "latest" else [s for s in snapshots if s.run == run or s.id.startswith(run)]
    if len(found) != 1:
        count = "no backup" if not found else f"{len(found)} backups"
        raise BackupError(f"target {repository.name} has {count} {run!r}; `operations backup list` shows what there is")
    return read(repository, found[0].id, found[0].run)


def read(repository: Repository, snapshot: str, run: str) -> Backup:
    """Read the manifest of a run from its snapshot.

    Raises:
        BackupError: it cannot be read.
    """
    text = repository.read(snapshot, FILE)
    try:
        return Backup(repository, Manifest.model_validate_json(text))
    except ValidationError as error:
        where = f"target {repository.name}: the manifest of {run}"
        raise BackupError(f"{where} cannot be read: {error}") from error


def names(backup: Backup, wanted: Sequence[str]) -> dict[str, str]:
    """Say which databases get which names.

    Args:
        backup: the backup.
        wanted: ``name`` or ``name=other`` for each that is wanted; none for all, as they are.

    Raises:
        BackupError: the backup has no such database, or two would get one name.
    """
    there = backup.manifest.databases
    chosen = {word.partition("=")[0]: word.partition("=")[2] or word for word in wanted}
    for name in chosen:
        if name not in there:
            raise BackupError(f"--database: {name!r} given, {backup.manifest.run} has {', '.join(there)}")
    if len(set(chosen.values())) != len(chosen):
        raise BackupError(f"--database: two of {', '.join(chosen)} would get one name")
    return chosen or {name: name for name in there}


def now() -> datetime:
    """Return the time in whole seconds, as the repositories keep it."""
    return datetime.now(UTC).replace(microsecond=0)
