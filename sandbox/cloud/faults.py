"""Faults and latencies that a person sets for the simulated clouds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cloud.store import Store

FAULTS_FILE = "faults.json"

OPERATIONS = ("create", "read", "update", "delete")
NEVER_READY = "never_ready"


@dataclass(frozen=True)
class Fault:
    """A failure waiting for an operation.

    Attributes:
        kind: ``throttling``, ``internal``, ``never_ready`` (create only), or any other text: the message itself.
        key: names the fault in the store, where its strokes are counted.
    """

    kind: str
    key: str


class Faults:
    """Reads ``faults.json`` in `state_dir` whenever it has changed.

    Its shape, with all keys of a fault but `type`, `operation` and `kind` optional, and latencies in seconds::

        {"faults": [{"type": "aws:rds/instance:Instance", "name": "main", "operation": "create",
                     "kind": "throttling", "times": 1}],
         "latencies": {"aws:rds/instance:Instance": {"create": 2.5}}}

    `name` is the resource's name in the program. A fault strikes `times` times (1 unless said) over the life of the
    state directory. The type ``*`` stands for every type.
    """

    def __init__(self, state_dir: Path, store: Store) -> None:
        self._path = state_dir / FAULTS_FILE
        self._store = store
        self._read_at: tuple[int, int] | None = None
        self._faults: list[dict[str, Any]] = []
        self._latencies: dict[str, dict[str, float]] = {}

    def strike(self, type: str, name: str, operation: str) -> Fault | None:
        """Return the fault that hits this operation, and count it."""
        self._read()
        for fault in self._faults:
            if fault["type"] not in ("*", type) or fault["operation"] != operation:
                continue
            if fault.get("name", name) != name:
                continue
            key = hashlib.sha256(json.dumps(fault, sort_keys=True).encode()).hexdigest()
            if self._store.uses(key) < fault.get("times", 1):
                self._store.use(key)
                return Fault(fault["kind"], key)
        return None

    def latency(self, type: str, operation: str) -> float:
        """Return how long the operation takes, in seconds."""
        self._read()
        for key in (type, "*"):
            if operation in self._latencies.get(key, {}):
                return self._latencies[key][operation]
        return 0.0

    def _read(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._read_at, self._faults, self._latencies = None, [], {}
            return
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp == self._read_at:
            return
        try:
            content = json.loads(self._path.read_text())
            faults, latencies = content.get("faults", []), content.get("latencies", {})
            _judge(faults, latencies)
        except (ValueError, AttributeError, TypeError) as error:
            raise ValueError(f"{self._path}: {error}") from None
        self._faults, self._latencies, self._read_at = faults, latencies, stamp


def _judge(faults: list[dict[str, Any]], latencies: dict[str, dict[str, float]]) -> None:
    for fault in faults:
        if unknown := set(fault) - {"type", "name", "operation", "kind", "times"}:
            raise ValueError(f"a fault has no key {', '.join(sorted(unknown))}")
        if missing := {"type", "operation", "kind"} - set(fault):
            raise ValueError(f"the fault {fault} lacks {', '.join(sorted(missing))}")
        if fault["operation"] not in OPERATIONS:
            raise ValueError(f"operation {fault['operation']!r} is not one of {', '.join(OPERATIONS)}")
        if fault["kind"] == NEVER_READY and fault["operation"] != "create":
            raise ValueError(f"{NEVER_READY} is a fault of create, not of {fault['operation']}")
    for type, by_operation in latencies.items():
        for operation, seconds in by_operation.items():
            if operation not in OPERATIONS:
                raise ValueError(f"latencies.{type}: {operation!r} is not one of {', '.join(OPERATIONS)}")
            if not isinstance(seconds, (int, float)) or seconds < 0:
                raise ValueError(f"latencies.{type}.{operation}: {seconds!r} is not a number of seconds from 0")
