"""The local stack, on the real engine and a real Kubernetes API: its whole life, lived once."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from pulumi import automation

from operations.diagram import draw
from sandbox.kubernetes import Cluster
from sandbox.kubernetes.provider import bare
from sandbox.kubernetes.supplements import LOAD
from sandbox.workspace import Sandbox
from tests.kubernetes.alike import alike
from tests.sandbox import lifecycle
from tests.sandbox.lifecycle import Step
from tests.stacks import Made, Stacks

STACK = "local"
PATIENCE = 60
READ = (
    "/api/v1/namespaces",
    "/api/v1/namespaces/auterity/configmaps",
    "/api/v1/namespaces/auterity/limitranges",
    "/api/v1/namespaces/auterity/resourcequotas",
    "/api/v1/namespaces/auterity/serviceaccounts",
    "/api/v1/namespaces/auterity/services",
    "/apis/apps/v1/namespaces/auterity/deployments",
    "/apis/apps/v1/namespaces/auterity/statefulsets",
    "/apis/autoscaling/v2/namespaces/auterity/horizontalpodautoscalers",
    "/apis/batch/v1/namespaces/auterity/jobs",
    "/apis/networking.k8s.io/v1/namespaces/auterity/networkpolicies",
    "/apis/policy/v1/namespaces/auterity/poddisruptionbudgets",
    "/apis/scheduling.k8s.io/v1/priorityclasses",
)
"""Where everything lies that the stack puts into its cluster."""

GIVEN = ("kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision")
"""Annotations that controllers write."""


ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"


@dataclass
class Life:
    preview: Step
    up: Step
    again: Step
    refreshed: Step
    pods: list[Any]
    warnings: list[str]
    objects: dict[str, Any]
    password: str
    state: str
    scaled: int
    after_scaling: Step
    replicas_kept: int
    templates: tuple[str, str]
    reconfigured: Step
    refused: str
    destroyed: Step
    left: list[str]
    processes: list[str]


def objects_of(cluster: Cluster, further: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read what the stack put into its cluster, and into `further` places, without what the server writes."""
    api = config.new_client_from_config_dict(cluster.kubeconfig())
    found = {}
    for path in (*READ, *further):
        request = api.param_serialize(
            "GET", path, header_params={"Accept": "application/json"}, auth_settings=["BearerToken"]
        )
        for thing in json.loads(api.call_api(*request).read())["items"]:
            name = thing["metadata"]["name"]
            if "auterity" in (name, *name.split("-")) or thing["metadata"].get("namespace") == "auterity":
                found[f"{path}/{name}"] = comparable(thing)
    return {
        key: value for key, value in found.items() if not key.endswith(("kube-root-ca.crt", "serviceaccounts/default"))
    }


def comparable(thing: Mapping[str, Any]) -> dict[str, Any]:
    plain = bare(dict(thing))
    annotations = plain["metadata"].get("annotations") or {}
    plain["metadata"]["annotations"] = {key: value for key, value in annotations.items() if key not in GIVEN}
    for address in ("clusterIP", "clusterIPs", "healthCheckNodePort"):
        plain.get("spec", {}).pop(address, None)
    return dict(without_uids(plain))


def without_uids(value: Any) -> Any:
    """Leave out the label by which a Job finds its pods: another one each time."""
    if isinstance(value, Mapping):
        return {key: without_uids(item) for key, item in value.items() if "controller-uid" not in key}
    return [without_uids(item) for item in value] if isinstance(value, list) else value


def eventually(ask: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.2)
    return answer


def live(sandbox: Sandbox, made: Made) -> Life:
    stack = sandbox.stack(STACK)
    again, refreshed = lifecycle.up(stack), lifecycle.refresh(stack)
    [cluster] = sandbox.existing_clusters(STACK)
    api = config.new_client_from_config_dict(cluster.kubeconfig())
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    pods = core.list_namespaced_pod("auterity").items
    objects = objects_of(cluster)
    encoded = core.read_namespaced_secret("auterity-cache-login", "auterity").data["password"]
    state = json.dumps(lifecycle.exported(sandbox, STACK))

    def replicas() -> int:
        return int(apps.read_namespaced_deployment("auterity-app", "auterity").spec.replicas)

    def template() -> str:
        made = apps.read_namespaced_deployment("auterity-app", "auterity").spec.template.metadata.annotations
        return str(made["auterity/configuration"])

    before = template()
    lifecycle.set_path(stack, "app.environment.APP_LOG_LEVEL", "DEBUG")
    # The autoscaler is to act at once, and the app to have room for it.
    lifecycle.set_path(stack, "app.scaling.scale_out_seconds", "0")
    reconfigured = lifecycle.up(stack)
    templates = (before, template())

    core.create_namespaced_config_map("kube-system", {"metadata": {"name": LOAD}, "data": {"auterity": "200"}})
    eventually(lambda: replicas() == 2)
    scaled, after_scaling, kept = replicas(), lifecycle.up(stack), replicas()
    events = core.list_event_for_all_namespaces(field_selector="type=Warning").items

    refused = ""
    lifecycle.set_path(stack, "app.pod.cpu_limit_millis", "50")
    try:
        lifecycle.preview(stack)
    except automation.CommandError as error:
        refused = str(error)
    lifecycle.set_path(stack, "app.pod.cpu_limit_millis", "1000")

    destroyed = lifecycle.destroy(stack)
    left = list(objects_of(cluster))
    running = list(cluster.daemons.running().values())
    cluster.remove()
    return Life(
        made.previewed.step,
        made.up,
        again,
        refreshed,
        pods,
        [f"{e.reason}: {e.message}" for e in events],
        objects,
        base64.b64decode(encoded).decode(),
        state,
        scaled,
        after_scaling,
        kept,
        templates,
        reconfigured,
        refused,
        destroyed,
        left,
        [p.name() for p in running if p.is_running()],
    )


@pytest.fixture(scope="module")
def life(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Life:
    with stacks.copied(STACK, tmp_path_factory.mktemp("sandbox")) as sandbox:
        return live(sandbox, stacks.made(STACK))


def test_the_first_preview_creates_and_does_nothing_else(life: Life) -> None:
    assert set(life.preview.counts) == {"create"}


def test_up_creates_exactly_what_the_preview_showed(life: Life) -> None:
    assert life.up.operations == life.preview.operations


def test_every_pod_runs_and_is_ready(life: Life) -> None:
    at_work = [pod for pod in life.pods if pod.status.phase != "Succeeded"]
    assert at_work
    for pod in at_work:
        assert pod.status.phase == "Running"
        assert all(status.ready for status in pod.status.container_statuses)


def test_the_work_of_the_deployment_is_done(life: Life) -> None:
    jobs = {pod.metadata.labels["batch.kubernetes.io/job-name"] for pod in life.pods if pod.status.phase == "Succeeded"}
    done = ("auterity-gateway-migrate", "auterity-gateway-finish", "auterity-gateway-configure")
    assert {job.rpartition("-")[0] for job in jobs} == set(done)


def test_a_second_up_changes_nothing(life: Life) -> None:
    assert life.again.operations == {}


def test_a_refresh_changes_nothing(life: Life) -> None:
    assert life.refreshed.operations == {}


def test_up_leaves_the_number_of_pods_to_the_autoscaler(life: Life) -> None:
    assert life.scaled == 2
    assert life.after_scaling.operations == {}
    assert life.replicas_kept == 2


def test_the_state_shows_no_password_in_any_form(life: Life) -> None:
    assert len(life.password) == 32
    for form in (life.password, base64.b64encode(life.password.encode()).decode()):
        assert form not in life.state
    assert hashlib.sha256(life.password.encode()).hexdigest() not in life.state


def test_the_architecture_in_the_documentation_is_drawn_from_the_state(life: Life) -> None:
    drawn = draw({"deployment": json.loads(life.state)}).mermaid()
    if os.environ.get("WRITE_SCREENS"):
        before, _, after = ARCHITECTURE.read_text().partition("```mermaid\n")
        ARCHITECTURE.write_text(f"{before}```mermaid\n{drawn}```{after.partition('```')[2]}")
    assert f"```mermaid\n{drawn}```" in ARCHITECTURE.read_text()


def test_a_change_of_the_configuration_rolls_the_pods(life: Life) -> None:
    before, after = life.templates
    assert before != after
    assert set(life.reconfigured.operations.values()) == {"update"}


def test_nothing_is_warned_of_but_what_passes_by_itself(life: Life) -> None:
    passing = (
        # An autoscaler before its first measurement.
        "FailedGetResourceMetric",
        "FailedComputeMetricsReplicas",
        # The API server hears of a new Service before it hears of the address that it has just given to it.
        "ClusterIPNotAllocated",
    )
    tried_again = (
        # Two controllers of the cluster change an object at once.
        re.compile("the object has been modified; please apply your changes to the latest version and try again"),
        # The controller of endpoints makes some before it hears that it has just made them.
        re.compile(r'^FailedToCreateEndpoint: .*: endpoints "[^"]+" already exists$'),
    )
    told = [
        warning
        for warning in life.warnings
        if not warning.startswith(passing) and not any(each.search(warning) for each in tried_again)
    ]
    assert told == []


def test_a_limit_below_its_request_is_one_clear_error(life: Life) -> None:
    assert "auterity:app.pod.cpu_limit_millis: 50 given; allowed: at least cpu_request_millis (100)" in life.refused


def test_destroy_leaves_no_object(life: Life) -> None:
    assert life.left == []


def test_a_removed_cluster_leaves_no_process(life: Life) -> None:
    assert life.processes == []


def test_the_thin_provider_makes_the_same_objects(life: Life, tmp_path: Path) -> None:
    with lifecycle.sandbox_below(tmp_path / "sandbox", kubernetes="thin") as sandbox:
        lifecycle.up(sandbox.stack(STACK))
        [cluster] = sandbox.existing_clusters(STACK)
        objects = objects_of(cluster)
    assert alike(objects) == alike(life.objects)
