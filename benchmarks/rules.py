"""(g) What the pack of security rules adds to a preview: of a stack, and for each resource of small and large ones."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import engine
from benchmarks.engine import Run
from benchmarks.scaling import PROGRAM
from benchmarks.services import NAMESPACE
from policies.catalogue import RULES
from policies.pack import EXEMPTIONS
from sandbox.stack_files import read
from sandbox.workspace import CHECKOUT, Sandbox

GOAL = 1.25
PAIRS = 5
COUNTS = (4, 24, 120)
"""Services; the largest program has about 5,000 resources."""

PACK = CHECKOUT / "policies"


@dataclass(frozen=True)
class Ruled:
    """Measured pairs, each a preview without the pack and one with it.

    Attributes:
        stack: the stack of `pairs`.
        pairs: of the stack.
        sizes: of programs of `COUNTS` services.
    """

    stack: str
    pairs: Sequence[tuple[Run, Run]]
    sizes: Sequence[tuple[Run, Run]]

    @property
    def ratios(self) -> list[float]:
        """Wall time with the pack over that without it, for each pair."""
        return [ruled.wall / free.wall for free, ruled in self.pairs]

    @property
    def median(self) -> float:
        """The median of the pairs' ratios."""
        return statistics.median(self.ratios)

    @property
    def of_pairs(self) -> list[float]:
        """Milliseconds of CPU that the pack adds for each resource, in each of the stack's pairs."""
        return [_each(*pair) for pair in self.pairs]

    @property
    def each(self) -> list[float]:
        """Milliseconds of CPU that the pack adds for each resource, at each size."""
        return [_each(*pair) for pair in self.sizes]


def measure(directory: Path, stack: str, pairs: int = PAIRS) -> Ruled:
    """Measure pairs of previews of `stack` on empty states, then one of each size."""
    with Sandbox(directory / "sandbox") as sandbox:
        _ruled(sandbox, stack)
        of_stack = [(engine.preview(sandbox, stack), _ruled(sandbox, stack)) for _ in range(pairs)]
    config = read(CHECKOUT / f"Pulumi.{stack}.yaml")["config"]
    assert isinstance(config, dict)
    names = [f"services{count}" for count in COUNTS]
    stacks = {name: {**config, f"{NAMESPACE}:services": count} for name, count in zip(names, COUNTS, strict=True)}
    engine.write_project(directory / "services", PROGRAM, stacks)
    # These programs are no platform, and break rules: all are asked, and none stops the preview.
    levels = directory / "levels.json"
    levels.write_text(json.dumps(dict.fromkeys([EXEMPTIONS, *(rule.name for rule in RULES)], "advisory")))
    with Sandbox(directory / "sizes", checkout=directory / "services") as sandbox:
        engine.preview(sandbox, names[0])
        sizes = [
            (engine.preview(sandbox, name), _ruled(sandbox, name, f"--policy-pack-config={levels}")) for name in names
        ]
    return Ruled(stack, of_stack, sizes)


def _each(free: Run, ruled: Run) -> float:
    return (ruled.own_cpu - free.own_cpu) / free.resources * 1000


def _ruled(sandbox: Sandbox, stack: str, *options: str) -> Run:
    return engine.run(sandbox, stack, "preview", "--policy-pack", str(PACK), *options)
