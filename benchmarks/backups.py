"""(f) Backups against plain dumps of the same data, in pairs, and their memory at two sizes.

Needs PostgreSQL 15 and zstd.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.real.backing_up import DATABASE, Site, connected, site
from tests.real.services import postgres

GOAL = 1.3
"""Times of a plain dump or restore that ours may take."""

SIZES = (1_000_000, 10_000_000)
"""Rows; ten times apart. The larger ones are about 1.3 GiB."""

PAIRS = 3

FIRST, NEXT, RESTORE = "first night", "next night", "restore"

ROWS = """
SELECT n AS id, (n * 7919) % 100003 AS customer, (array['new', 'paid', 'sent'])[1 + n % 3] AS state,
  ((n % 100000) / 100.0)::numeric(12, 2) AS total, timestamptz '2026-01-01' + n * interval '1 second' AS placed,
  'order ' || n || ' for ' || md5(n::text) AS note
FROM generate_series({first}::bigint, {last}::bigint) n
"""


@dataclass(frozen=True)
class Measured:
    """A command that was run.

    Attributes:
        seconds: how long it took.
        cpu: seconds of CPU, without the server's.
        peak_mib: most resident memory of it and all that it has started, added up, in MiB.
        said: what it told.
    """

    seconds: float
    cpu: float
    peak_mib: float
    said: str


@dataclass(frozen=True)
class Pair:
    """Something done plainly, and by the operator's command."""

    plain: Measured
    ours: Measured

    @property
    def proper(self) -> float:
        """Seconds of ours without counting, comparing and reading back."""
        found = re.findall(r"\b(dump|restore|analyze) (\d+\.\d) s", self.ours.said)
        return sum(float(seconds) for _, seconds in found)


@dataclass(frozen=True)
class Backups:
    """What was measured at a size.

    Attributes:
        mib: size of the database on the server's disk.
        pairs: what was done, to its pairs.
    """

    mib: int
    pairs: dict[str, list[Pair]]

    def ratio(self, what: str, *, proper: bool) -> float:
        """Median of ours over plain."""
        pairs = self.pairs[what]
        return statistics.median((p.proper if proper else p.ours.seconds) / p.plain.seconds for p in pairs)

    def median(self, what: str, value: str) -> float:
        """Median of ``plain.seconds``, ``ours.cpu`` and the like."""
        side, _, name = value.partition(".")
        found: list[float] = [getattr(getattr(pair, side), name) for pair in self.pairs[what]]
        return statistics.median(found)

    def peak_mib(self, what: str) -> float:
        """Most memory of ours in any pair."""
        return max(pair.ours.peak_mib for pair in self.pairs[what])


def measure(directory: Path, sizes: Sequence[int] = SIZES) -> list[Backups]:
    """Measure all sizes, the largest in several pairs."""
    directory.mkdir(parents=True)
    with postgres() as server:
        at = site(directory, server, {})
        return [_measure(at, rows, PAIRS if rows == max(sizes) else 1) for rows in sizes]


def _measure(at: Site, rows: int, count: int) -> Backups:
    with connected(at.server, "postgres") as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE}".encode())
        connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    with at.connect() as connection:
        connection.execute(f"CREATE TABLE orders AS {ROWS.format(first=1, last=rows)}".encode())
        connection.execute("ALTER TABLE orders ADD PRIMARY KEY (id)")
        connection.execute("VACUUM ANALYZE orders")
        [mib] = connection.execute("SELECT pg_database_size(current_database()) / 1048576").fetchone() or (0,)
    pairs: dict[str, list[Pair]] = {FIRST: [], NEXT: [], RESTORE: []}
    kept = at.directory / "repository"
    for _ in range(count):
        shutil.rmtree(kept, ignore_errors=True)
        at.replan(targets=[{"name": "only", "repository": str(kept)}])
        at.run("init")
        pairs[FIRST].append(Pair(_plainly(at, DUMP), _measured(at.command("run"), at.environment)))
        with at.connect() as connection:
            [last] = connection.execute("SELECT max(id) FROM orders").fetchone() or (0,)
            connection.execute("UPDATE orders SET state = 'back' WHERE id > %s", (last - rows // 100,))
            more = ROWS.format(first=last + 1, last=last + rows // 100)
            connection.execute(f"INSERT INTO orders {more}".encode())
        pairs[NEXT].append(Pair(_plainly(at, DUMP), _measured(at.command("run"), at.environment)))
        words = ["--target", "only", "--database", f"{DATABASE}=ours", "--overwrite", "ours"]
        who = ["--user", at.server.user, "--password-file", str(at.directory / "password")]
        restored = at.command("restore", *words, *who)
        pairs[RESTORE].append(Pair(_plainly(at, LOAD), _measured(restored, at.environment)))
    return Backups(int(mib), pairs)


DUMP = f"pg_dump -Fc -Z0 {DATABASE} | zstd -q -f -o $PLAIN"
LOAD = (
    "psql -qc 'DROP DATABASE IF EXISTS plain' postgres; psql -qc 'CREATE DATABASE plain' postgres; "
    "zstd -dcq $PLAIN | pg_restore -d plain; psql -qc ANALYZE plain"
)


def _plainly(at: Site, script: str) -> Measured:
    told = {"PGHOST": at.server.host, "PGPORT": str(at.server.port), "PGUSER": at.server.user}
    told |= {"PGPASSWORD": at.server.password, "PLAIN": str(at.directory / "plain.zst")}
    return _measured(["sh", "-ec", script], {**at.environment, **told})


def _measured(command: Sequence[str], environment: dict[str, str]) -> Measured:
    """Run a command.

    Raises:
        RuntimeError: it fails.
    """
    # What the one before has left unwritten is not this one's to write.
    os.sync()
    began, peak = time.monotonic(), 0.0
    process = psutil.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        peak = max(peak, _resident(process))
        time.sleep(0.1)
    seconds = time.monotonic() - began
    said = process.stderr.read() if process.stderr else ""
    if status:
        raise RuntimeError(said)
    return Measured(seconds, usage.ru_utime + usage.ru_stime, peak, said)


def _resident(process: psutil.Process) -> float:
    total = 0
    try:
        for each in (process, *process.children(recursive=True)):
            total += each.memory_info().rss
    except psutil.NoSuchProcess:
        return 0.0
    return total / 2**20
