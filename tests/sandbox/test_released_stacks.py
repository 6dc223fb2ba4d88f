"""A deployed stack survives today's code: nothing of it is replaced or deleted unless that was decided."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from pulumi import automation
from pulumi.automation import OpType

from tests.released import DIRECTORY, STACKS, recording_sandbox, state_file

DESTRUCTIVE = {
    OpType.REPLACE,
    OpType.DELETE,
    OpType.CREATE_REPLACEMENT,
    OpType.DELETE_REPLACED,
    OpType.DISCARD,
    OpType.DISCARD_REPLACED,
}


def exceptions() -> set[tuple[str, str, str]]:
    listed = yaml.safe_load((DIRECTORY / "exceptions.yaml").read_text())
    assert all(entry["reason"] for entry in listed)
    return {(entry["resource"], entry["type"], entry["operation"]) for entry in listed}


def destroyed_by(stack: automation.Stack) -> set[tuple[str, str, str]]:
    """Preview and list what would be replaced or deleted: name, type and operation."""
    found: set[tuple[str, str, str]] = set()

    def hear(event: automation.EngineEvent) -> None:
        if event.resource_pre_event is not None and event.resource_pre_event.metadata.op in DESTRUCTIVE:
            metadata = event.resource_pre_event.metadata
            operation = "delete" if metadata.op is OpType.DELETE else "replace"
            found.add((metadata.urn.rsplit("::", 1)[1], metadata.type, operation))

    stack.preview(on_event=hear)
    return found


@contextmanager
def released(name: str, directory: Path) -> Iterator[automation.Stack]:
    """Stand a stack in its last released state."""
    directory.mkdir(exist_ok=True)
    with recording_sandbox(directory) as sandbox:
        stack = sandbox.stack(name)
        sandbox.answer(name, "stack", "import", "--file", str(state_file(name)))
        yield stack


@pytest.mark.parametrize("name", STACKS)
def test_the_released_stack_is_kept(name: str, tmp_path: Path) -> None:
    with released(name, tmp_path) as stack:
        destroyed = destroyed_by(stack)
    assert destroyed - exceptions() == set(), "make it compatible, or list it in tests/released/exceptions.yaml"


def test_every_listed_exception_is_still_needed(tmp_path: Path) -> None:
    needed: set[tuple[str, str, str]] = set()
    for name in STACKS if exceptions() else ():
        with released(name, tmp_path / name) as stack:
            needed |= destroyed_by(stack)
    assert exceptions() - needed == set()


def test_the_gate_sees_a_replacement(tmp_path: Path) -> None:
    with released("dev", tmp_path) as stack:
        stack.set_config("auterity:network.cidr", automation.ConfigValue("10.30.0.0/16"), path=True)
        assert ("auterity-dev", "aws:ec2/vpc:Vpc", "replace") in destroyed_by(stack)
