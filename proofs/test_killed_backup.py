"""A run of the backup that is killed anywhere: nothing of it counts, nothing of it is in the way."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from pathlib import Path

import psutil

from tests.real.backing_up import whole
from tests.real.backup_runs import backed_up_in_directories, healthy, running, runs
from tests.real.services import postgres

KILLS = 30
"""Points of a run, evenly over its time, at which it is killed."""


def test_a_run_that_is_killed_anywhere_leaves_nothing_that_counts_and_nothing_in_the_way(tmp_path: Path) -> None:
    with postgres() as server:
        backups = backed_up_in_directories(tmp_path, server)
        began = time.monotonic()
        backups.run("run", "--id", "whole")
        whole_run = time.monotonic() - began
        for number in range(KILLS):
            with running(backups, f"killed-{number}") as process:
                time.sleep(whole_run * (number + 1) / KILLS)
                kill(process)
            for target in ("first", "second"):
                assert {"before", "whole"} <= set(runs(backups, target))
        for target in ("first", "second"):
            for run in runs(backups, target):
                backups.run("verify", "--target", target, "--run", run)
        healthy(backups, "after")
        backups.run("prune")
        dumps = json.loads(backups.restic("first", "snapshots", "--json", "--tag", "dump").stdout)
        assert len(dumps) == len(runs(backups, "first"))
        with postgres() as fresh:
            backups.restore("second", into=fresh)
            assert whole(fresh) == whole(server)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a run with all that it has started, as a container's end does."""
    with contextlib.suppress(psutil.NoSuchProcess):
        own = psutil.Process(process.pid)
        for each in (own, *own.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait()
