"""A stack's whole life on the real engine, lived once; the tests look at what was recorded on the way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation import EngineEvent, OpType

from sandbox.cloud.aws.control_plane import remove_all
from sandbox.workspace import Sandbox

UNCHANGED = {OpType.SAME, OpType.READ, OpType.REFRESH}


@dataclass
class Step:
    """What one command of the engine did.

    Attributes:
        operations: logical name to operation, for every resource that did not stay as it was.
        counts: operation to number of resources, those that stayed included.
        output: what the engine printed.
    """

    operations: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    output: str = ""

    def hear(self, event: EngineEvent) -> None:
        """Take an event of the engine in."""
        if event.resource_pre_event is not None:
            metadata = event.resource_pre_event.metadata
            self.counts[metadata.op.value] += 1
            if metadata.op not in UNCHANGED:
                self.operations[metadata.urn.rsplit("::", 1)[1]] = metadata.op.value
        if event.diagnostic_event is not None and event.diagnostic_event.severity in ("error", "warning"):
            self.output += event.diagnostic_event.message


def preview(stack: automation.Stack) -> Step:
    step = Step()
    stack.preview(on_event=step.hear)
    return step


def up(stack: automation.Stack) -> Step:
    step = Step()
    step.output += stack.up(on_event=step.hear).stdout
    return step


def refresh(stack: automation.Stack) -> Step:
    step = Step()
    step.output += stack.refresh(on_event=step.hear).stdout
    return step


def destroy(stack: automation.Stack) -> Step:
    step = Step()
    step.output += stack.destroy(on_event=step.hear).stdout
    return step


def set_path(stack: automation.Stack, path: str, value: str) -> None:
    """Change one key inside a section of the sandbox's copy of the stack file."""
    stack.set_config(f"auterity:{path}", automation.ConfigValue(value), path=True)


def exported(sandbox: Sandbox, stack: str) -> dict[str, Any]:
    """Return the state as it lies in the backend, its secrets encrypted (the Automation API's export opens them)."""
    return json.loads(sandbox.answer(stack, "stack", "export"))["deployment"]  # type: ignore[no-any-return]


@contextmanager
def sandbox_below(home: Path) -> Iterator[Sandbox]:
    """Give a sandbox whose clusters end with the block, however that ends."""
    with Sandbox(home) as sandbox:
        try:
            yield sandbox
        finally:
            remove_all(sandbox.cloud_directory)


def without_cluster(stack: automation.Stack) -> None:
    """Take the Kubernetes cluster, with all that is in it, out of the sandbox's copy of a stack file."""
    sections = ["kubernetes", "gateway", "vault", "runtimes", "observability", "backup"]
    for section in ("cache", "messaging"):
        if '"in_cluster"' in stack.get_config(f"auterity:{section}").value:
            sections.append(section)
    for section in sections:
        stack.remove_config(f"auterity:{section}")
