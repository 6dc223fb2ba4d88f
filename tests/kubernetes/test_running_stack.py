"""The local stack at work, on a real API server: who may reach whom, and that there are always enough of the app."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from kubernetes import client, config, watch
from pulumi import automation
from urllib3.exceptions import HTTPError

from components.workload import app as the_app
from components.workload import load_balancer as the_load_balancer
from sandbox.kubernetes import Cluster
from sandbox.kubernetes.supplements import DEFAULT_CLASS
from sandbox.toolchain import cache_directory
from sandbox.toolchain.kubernetes_binaries import ensure_kubernetes
from sandbox.workspace import Sandbox
from tests.kubernetes.reachability import Node, Rules
from tests.kubernetes.test_local_stack import STACK, eventually
from tests.kubernetes.watching import serves
from tests.sandbox import lifecycle
from tests.stacks import Stacks

NAME = "app.kubernetes.io/name"
COPIES = 4

# Who may open connections to whom, on which TCP ports. What is not here must not be possible.
APP, CACHE, DATABASE, GATEWAY, QUEUE, WORK, BALANCER, VAULT = (
    "auterity-app",
    "auterity-cache",
    "auterity-database",
    "auterity-gateway",
    "auterity-queue",
    "auterity-gateway-work",
    "auterity-load-balancer",
    "auterity-vault",
)
PROMETHEUS, ALERTMANAGER, LOKI, ALLOY, GRAFANA, OBJECTS, NODES = (
    "auterity-prometheus",
    "auterity-alertmanager",
    "auterity-loki",
    "auterity-alloy",
    "auterity-grafana",
    "auterity-kube-state-metrics",
    "auterity-node-exporter",
)
ANYONE_NEAR, ANYONE = "anyone in a private network", "anyone"
MAY_TALK = {
    (ANYONE_NEAR, BALANCER): {8080},
    (BALANCER, GATEWAY): {8000},
    (GATEWAY, APP): {8000},
    (GATEWAY, DATABASE): {5432},
    (WORK, DATABASE): {5432},
    (APP, DATABASE): {5432},
    (APP, CACHE): {6379},
    (APP, QUEUE): {5672},
    (APP, VAULT): {8200},
    # Figures.
    (PROMETHEUS, APP): {8000},
    (PROMETHEUS, GATEWAY): {8100},
    (PROMETHEUS, DATABASE): {9187},
    (PROMETHEUS, CACHE): {9121},
    (PROMETHEUS, QUEUE): {15692},
    (PROMETHEUS, VAULT): {8200},
    (PROMETHEUS, PROMETHEUS): {9090},
    (PROMETHEUS, ALERTMANAGER): {9093},
    (PROMETHEUS, LOKI): {3100},
    (PROMETHEUS, ALLOY): {12345},
    (PROMETHEUS, GRAFANA): {3000},
    (PROMETHEUS, OBJECTS): {8080},
    (PROMETHEUS, NODES): {9100},
    # Logs, and who looks.
    (ALLOY, LOKI): {3100},
    (GRAFANA, PROMETHEUS): {9090},
    (GRAFANA, LOKI): {3100},
    (GRAFANA, ALERTMANAGER): {9093},
}
# Everyone resolves names, wherever that is done; nobody in here does it for others. Some ask the API server, and
# Prometheus the nodes.
ASKS_API = {443, 6443}
MORE = {VAULT: ASKS_API, OBJECTS: ASKS_API, ALLOY: ASKS_API, PROMETHEUS: ASKS_API | {10250}}
WORKLOADS = {name for pair in MAY_TALK for name in pair} - {ANYONE_NEAR}
TO_OUTSIDE = {(name, outside): {53} | MORE.get(name, set()) for name in WORKLOADS for outside in (ANYONE_NEAR, ANYONE)}
# Beside those that pods show: admin interfaces, nodes of a broker among themselves, names, TLS.
MORE_PORTS = {22, 53, 80, 443, 4369, 6443, 8001, 8444, 10250, 15672, 25672}


@dataclass
class Watched:
    """How many copies of the app were ready, as events of the API server told it."""

    counts: list[int] = field(default_factory=list)

    @property
    def least(self) -> int:
        return min(self.counts)


@dataclass
class Running:
    """The stack while it runs."""

    sandbox: Sandbox
    stack: automation.Stack
    cluster: Cluster
    api: client.ApiClient

    @property
    def core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self.api)

    def pods(self, name: str) -> list[Any]:
        found: list[Any] = self.core.list_namespaced_pod("auterity", label_selector=f"{NAME}={name}").items
        return found

    def settled(self) -> bool:
        pods = self.pods(APP)
        return len(pods) == COPIES and all(map(serves, pods))

    def kubectl(self, *arguments: str) -> None:
        program = ensure_kubernetes(cache_directory())["kubectl"]
        environment = {**os.environ, **self.cluster.environment(), "HOME": str(self.sandbox.home)}
        subprocess.run([program, *arguments], check=True, env=environment, capture_output=True, timeout=450)

    @contextmanager
    def watched(self) -> Iterator[Watched]:
        """Count the copies that serve, at every event, inside the block and until all are back after it."""
        eventually(self.settled)
        seen, states = Watched(), {pod.metadata.name: serves(pod) for pod in self.pods(APP)}
        seen.counts.append(sum(states.values()))
        listed = self.core.list_namespaced_pod("auterity", label_selector=f"{NAME}={APP}")
        watcher, over = watch.Watch(), threading.Event()

        def follow() -> None:
            stream = watcher.stream(
                self.core.list_namespaced_pod,
                "auterity",
                label_selector=f"{NAME}={APP}",
                resource_version=listed.metadata.resource_version,
            )
            try:
                for event in stream:
                    pod = event["object"]
                    states[pod.metadata.name] = event["type"] != "DELETED" and serves(pod)
                    seen.counts.append(sum(states.values()))
            except (OSError, HTTPError):
                # The cluster has ended under a watch that nobody needs any more.
                if not over.is_set():
                    raise

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield seen
            eventually(self.settled)
        finally:
            over.set()
            watcher.stop()


@pytest.fixture(scope="module")
def running(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("sandbox")
    with stacks.copied(STACK, home) as sandbox:
        stack = sandbox.stack(STACK)
        for key, value in {"copies": COPIES, "scaling.minimum": COPIES, "scaling.maximum": 8}.items():
            lifecycle.set_path(stack, f"app.{key}", str(value))
        lifecycle.up(stack)
        [cluster] = sandbox.existing_clusters(STACK)
        yield Running(sandbox, stack, cluster, config.new_client_from_config_dict(cluster.kubeconfig()))


def rules_of(running: Running) -> Rules:
    """Read the policies as they are on the API server."""
    plain = running.api.sanitize_for_serialization
    policies = client.NetworkingV1Api(running.api).list_network_policy_for_all_namespaces().items
    namespaces = running.core.list_namespace().items
    return Rules([plain(policy) for policy in policies], {n.metadata.name: n.metadata.labels or {} for n in namespaces})


def nodes_of(running: Running) -> list[Node]:
    """List every pod as it is on the API server, and two that are outside."""
    pods = running.core.list_pod_for_all_namespaces().items
    assert pods
    inside = [
        Node(
            pod.metadata.labels[NAME],
            pod.status.pod_ip or "10.255.255.255",
            pod.metadata.namespace,
            pod.metadata.labels,
            {p.name: p.container_port for c in pod.spec.containers for p in c.ports or ()},
        )
        for pod in pods
    ]
    return [*inside, Node(ANYONE_NEAR, "10.77.1.9"), Node(ANYONE, "203.0.113.9")]


def test_every_pair_of_pods_may_talk_as_the_table_says_and_in_no_other_way(running: Running) -> None:
    rules, nodes = rules_of(running), nodes_of(running)
    ports = MORE_PORTS | {port for node in nodes for port in node.ports.values()}
    assert {5432, 5672, 6379, 8000, 8080, 9187} <= ports
    possible: dict[tuple[str, str], set[int]] = defaultdict(set)
    for source in nodes:
        for target in nodes:
            if source.namespace is None and target.namespace is None:
                continue
            possible[source.name, target.name] |= {port for port in ports if rules.allow(source, target, port)}
    found = {pair: open_ports for pair, open_ports in possible.items() if open_ports}
    assert found == MAY_TALK | TO_OUTSIDE


def test_every_workload_of_the_stack_is_in_the_table(running: Running) -> None:
    names = {node.name for node in nodes_of(running) if node.namespace}
    assert names == WORKLOADS


def test_a_new_version_rolls_out_with_never_a_copy_less(running: Running) -> None:
    with running.watched() as seen:
        lifecycle.set_path(running.stack, "image.reference", "auterity/app:1.0.1")
        lifecycle.up(running.stack)
    assert seen.least >= COPIES
    assert {pod.spec.containers[0].image for pod in running.pods(APP)} == {"auterity/app:1.0.1"}


def test_another_configuration_reaches_every_copy_with_never_a_copy_less(running: Running) -> None:
    before = {pod.metadata.name for pod in running.pods(APP)}
    with running.watched() as seen:
        lifecycle.set_path(running.stack, "app.environment.APP_LOG_LEVEL", "DEBUG")
        lifecycle.up(running.stack)
    assert seen.least >= COPIES
    assert before.isdisjoint(pod.metadata.name for pod in running.pods(APP))


VOLUMES = (
    "cache.in_cluster",
    "database.in_cluster",
    "messaging.in_cluster",
    "observability.logs",
    "observability.metrics",
    "vault",
)
"""Sections with the size of a volume."""


def identities(running: Running) -> dict[tuple[str, ...], str]:
    """Return what tells an object from another one of its name: of workloads, pods, and claims with their volumes."""
    apps = client.AppsV1Api(running.api)
    found: dict[tuple[str, ...], str] = {}
    for kind, objects in (
        ("pod", running.core.list_pod_for_all_namespaces()),
        ("set", apps.list_stateful_set_for_all_namespaces()),
        ("claim", running.core.list_persistent_volume_claim_for_all_namespaces()),
    ):
        for each in objects.items:
            found[kind, each.metadata.namespace, each.metadata.name] = each.metadata.uid
            if kind == "claim":
                found["volume", each.metadata.namespace, each.metadata.name] = each.spec.volume_name
    return found


def test_every_volume_grows_in_place_and_neither_a_pod_nor_its_data_is_replaced(running: Running) -> None:
    # kind's own class cannot; that of EKS can.
    client.StorageV1Api(running.api).patch_storage_class(DEFAULT_CLASS, {"allowVolumeExpansion": True})
    before = identities(running)
    for section in VOLUMES:
        lifecycle.set_path(running.stack, f"{section}.storage_gib", "5")
    lifecycle.up(running.stack)

    def grown() -> list[str]:
        claims = running.core.list_persistent_volume_claim_for_all_namespaces().items
        return [each.metadata.name for each in claims if each.status.capacity["storage"] == "5Gi"]

    eventually(lambda: len(grown()) == len(VOLUMES))
    assert identities(running) == before


def test_a_volume_that_would_shrink_is_refused_before_anything_is_changed(running: Running) -> None:
    lifecycle.set_path(running.stack, "vault.storage_gib", "4")
    with pytest.raises(automation.CommandError, match=r"can ?not be less than"):
        running.stack.preview()
    lifecycle.set_path(running.stack, "vault.storage_gib", "5")


def test_after_kubectl_rollout_undo_the_next_version_goes_out_as_ever(running: Running) -> None:
    running.kubectl("rollout", "undo", "deployment/auterity-app", "--namespace=auterity")
    running.kubectl("rollout", "status", "deployment/auterity-app", "--namespace=auterity", "--timeout=120s")
    lifecycle.set_path(running.stack, "image.reference", "auterity/app:1.0.2")
    lifecycle.up(running.stack)
    found = client.AppsV1Api(running.api).read_namespaced_deployment(APP, "auterity")
    [container] = found.spec.template.spec.containers
    assert container.image == "auterity/app:1.0.2"


def test_a_job_that_failed_is_made_anew_by_the_next_deployment(running: Running) -> None:
    nodes = [node.metadata.name for node in running.core.list_node().items]
    lifecycle.set_path(running.stack, "gateway.requests_per_minute", "601")
    running.kubectl("cordon", *nodes)
    jobs = client.BatchV1Api(running.api)

    def unfinished() -> list[Any]:
        found: list[Any] = jobs.list_namespaced_job("auterity").items
        return [job for job in found if not (job.status.conditions or ())]

    def fail() -> None:
        # No node takes its pod; it has waited long enough.
        [job] = eventually(unfinished)
        jobs.patch_namespaced_job(job.metadata.name, "auterity", {"spec": {"activeDeadlineSeconds": 1}})

    failing = threading.Thread(target=fail)
    failing.start()
    with pytest.raises(automation.CommandError, match=r"DeadlineExceeded|longer than specified deadline"):
        lifecycle.up(running.stack)
    failing.join()
    running.kubectl("uncordon", *nodes)
    again = lifecycle.up(running.stack)
    assert set(again.operations.values()) <= {"create-replacement", "delete-replaced", "replace"}
    assert again.operations
    assert unfinished() == []


def test_nodes_are_drained_with_at_most_one_copy_away(running: Running) -> None:
    with running.watched() as seen:
        for node in running.core.list_node().items:
            running.kubectl(
                "drain", node.metadata.name, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=400s"
            )
            running.kubectl("uncordon", node.metadata.name)
    assert min(seen.counts) >= COPIES - 1
    assert len(seen.counts) > COPIES


@pytest.mark.parametrize("name", [the_app.NAME, the_load_balancer.NAME, "auterity-gateway"])
def test_what_serves_requests_is_replaced_only_once_its_successor_does(running: Running, name: str) -> None:
    found = client.AppsV1Api(running.api).read_namespaced_deployment(name, "auterity")
    assert found.spec.strategy.rolling_update.max_unavailable == 0


def test_without_a_budget_a_drain_takes_more_and_is_seen_to(running: Running) -> None:
    """The watch of the tests before this one can tell."""
    client.PolicyV1Api(running.api).delete_namespaced_pod_disruption_budget("auterity-app", "auterity")
    with running.watched() as seen:
        nodes = [node.metadata.name for node in running.core.list_node().items]
        for node in nodes:
            running.kubectl("cordon", node)
        running.kubectl("delete", "pods", "--namespace=auterity", f"--selector={NAME}={APP}", "--wait=false")
        for node in nodes:
            running.kubectl("uncordon", node)
    assert seen.least < COPIES - 1
