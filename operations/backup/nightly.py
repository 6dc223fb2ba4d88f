"""A run: every database as one moment shows it, into every target, read back."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from operations.backup import services
from operations.backup.counting import Counting
from operations.backup.errors import BackupError
from operations.backup.manifest import (
    DUMP,
    FILE,
    MANIFEST,
    Backup,
    Dumped,
    Manifest,
    dump_file,
    find,
    marks,
    now,
    read,
)
from operations.backup.processes import pipe
from operations.backup.repository import Repository
from operations.backup.server import DECOMPRESS, Session, dump_command, environment, read_roles, session
from operations.backup.snapshots import Written
from operations.backup.timing import timed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from operations.backup.plan import Plan


@dataclass(frozen=True)
class Outcome:
    """How a run went at one target.

    Attributes:
        target: its name.
        seconds: how long it took.
        size_bytes: size of the dumps, compressed.
        added_bytes: what the repository did not have yet, compressed.
        finished: seconds since 1970 when it was done; None if it was not.
        error: why it was not; empty if it was.
        repeated: whether an earlier attempt of the same run had done it already.
        phases: phase to seconds.
    """

    target: str
    seconds: float
    size_bytes: int = 0
    added_bytes: int = 0
    finished: float | None = None
    error: str = ""
    repeated: bool = False
    phases: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Moment:
    """All databases as one moment each shows them.

    Attributes:
        plan: the plan.
        run: id of the run.
        time: when it began.
        exported: database to the name of its exported snapshot.
        counting: what each database holds, as soon as that is counted.
        version: release of the server.
        roles: statements that make its roles.
    """

    plan: Plan
    run: str
    time: datetime
    exported: Mapping[str, str]
    counting: Counting
    version: int
    roles: str


def back_up(plan: Plan, run: str, told: Callable[[str], None]) -> list[Outcome]:
    """Back everything up to every target; one that fails does not keep the others from theirs.

    Args:
        plan: the plan.
        run: id of the run; a target that has it already is left alone, so that an attempt after a partial run does
            what is missing.
        told: hears of progress.
    """
    repositories = [Repository(plan, target) for target in plan.targets]
    outcomes, reached, wanted, began = [], [], [], time.monotonic()
    for repository in repositories:
        try:
            repository.reach()
            reached.append(repository)
            if any(snapshot.run == run for snapshot in repository.snapshots(MANIFEST)):
                backup = find(repository, run)
                verify(backup)
                finished = backup.manifest.time.timestamp()
                outcomes.append(Outcome(repository.name, 0, backup.manifest.size_bytes, 0, finished, repeated=True))
            else:
                wanted.append(repository)
        except BackupError as error:
            told(f"{repository.name}: failed: {error}")
            outcomes.append(Outcome(repository.name, time.monotonic() - began, error=str(error)))
    if wanted:
        try:
            outcomes += _store_all(plan, run, wanted, told)
        except BackupError as error:
            told(f"failed: {error}")
            outcomes += [Outcome(each.name, time.monotonic() - began, error=str(error)) for each in wanted]
    for repository in reached:
        # After the databases, which wait for nobody.
        errors = services.store(repository, run, told)
        if errors:
            outcomes = [_failed(each, errors) if each.target == repository.name else each for each in outcomes]
    return outcomes


def _failed(outcome: Outcome, errors: Sequence[str]) -> Outcome:
    told = [outcome.error] if outcome.error else []
    return replace(outcome, error="; ".join([*told, *errors]), finished=None)


def _store_all(plan: Plan, run: str, repositories: Sequence[Repository], told: Callable[[str], None]) -> list[Outcome]:
    with ExitStack() as stack:
        moment = _take(plan, run, stack)
        # Each target has a dump of its own: one that is slow or hangs would hold up a stream that they shared.
        with ThreadPoolExecutor(max_workers=len(repositories)) as storing:
            return list(storing.map(lambda repository: _store(moment, repository, told), repositories))


def verify(backup: Backup) -> None:
    """Read a backup back to its end: the repository judges every byte, pg_restore what they mean.

    Raises:
        BackupError: it is not what was written.
    """
    for name, dumped in backup.manifest.databases.items():
        _read_back(backup.repository, name, dumped.snapshot, backup.manifest.run)


def _read_back(repository: Repository, name: str, snapshot: str, run: str) -> None:
    reading = repository.reading(snapshot, dump_file(name))
    try:
        judging = ["pg_restore", "--file=/dev/null"]
        pipe(reading, (DECOMPRESS, {}), (judging, {}), seconds=repository.plan.limits.transfer)
    except BackupError as error:
        raise BackupError(f"target {repository.name}: {name} of {run}: {error}") from error


def _take(plan: Plan, run: str, stack: ExitStack) -> Moment:
    """Hold one moment of every database until the end of the block."""
    began, exported, sessions, version = now(), {}, {}, 0
    for database in plan.server.databases:
        connection = stack.enter_context(session(plan.server, database))
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        exported[database.name] = _export(connection)
        sessions[database.name] = connection
        version = connection.info.server_version
    counting = Counting(sessions)
    stack.callback(counting.stop)
    return Moment(plan, run, began, exported, counting, version, read_roles(plan.server))


def _export(connection: Session) -> str:
    [(name,)] = connection.execute("SELECT pg_export_snapshot()").fetchall()
    return str(name)


def _store(moment: Moment, repository: Repository, told: Callable[[str], None]) -> Outcome:
    began, phases = time.monotonic(), dict.fromkeys(("dump", "count", "verify"), 0.0)
    try:
        dumps: dict[str, Written] = {}
        for database in moment.plan.server.databases:
            told(f"{repository.name}: dumping {database.name}")
            with timed(phases, "dump"):
                dumps[database.name] = repository.write(
                    dump_file(database.name),
                    marks(DUMP, moment.run),
                    moment.time,
                    dump_command(moment.exported[database.name]),
                    environment(moment.plan.server, database),
                    compressed=True,
                )
        # Beside the reading back, which leaves the server alone.
        moment.counting.start()
        told(f"{repository.name}: reading back")
        with timed(phases, "verify"):
            for name, dump in dumps.items():
                _read_back(repository, name, dump.snapshot, moment.run)
        with timed(phases, "count"):
            databases = {
                name: Dumped(snapshot=dump.snapshot, size_bytes=dump.size_bytes, facts=moment.counting.of(name))
                for name, dump in dumps.items()
            }
        manifest = Manifest(
            run=moment.run,
            time=moment.time,
            server_version=moment.version,
            roles=moment.roles,
            passwords=moment.plan.server.superuser,
            databases=databases,
        )
        text = manifest.model_dump_json().encode()
        with timed(phases, "dump"):
            snapshot = repository.write(FILE, marks(MANIFEST, moment.run), moment.time, given=text).snapshot
        with timed(phases, "verify"):
            read(repository, snapshot, moment.run)
    except BackupError as error:
        told(f"{repository.name}: failed: {error}")
        return Outcome(repository.name, time.monotonic() - began, error=str(error), phases=phases)
    added = sum(dump.added_bytes for dump in dumps.values())
    took = ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in phases.items())
    told(f"{repository.name}: done, {manifest.size_bytes} bytes, {added} new ({took})")
    seconds = time.monotonic() - began
    return Outcome(repository.name, seconds, manifest.size_bytes, added, time.time(), phases=phases)
