"""Programs that go on after the command that started them, and are found again by the next one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

STOP_SECONDS = 10.0
"""How long a program may take to end in order."""


class Daemons:
    """The running programs of one directory.

    What runs is written down as process id and start time, so that another process which got the same id is never taken
    for ours. Each program's output is in ``NAME.log``.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._record = directory / "processes.json"

    def start(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Start a program in a session of its own: Ctrl-C in front of the starter does not reach it."""
        with (self.directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=self.directory,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        known = self._known()
        known[name] = (process.pid, psutil.Process(process.pid).create_time())
        self._write(known)

    def running(self) -> dict[str, psutil.Process]:
        """Return what runs, by name."""
        found = {}
        for name, (pid, started) in self._known().items():
            try:
                process = psutil.Process(pid)
                if process.create_time() == started and process.status() != psutil.STATUS_ZOMBIE:
                    found[name] = process
            except psutil.NoSuchProcess:
                continue
        return found

    def stop(self, *, last: Sequence[str] = ()) -> None:
        """End everything, the programs in `last` after all others, and wait until nothing runs."""
        running = self.running()
        first = [process for name, process in running.items() if name not in last]
        for batch in (first, *([running[name]] for name in last if name in running)):
            for process in batch:
                _quietly(process.terminate)
            _, alive = psutil.wait_procs(batch, timeout=STOP_SECONDS)
            for process in alive:
                _quietly(process.kill)
            psutil.wait_procs(alive, timeout=STOP_SECONDS)
        self._record.unlink(missing_ok=True)

    def kill(self) -> None:
        """End everything without asking, for who wants nothing of it any more."""
        running = list(self.running().values())
        for process in running:
            _quietly(process.kill)
        psutil.wait_procs(running, timeout=STOP_SECONDS)
        self._record.unlink(missing_ok=True)

    def tail(self, name: str, lines: int = 8) -> str:
        """Return the last lines that a program wrote."""
        log = self.directory / f"{name}.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def _known(self) -> dict[str, tuple[int, float]]:
        try:
            return {name: (int(pid), float(at)) for name, (pid, at) in json.loads(self._record.read_text()).items()}
        except (FileNotFoundError, ValueError):
            return {}

    def _write(self, known: Mapping[str, tuple[int, float]]) -> None:
        part = self._record.with_suffix(".part")
        part.write_text(json.dumps(known))
        part.replace(self._record)


def _quietly(action: object) -> None:
    try:
        action()  # type: ignore[operator]
    except psutil.NoSuchProcess:
        return
