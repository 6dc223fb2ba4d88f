"""Counting beside other work."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from operations.backup.errors import BackupError
from operations.backup.facts import Facts, count
from operations.backup.server import Session


class Counting:
    """Counts what sessions show, one after the other, from when it is first told to."""

    def __init__(self, sessions: Mapping[str, Session]) -> None:
        self._sessions, self._lock = sessions, Lock()
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._found: dict[str, Future[Facts]] = {}

    def start(self) -> None:
        """Begin, unless that was done."""
        with self._lock:
            for name, connection in self._sessions.items():
                if name not in self._found:
                    self._found[name] = self._pool.submit(count, connection)

    def of(self, name: str) -> Facts:
        """Return what a database holds.

        Raises:
            BackupError: it cannot be counted.
        """
        try:
            return self._found[name].result()
        except Exception as error:
            raise BackupError(f"database {name} cannot be counted: {error}") from error

    def stop(self) -> None:
        """Count no further database."""
        self._pool.shutdown(cancel_futures=True)
