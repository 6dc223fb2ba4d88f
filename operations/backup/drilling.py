"""A drill: the newest backup restored into databases of its own, judged, timed and removed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from psycopg import sql

from operations.backup.errors import BackupError
from operations.backup.facts import count
from operations.backup.manifest import Backup, find
from operations.backup.plan import DatabasePlan, ServerPlan
from operations.backup.repository import Repository
from operations.backup.restoring import Destination, compare, restore
from operations.backup.server import MAINTENANCE, session

SUFFIX = "_drill"

PROBE = "auterity_drill_probe"
"""Table by which a restored database shows that it takes writes."""


@dataclass(frozen=True)
class Drill:
    """How a drill went.

    Attributes:
        target: name of the target.
        run: id of the run that was restored.
        rpo_seconds: age of the newest data that would be left, if everything else were lost now.
        rto_seconds: how long it took from the question which backup there is to a database that was compared.
        phases: phase to seconds.
        error: why it failed; empty if it did not.
    """

    target: str
    run: str = ""
    rpo_seconds: float = 0.0
    rto_seconds: float = 0.0
    phases: dict[str, float] = field(default_factory=dict)
    error: str = ""


def drill(
    repository: Repository, server: ServerPlan, user: DatabasePlan, oldest: int, told: Callable[[str], None]
) -> Drill:
    """Restore the newest backup of a target into scratch databases, judge it and remove it.

    Args:
        repository: the target's.
        server: where the scratch databases are made: best a server of their own.
        user: who makes them.
        oldest: seconds that the newest backup may be old.
        told: hears of progress.
    """
    began = time.monotonic()
    try:
        backup = find(repository)
        age = time.time() - backup.manifest.time.timestamp()
        if age > oldest:
            raise BackupError(f"target {repository.name}: the newest backup is {age:.0f} s old, allowed: {oldest}")
        scratch = {name: f"{name}{SUFFIX}" for name in backup.manifest.databases}
        phases = _restore(backup, Destination(server, user, scratch, frozenset(scratch.values())), told)
    except BackupError as error:
        told(f"{repository.name}: failed: {error}")
        return Drill(repository.name, error=str(error))
    return Drill(repository.name, backup.manifest.run, age, time.monotonic() - began, phases)


def _restore(backup: Backup, destination: Destination, told: Callable[[str], None]) -> dict[str, float]:
    phases: dict[str, float] = {}
    try:
        for restored in restore(backup, destination, told):
            for phase, seconds in restored.seconds.items():
                phases[phase] = phases.get(phase, 0.0) + seconds
        for name, scratch in destination.names.items():
            judge(backup, destination, name, scratch)
    finally:
        with session(destination.server, destination.user, MAINTENANCE) as connection:
            for scratch in destination.names.values():
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(scratch)))
    return phases


def judge(backup: Backup, destination: Destination, name: str, scratch: str) -> None:
    """See that a restored database holds what was dumped, and takes a write.

    Raises:
        BackupError: it does not.
    """
    with session(destination.server, destination.user, scratch) as inside:
        compare(backup, name, backup.manifest.databases[name].facts, count(inside))
        with inside.transaction():
            probe = sql.Identifier("public", PROBE)
            inside.execute(sql.SQL("CREATE TABLE {} (written integer)").format(probe))
            inside.execute(sql.SQL("INSERT INTO {} VALUES (1)").format(probe))
            inside.execute(sql.SQL("DROP TABLE {}").format(probe))
