"""(a) The preview of a stack against the floor: a flat program that registers the same resources."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import engine, flat
from benchmarks.engine import Run
from sandbox.workspace import Sandbox

GOAL = 1.25
PAIRS = 5


@dataclass(frozen=True)
class Previews:
    """Measured pairs: each a preview of the stack and one of what it is compared with, one right after the other."""

    stack: str
    pairs: list[tuple[Run, Run]]

    @property
    def ratios(self) -> list[float]:
        """Wall time of the first over that of the second, for each pair."""
        return [ours.wall / floor.wall for ours, floor in self.pairs]

    @property
    def median(self) -> float:
        """The median of the pairs' ratios."""
        return statistics.median(self.ratios)


def measure(directory: Path, stack: str, deployment: Mapping[str, Any], pairs: int = PAIRS) -> Previews:
    """Preview `stack` and its floor in turn, each on an empty state of its own, after a preview of both to warm up."""
    engine.write_project(directory / "flat", flat.program(deployment), {stack: {}})
    with (
        Sandbox(directory / "ours") as ours,
        Sandbox(directory / "floor", checkout=directory / "flat") as floor,
    ):
        warm, warm_floor = engine.preview(ours, stack), engine.preview(floor, stack)
        components = Counter(resource["custom"] for resource in deployment["resources"])[False]
        if warm.resources != warm_floor.resources + components - 1:
            raise engine.RunError(
                f"the floor registers {warm_floor.resources} resources, the stack {warm.resources} of which "
                f"{components - 1} are components"
            )
        measured = [(engine.preview(ours, stack), engine.preview(floor, stack)) for _ in range(pairs)]
    return Previews(stack, measured)
