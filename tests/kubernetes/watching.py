"""What happens to workloads and their pods while something is done to a cluster, as the API server tells it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client, watch
from urllib3.exceptions import HTTPError

NAMESPACE_PREFIX = "auterity"

ROLLED_OUT_SECONDS = 180.0
"""How long copies may take to replace each other: some wait for as long as an edge takes to notice."""


@dataclass
class Watched:
    """What was seen.

    Attributes:
        deleted: workloads that were deleted, each as kind and name.
        wanted: name of a disruption budget to the number of healthy pods that it asks for.
        least: name of a disruption budget to the least number of its pods that served at any moment.
        rolled: workloads whose pods were replaced by others.
    """

    deleted: list[str] = field(default_factory=list)
    wanted: dict[str, int] = field(default_factory=dict)
    least: dict[str, int] = field(default_factory=dict)
    rolled: set[str] = field(default_factory=set)

    @property
    def short(self) -> dict[str, tuple[int, int]]:
        """Return budgets that were not kept: their names to what there was at least, and what was wanted."""
        return {name: (self.least[name], most) for name, most in self.wanted.items() if self.least[name] < most}


def serves(pod: Any) -> bool:
    """Say whether a pod gets requests: it is ready, and nobody has asked it to go."""
    ready = any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or ())
    return ready and pod.metadata.deletion_timestamp is None


@contextmanager
def watched(api: client.ApiClient) -> Iterator[Watched]:
    """Follow every workload, pod and disruption budget of the platform inside the block."""
    seen, over = Watched(), threading.Event()
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    budgets = {
        f"{budget.metadata.namespace}/{budget.metadata.name}": (
            budget.metadata.namespace,
            budget.spec.selector.match_labels,
        )
        for budget in client.PolicyV1Api(api).list_pod_disruption_budget_for_all_namespaces().items
        if _record(seen, budget)
    }
    pods: dict[str, Any] = {}

    def count() -> None:
        healthy: dict[str, int] = defaultdict(int)
        for pod in pods.values():
            for name, (namespace, labels) in budgets.items():
                if pod.metadata.namespace == namespace and labels.items() <= (pod.metadata.labels or {}).items():
                    healthy[name] += serves(pod)
        for name in budgets:
            seen.least[name] = min(seen.least.get(name, healthy[name]), healthy[name])

    def on_pod(happened: str, pod: Any) -> None:
        if happened == "DELETED":
            pods.pop(pod.metadata.uid, None)
            seen.rolled.add((pod.metadata.labels or {}).get("app.kubernetes.io/name", pod.metadata.name))
        else:
            pods[pod.metadata.uid] = pod
        count()

    def on_workload(happened: str, workload: Any) -> None:
        if happened == "DELETED" or workload.metadata.deletion_timestamp:
            seen.deleted.append(f"{workload.metadata.namespace}/{workload.metadata.name}")

    listed = core.list_pod_for_all_namespaces()
    pods.update({pod.metadata.uid: pod for pod in listed.items})
    count()
    followed: list[tuple[Callable[..., Any], Callable[[str, Any], None], str]] = [
        (core.list_pod_for_all_namespaces, on_pod, listed.metadata.resource_version)
    ]
    for source in (
        apps.list_deployment_for_all_namespaces,
        apps.list_stateful_set_for_all_namespaces,
        apps.list_daemon_set_for_all_namespaces,
    ):
        followed.append((source, on_workload, source().metadata.resource_version))
    watchers = [watch.Watch() for _ in followed]
    lock = threading.Lock()

    def follow(watcher: watch.Watch, source: Callable[..., Any], hear: Callable[[str, Any], None], since: str) -> None:
        try:
            for event in watcher.stream(source, resource_version=since):
                if event["object"].metadata.namespace.startswith(NAMESPACE_PREFIX):
                    with lock:
                        hear(event["type"], event["object"])
        except (OSError, HTTPError, client.ApiException):
            # The cluster has ended under a watch that nobody needs any more.
            if not over.is_set():
                raise

    threads = [
        threading.Thread(target=follow, args=(watcher, *each), daemon=True)
        for watcher, each in zip(watchers, followed, strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        yield seen
        # The engine may be content while the last pods before the change still serve.
        deadline = time.monotonic() + ROLLED_OUT_SECONDS
        while time.monotonic() < deadline and not _rolled_out(apps):
            time.sleep(0.5)
        # What is under way is told within a moment.
        time.sleep(1)
    finally:
        over.set()
        for watcher in watchers:
            watcher.stop()


def _rolled_out(apps: client.AppsV1Api) -> bool:
    """Say whether all copies of every workload are those that it states, and no others are left."""
    workloads = [*apps.list_deployment_for_all_namespaces().items, *apps.list_stateful_set_for_all_namespaces().items]
    return all(
        each.status.observed_generation == each.metadata.generation
        and each.spec.replicas == (each.status.updated_replicas or 0) == (each.status.replicas or 0)
        for each in workloads
        if each.metadata.namespace.startswith(NAMESPACE_PREFIX)
    )


def _record(seen: Watched, budget: Any) -> bool:
    if not budget.metadata.namespace.startswith(NAMESPACE_PREFIX):
        return False
    seen.wanted[f"{budget.metadata.namespace}/{budget.metadata.name}"] = budget.status.desired_healthy
    return True
