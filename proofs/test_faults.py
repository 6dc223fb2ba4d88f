"""A fault at each resource of production in turn: the error names the resource, and running again converges."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from proofs.stacks import behave, inventory, run, sandbox_in, up
from sandbox.protection import lift_deletion_protection

MOST_ROUNDS = 60
"""Each round gets past one more layer of the dependency graph; more rounds than this would be a livelock."""


def one_fault_each(whole: Counter[tuple[str, str]], operation: str, kind: str) -> list[dict[str, object]]:
    """Let one fault strike each resource that the program itself makes."""
    return [
        {"type": type, "name": name, "operation": operation, "kind": kind, "times": 1} for type, name in whole if name
    ]


@pytest.mark.parametrize("kind", ["throttling", "internal", "never_ready"])
def test_every_creation_may_fail_once(kind: str, whole: Counter[tuple[str, str]], tmp_path: Path) -> None:
    faults = one_fault_each(whole, "create", kind)
    if kind == "never_ready":  # a random value is there as soon as it is made, and an image as soon as it is pushed
        faults = [fault for fault in faults if not str(fault["type"]).startswith(("random:", "docker:"))]
    with sandbox_in(tmp_path / "sandbox") as sandbox:
        behave(sandbox, faults=faults)
        errors, code = "", 1
        for _ in range(MOST_ROUNDS):
            code, output = up(sandbox, "--continue-on-error")
            errors += output
            if code == 0:
                break
        assert code == 0, errors[-4000:]
        unnamed = [f for f in faults if f"({f['name']})" not in errors and f"::{f['name']}" not in errors]
        assert unnamed == []
        assert inventory(sandbox) == whole


@pytest.mark.parametrize("kind", ["throttling", "internal"])
def test_every_deletion_may_fail_once(kind: str, whole: Counter[tuple[str, str]], tmp_path: Path) -> None:
    with sandbox_in(tmp_path / "sandbox") as sandbox:
        code, output = up(sandbox)
        assert code == 0, output
        run(sandbox, "state", "unprotect", "--all", "--yes")
        lift_deletion_protection(sandbox, "prod")
        behave(sandbox, faults=one_fault_each(whole, "delete", kind))
        for _ in range(MOST_ROUNDS):
            code, output = run(sandbox, "destroy", "--yes", "--skip-preview", "--continue-on-error")
            if code == 0:
                break
        assert code == 0, output[-4000:]
        assert inventory(sandbox) == Counter()
