"""(c) How a preview grows with the number of services, in time and memory."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import engine
from benchmarks.engine import PeakMemory, Run
from benchmarks.services import NAMESPACE
from sandbox.stack_files import read
from sandbox.workspace import CHECKOUT, Sandbox

GOAL_MS = 7.0
COUNTS = (1, 4, 16)
ROUNDS = 3

PROGRAM = f"""import sys

sys.path.insert(0, {str(CHECKOUT)!r})

import pulumi

from benchmarks import services

pulumi.run(services.program)
"""


@dataclass(frozen=True)
class Scaling:
    """Previews by number of services.

    Attributes:
        runs: number of services to its previews.
        memory: number of services to the peaks of one more preview.
    """

    runs: dict[int, list[Run]]
    memory: dict[int, PeakMemory]

    def line(self, cost: Callable[[Run], float]) -> tuple[float, float, float]:
        """Fit a cost in seconds to the number of resources: ms for each, seconds at none, and R², over all previews."""
        resources = [run.resources for runs in self.runs.values() for run in runs]
        costs = [cost(run) for runs in self.runs.values() for run in runs]
        slope, intercept = statistics.linear_regression(resources, costs)
        return slope * 1000, intercept, statistics.correlation(resources, costs) ** 2


def write_programs(directory: Path, stack: str, counts: Sequence[int]) -> dict[int, str]:
    """Write a project of programs of so many services each, configured like `stack`; return count to stack."""
    config = read(CHECKOUT / f"Pulumi.{stack}.yaml")["config"]
    assert isinstance(config, dict)
    names = {count: f"services{count}" for count in counts}
    stacks = {name: {**config, f"{NAMESPACE}:services": count} for count, name in names.items()}
    engine.write_project(directory, PROGRAM, stacks)
    return names


def measure(directory: Path, stack: str, rounds: int = ROUNDS) -> Scaling:
    """Preview programs of `COUNTS` services in turn, configured like `stack`, on empty states."""
    names = write_programs(directory / "services", stack, COUNTS)
    with Sandbox(directory / "sandbox", checkout=directory / "services") as sandbox:
        # The watched previews come first and warm up.
        memory = {count: engine.peak_memory(sandbox, name) for count, name in names.items()}
        runs: dict[int, list[Run]] = {count: [] for count in COUNTS}
        for _ in range(rounds):
            for count, name in names.items():
                runs[count].append(engine.preview(sandbox, name))
    return Scaling(runs, memory)
