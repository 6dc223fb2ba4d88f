"""A stack's whole life on the real engine, lived once; the tests look at what was recorded on the way."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pulumi import automation
from pulumi.automation import EngineEvent, OpType

from sandbox import stack_files
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


def preview(stack: automation.Stack, *words: str) -> Step:
    """Preview; `words` are further ones of the command line, as in all that follow."""
    return _told(stack, "preview", *words)


def up(stack: automation.Stack, *words: str) -> Step:
    return _told(stack, "up", "--yes", "--skip-preview", *words)


def refresh(stack: automation.Stack, *words: str) -> Step:
    return _told(stack, "refresh", "--yes", "--skip-preview", *words)


def destroy(stack: automation.Stack, *words: str) -> Step:
    return _told(stack, "destroy", "--yes", "--skip-preview", *words)


def command(stack: automation.Stack, hear: Callable[[EngineEvent], None], *words: str) -> str:
    """Run one command of the engine; `hear` gets its events once it has ended, however that was. Return its output.

    The Automation API would start the CLI three times more, for outputs and history that nobody here asks for.

    Raises:
        CommandError: it failed.
    """
    workspace = stack.workspace
    with tempfile.TemporaryDirectory() as directory:
        events = Path(directory) / "events"
        environment = {**workspace.env_vars, "PULUMI_HOME": str(workspace.pulumi_home), "PULUMI_DEBUG_COMMANDS": "true"}
        given = [*words, "--stack", stack.name, "--event-log", str(events)]
        try:
            return str(workspace.pulumi_command.run(given, workspace.work_dir, environment).stdout)
        finally:
            for line in events.read_text(encoding="utf-8").splitlines() if events.exists() else ():
                hear(EngineEvent.from_json(json.loads(line)))


def _told(stack: automation.Stack, *words: str) -> Step:
    step = Step()
    step.output += command(stack, step.hear, *words)
    return step


def set_path(stack: automation.Stack, path: str, value: str) -> None:
    """Change one key inside a section of the sandbox's copy of the stack file, such as ``network.zones[0]``.

    As `pulumi config set --path` does, without a start of the CLI: what reads as a number or a truth value is one.
    """
    document: Any = stack_files.read(_file(stack))
    *way, last = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", f"auterity:{path}")]
    holder: Any = document["config"]
    for part in way:
        holder = holder[part] if isinstance(part, int) else holder.setdefault(part, {})
    if isinstance(last, int) and last == len(holder):
        holder.append(None)
    holder[last] = yaml.safe_load(value)
    stack_files.write(_file(stack), document)


def remove(stack: automation.Stack, *sections: str) -> None:
    """Take sections out of the sandbox's copy of the stack file."""
    document: Any = stack_files.read(_file(stack))
    for section in sections:
        document["config"].pop(f"auterity:{section}", None)
    stack_files.write(_file(stack), document)


def _file(stack: automation.Stack) -> Path:
    return Path(stack.workspace.work_dir) / f"Pulumi.{stack.name}.yaml"


def exported(sandbox: Sandbox, stack: str) -> dict[str, Any]:
    """Return the state as it lies in the backend, its secrets encrypted (the Automation API's export opens them)."""
    [file] = (sandbox.home / "backend" / ".pulumi" / "stacks").glob(f"*/{stack}.json")
    return json.loads(file.read_text(encoding="utf-8"))["checkpoint"]["latest"] or {}


@contextmanager
def sandbox_below(home: Path, kubernetes: Literal["official", "thin"] = "official") -> Iterator[Sandbox]:
    """Give a sandbox whose clusters end with the block, however that ends, and whose engine nobody kills.

    One of two Kubernetes providers makes what is in them.
    """
    with Sandbox(home, checkpoints=False, kubernetes=kubernetes) as sandbox:
        try:
            yield sandbox
        finally:
            remove_all(sandbox.cloud_directory)


def without_cluster(stack: automation.Stack) -> None:
    """Take the Kubernetes cluster, with all that is in it, out of the sandbox's copy of a stack file."""
    sections = ["kubernetes", "gateway", "vault", "runtimes", "observability", "backup"]
    config: Any = stack_files.read(_file(stack))["config"]
    sections += [each for each in ("cache", "messaging") if config[f"auterity:{each}"]["mode"] == "in_cluster"]
    remove(stack, *sections)
