"""(d) Bringing the local stack's objects into an empty cluster, against `kubectl apply --server-side` of the same."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import engine
from sandbox.kubernetes import Cluster
from sandbox.toolchain import cache_directory
from sandbox.toolchain.kubernetes_binaries import ensure_kubernetes
from sandbox.toolchain.kubernetes_provider import find_provider
from sandbox.workspace import Sandbox

GOAL = 1.5
PAIRS = 5
STACK = "local"
PARALLEL = 64
WAITED_FOR = {
    "Deployment": ("rollout", "status"),
    "StatefulSet": ("rollout", "status"),
    "Job": ("wait", "--for=condition=Complete"),
}
"""Kind to the kubectl command that ends once an object does what it is there for; Pulumi waits for the same."""


@dataclass(frozen=True)
class Applied:
    """Measured pairs, in seconds of wall time.

    Attributes:
        provider: which Kubernetes provider the engine had.
        objects: how many objects.
        waves: how many of them have to wait for each other, one after the other.
        pairs: `pulumi up`, and kubectl until everything is ready, each on an empty cluster.
        at_once: kubectl with everything applied at once, as no cluster with real pods could take it.
        engine: what an `up` takes that has nothing to do any more: starts, program, look at every object.
    """

    provider: str
    objects: int
    waves: int
    pairs: Sequence[tuple[float, float]]
    at_once: float
    engine: float

    @property
    def ratios(self) -> list[float]:
        """Pulumi over kubectl, for each pair."""
        return [ours / kubectl for ours, kubectl in self.pairs]

    @property
    def median(self) -> float:
        """The median of the pairs' ratios."""
        return statistics.median(self.ratios)


def measure(directory: Path, pairs: int = PAIRS) -> Applied:
    """Measure pairs below `directory`, after one `up` that tells the objects and warms up."""
    with empty(directory / "recorded") as (sandbox, _):
        engine.up(sandbox, STACK, PARALLEL)
        ordered = waves(engine.deployment(sandbox, STACK))
        idle = engine.up(sandbox, STACK, PARALLEL).wall
    measured = []
    for number in range(pairs):
        with empty(directory / f"pulumi-{number}") as (sandbox, _):
            ours = engine.up(sandbox, STACK, PARALLEL).wall
        with empty(directory / f"kubectl-{number}") as (sandbox, cluster):
            measured.append((ours, kubectl(cluster, ordered, sandbox.home)))
    spaces, *others = ordered
    everything = [each for wave in others for each in wave]
    with empty(directory / "at-once") as (sandbox, cluster):
        at_once = kubectl(cluster, [spaces, everything], sandbox.home)
    provider = "official" if find_provider(cache_directory()) else "thin"
    return Applied(provider, sum(map(len, ordered)), len(ordered), measured, at_once, idle)


@contextmanager
def empty(home: Path) -> Iterator[tuple[Sandbox, Cluster]]:
    """Start an empty cluster for a sandbox, before anything is measured.

    It has said once what kinds of objects it knows, as every cluster has that is in use: the server makes that document
    when it is first asked for it.
    """
    with Sandbox(home) as sandbox:
        sandbox.prepare(STACK)
        [cluster] = sandbox.existing_clusters(STACK)
        cluster.start()
        try:
            _call(cluster, sandbox.home, "get", "--raw=/openapi/v2")
            yield sandbox, cluster
        finally:
            cluster.remove()


def waves(deployment: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the objects that a recorded deployment has made, as they were asked for, each after those it needs.

    The state lists every resource after those on which it depends.
    """
    waits: dict[str, int] = {}
    found: dict[int, list[dict[str, Any]]] = {}
    for resource in deployment["resources"]:
        is_object = resource["type"].startswith("kubernetes:") and "kind" in resource["inputs"]
        wave = max((waits[needed] for needed in resource.get("dependencies") or ()), default=0)
        if is_object:
            found.setdefault(wave, []).append(plain(resource["inputs"]))
        waits[resource["urn"]] = wave + is_object
    return [found[wave] for wave in sorted(found)]


def plain(value: Any) -> Any:
    """Open secrets, which were made for this run alone, and leave out what the engine adds."""
    if isinstance(value, dict):
        if "plaintext" in value:
            return json.loads(value["plaintext"])
        return {key: plain(item) for key, item in value.items() if not key.startswith("__")}
    return [plain(item) for item in value] if isinstance(value, list) else value


def kubectl(cluster: Cluster, ordered: Sequence[Sequence[Mapping[str, Any]]], home: Path) -> float:
    """Apply objects, one wave once the one before is ready, and return the seconds that it took."""
    began = time.perf_counter()
    for wave in ordered:
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(wave)})
        _call(cluster, home, "apply", "--server-side", "--filename=-", text=listed)
        for each in wave:
            if each["kind"] in WAITED_FOR:
                metadata = each["metadata"]
                what = f"{each['kind'].lower()}/{metadata['name']}"
                space = f"--namespace={metadata['namespace']}"
                _call(cluster, home, *WAITED_FOR[each["kind"]], space, "--timeout=120s", what)
    return time.perf_counter() - began


def _call(cluster: Cluster, home: Path, *arguments: str, text: str | None = None) -> None:
    command = [_program(), *arguments]
    environment = {**os.environ, **cluster.environment(), "HOME": str(home)}
    subprocess.run(command, env=environment, input=text, check=True, text=True, capture_output=True)


@cache
def _program() -> str:
    return str(ensure_kubernetes(cache_directory())["kubectl"])
