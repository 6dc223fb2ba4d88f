"""What runs where, in which version, and how it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from operations.checks.backends import Platform
from operations.checks.findings import State


@dataclass(frozen=True)
class Running:
    """A workload.

    Attributes:
        namespace, kind, name: which one it is.
        version: tag or digest of the image of its first container.
        ready, wanted: how many copies there are, and should be.
        restarts: how often its containers were started anew, all copies together.
        nodes: how many nodes they are spread over.
    """

    namespace: str
    kind: str
    name: str
    version: str
    ready: int
    wanted: int
    restarts: int
    nodes: int

    @property
    def state(self) -> State:
        """Failing without any copy, a warning with fewer than wanted."""
        if self.ready >= self.wanted:
            return State.OK
        return State.WARNING if self.ready else State.FAILING

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {**asdict(self), "state": self.state.word}


def running(platform: Platform) -> list[Running]:
    """List every workload of the platform in the cluster.

    Raises:
        UnreachableError: the cluster cannot be asked.
    """
    pods = platform.cluster.pods()
    return sorted(
        (describe(workload, pods) for workload in platform.cluster.workloads()),
        key=lambda each: (each.namespace, each.name),
    )


def describe(workload: Any, pods: Sequence[Any]) -> Running:
    """Describe a workload and its pods."""
    about, status = workload.metadata, workload.status
    selector = workload.spec.selector.match_labels
    own = [
        pod
        for pod in pods
        if pod.metadata.namespace == about.namespace and selector.items() <= (pod.metadata.labels or {}).items()
    ]
    every_node = workload.kind == "DaemonSet"
    ready = status.number_ready if every_node else status.ready_replicas
    return Running(
        about.namespace,
        workload.kind,
        about.name,
        version(workload.spec.template.spec.containers[0].image),
        ready=ready or 0,
        wanted=status.desired_number_scheduled if every_node else workload.spec.replicas,
        restarts=sum(each.restart_count for pod in own for each in pod.status.container_statuses or ()),
        nodes=len({pod.spec.node_name for pod in own if pod.spec.node_name}),
    )


def version(image: str) -> str:
    """Return what tells one build of an image from another: its tag, or the first digits of its digest."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or digest.removeprefix("sha256:")[:12] or "latest"
