"""(g) What the pack of security rules adds to a preview: of a stack, and for each resource of small and large ones."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks import engine
from benchmarks.engine import Run
from benchmarks.preview import Previews
from benchmarks.scaling import write_programs
from policies.catalogue import RULES
from policies.config import FILE
from policies.rules import Environment
from sandbox.workspace import CHECKOUT, Sandbox

GOAL = 1.25
PAIRS = 5
COUNTS = (4, 24, 120)
"""Services; the largest program has about 5,000 resources."""

PACK = CHECKOUT / "policies"


@dataclass(frozen=True)
class Ruled:
    """Measured pairs, each a preview with the pack and the one without it that was made before.

    Attributes:
        previews: of a stack.
        sizes: of programs of `COUNTS` services.
    """

    previews: Previews
    sizes: Sequence[tuple[Run, Run]]


def added(ruled: Run, free: Run) -> float:
    """Return the milliseconds of CPU that the pack adds for each resource."""
    return (ruled.own_cpu - free.own_cpu) / free.resources * 1000


def measure(directory: Path, stack: str, pairs: int = PAIRS) -> Ruled:
    """Measure pairs of previews of `stack` on empty states, then one of each size."""
    with Sandbox(directory / "sandbox") as sandbox:
        engine.preview(sandbox, stack)
        of_stack = [_pair(sandbox, stack) for _ in range(pairs)]
    names = write_programs(directory / "services", stack, COUNTS).values()
    # These programs are no platform, and break rules: all are asked, and none stops the preview.
    lenient = shutil.copytree(PACK, directory / "lenient", ignore=shutil.ignore_patterns(".venv"))
    (lenient / ".venv").symlink_to(sys.prefix)
    levels = dict.fromkeys((rule.name for rule in RULES), "advisory")
    (lenient / FILE.name).write_text(yaml.safe_dump({"levels": {Environment.PROD.value: levels}}))
    with Sandbox(directory / "sizes", checkout=directory / "services") as sandbox:
        engine.preview(sandbox, next(iter(names)))
        sizes = [_pair(sandbox, name, lenient) for name in names]
    return Ruled(Previews(stack, of_stack), sizes)


def _pair(sandbox: Sandbox, stack: str, pack: Path = PACK) -> tuple[Run, Run]:
    free = engine.preview(sandbox, stack)
    return engine.run(sandbox, stack, "preview", "--policy-pack", str(pack)), free
