"""(b) The makespan of an `up` under the clouds' latencies against the longest chain that the data force."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import engine
from benchmarks.creation_times import creation_time
from benchmarks.critical_path import Made, longest_chain, made
from sandbox.cloud.aws.control_plane import remove_all
from sandbox.cloud.faults import FAULTS_FILE
from sandbox.workspace import Sandbox

GOAL = 1.10
SCALED_CHAIN = 90.0
"""Seconds that the longest chain takes in the sandbox: the engine's own seconds are not scaled, so they must stay small
beside it, as they are beside the quarter of an hour that it takes at AWS.
"""

PARALLEL = 64
"""Operations that the engine is allowed at once, so that fast resources need not queue behind slow ones."""

ENGINE_PARALLEL = 4 * (os.cpu_count() or 1)
"""What the engine allows by itself on this machine."""


@dataclass(frozen=True)
class Deployed:
    """An `up` into an empty cloud: its wall time in seconds and the state that it left."""

    wall: float
    deployment: dict[str, Any]


@dataclass(frozen=True)
class Makespan:
    """What the `up` with latencies took; times are those of the sandbox unless they say otherwise.

    Attributes:
        parallel: operations that the engine was allowed at once.
        scale: seconds in the sandbox for one second at AWS.
        instant: wall time without latencies, measured right after.
        slow: wall time with them.
        chain: the longest chain's resources, in order.
        chain_seconds: its latencies, at AWS.
        ordered_chain_seconds: the same if `depends_on` counted as forced, too.
        resources: every resource of the `up` with latencies, by URN.
    """

    stack: str
    parallel: int
    scale: float
    instant: float
    slow: float
    chain: list[Made]
    chain_seconds: float
    ordered_chain_seconds: float
    resources: dict[str, Made]

    @property
    def ratio(self) -> float:
        """The span over the longest chain."""
        return self.span / (self.chain_seconds * self.scale)

    @property
    def added_ratio(self) -> float:
        """What the latencies added to the wall time, over the longest chain."""
        return (self.slow - self.instant) / (self.chain_seconds * self.scale)

    @property
    def span(self) -> float:
        """Seconds from the start of the first creation to the end of the last."""
        return max(each.ended for each in self.resources.values()) - self.began

    @property
    def began(self) -> float:
        """When the first creation started."""
        return min(self.started(each) for each in self.resources.values())

    def started(self, resource: Made) -> float:
        """When a creation started: its end less its latency, so that the engine's own few ms count as waiting."""
        return resource.ended - creation_time(resource.type) * self.scale


def deploy(
    directory: Path, stack: str, parallel: int = PARALLEL, latencies: dict[str, dict[str, float]] | None = None
) -> Deployed:
    """Bring `stack` up in an empty sandbox; `latencies` are as in the clouds' faults file."""
    with Sandbox(directory) as sandbox:
        sandbox.prepare(stack)
        if latencies:
            (sandbox.cloud_directory / FAULTS_FILE).write_text(json.dumps({"latencies": latencies}))
        try:
            wall = engine.up(sandbox, stack, parallel).wall
            return Deployed(wall, engine.deployment(sandbox, stack))
        finally:
            # What measures next must not share the machine with this stack's cluster.
            remove_all(sandbox.cloud_directory)


def measure(directory: Path, stack: str, recorded: Mapping[str, Any], parallel: int = PARALLEL) -> Makespan:
    """Bring `stack` up with latencies and without, in empty sandboxes below `directory`.

    Args:
        directory: where the sandboxes are made.
        stack: the stack.
        recorded: its deployment, by which latencies are scaled so that the longest chain takes `SCALED_CHAIN` seconds.
        parallel: operations that the engine is allowed at once.
    """
    forced, _ = longest_chain(made(recorded), _seconds_at_aws)
    scale = SCALED_CHAIN / forced
    types = {resource["type"] for resource in recorded["resources"] if resource["custom"]}
    latencies = {type: {"create": creation_time(type) * scale} for type in sorted(types) if creation_time(type)}
    slow = deploy(directory / "slow", stack, parallel, latencies)
    instant = deploy(directory / "instant", stack, parallel)
    resources = made(slow.deployment)
    seconds, chain = longest_chain(resources, _seconds_at_aws)
    ordered, _ = longest_chain(resources, _seconds_at_aws, orders=True)
    return Makespan(stack, parallel, scale, instant.wall, slow.wall, chain, seconds, ordered, resources)


def _seconds_at_aws(resource: Made) -> float:
    return creation_time(resource.type)
