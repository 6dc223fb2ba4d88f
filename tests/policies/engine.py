"""The pack on the real engine: what its policies say of a program."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from pulumi import automation
from pulumi.automation import EngineEvent

from sandbox.workspace import Sandbox
from tests.sandbox import lifecycle

ROOT = Path(__file__).parents[2]
PACK = ROOT / "policies"


@dataclass
class Said:
    """What the engine heard of the policies.

    Attributes:
        violations: policy and logical name of each mandatory violation; the name is empty where none is given.
        advice: the same of those that stop nothing, what could not be decided among them, with their messages.
        error: how the command ended, if it failed.
    """

    violations: set[tuple[str, str]] = field(default_factory=set)
    advice: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""

    def hear(self, event: EngineEvent) -> None:
        """Take an event of the engine in."""
        heard = event.policy_event
        if heard is None:
            return
        if heard.enforcement_level == "mandatory":
            self.violations.add((heard.policy_name, (heard.resource_urn or "").rsplit("::", 1)[-1]))
        else:
            self.advice.append((heard.policy_name, heard.message))


def checkout(directory: Path, program: str, stack: str) -> Path:
    """Make a checkout whose program is some Python source; it may import what this one can."""
    (directory / "program").mkdir(parents=True)
    (directory / "program" / "__main__.py").write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{program}")
    (directory / ".venv").symlink_to(Path(sys.prefix))
    runtime = "{name: python, options: {toolchain: pip, virtualenv: .venv}}"
    (directory / "Pulumi.yaml").write_text(f"name: cases\nmain: program\nruntime: {runtime}\n")
    (directory / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
    return directory


def preview(sandbox: Sandbox, stack: str, pack: Path = PACK) -> Said:
    """Preview a stack under the pack."""
    return _told(sandbox, stack, pack, "preview")


def up(sandbox: Sandbox, stack: str, pack: Path = PACK) -> Said:
    """Deploy a stack under the pack without a preview."""
    return _told(sandbox, stack, pack, "up", "--yes", "--skip-preview")


def _told(sandbox: Sandbox, stack: str, pack: Path, *words: str) -> Said:
    said = Said()
    try:
        lifecycle.command(sandbox.stack(stack), said.hear, *words, "--policy-pack", str(pack))
    except automation.CommandError as error:
        said.error = str(error)
    return said
