"""What restic tells of what it holds and what it has written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Snapshot:
    """A snapshot.

    Attributes:
        id: its id, 64 hexadecimal digits.
        time: when its run began; all snapshots of a run have the same.
        tags: what it is: ``dump`` or ``manifest``, and ``run=…``.
        size_bytes: what is in it, before it was deduplicated.
    """

    id: str
    time: datetime
    tags: frozenset[str]
    size_bytes: int

    @property
    def run(self) -> str:
        """The run it belongs to."""
        return next((tag.removeprefix("run=") for tag in sorted(self.tags) if tag.startswith("run=")), "")


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        snapshot: id of the snapshot.
        size_bytes: what was read.
        added_bytes: what the repository did not have, compressed.
    """

    snapshot: str
    size_bytes: int
    added_bytes: int
