"""What the operator's command sees and does in a real cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, utils
from typer.testing import CliRunner, Result

from operations.__main__ import app
from sandbox.kubernetes import Cluster
from sandbox.toolchain.kubernetes_binaries import kubernetes_version
from tests.real.platform_figures import remembered
from tests.real.reference_app import eventually
from tests.real.watching import Program

SPACE = "auterity"
CLOSED = "http://127.0.0.1:9"


def deployment(name: str, replicas: int, **pod: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name}
    limits = {"limits": {"memory": "4Gi"}}
    container = {"name": name, "image": f"registry.test/{name}:1.4.2", "resources": limits}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": SPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container], **pod}},
        },
    }


@dataclass(frozen=True)
class Operator:
    """Somebody with the operator's command, a kubeconfig and an address of Prometheus."""

    told: Mapping[str, str]
    prometheus: str

    def ask(self, *words: str, answers: str = "") -> Result:
        surroundings = {**self.told, "PROMETHEUS_URL": self.prometheus, "ALERTMANAGER_URL": CLOSED, "LOKI_URL": CLOSED}
        return CliRunner().invoke(app, list(words), env=surroundings, input=answers)


@pytest.fixture(scope="module")
def pod(cluster: Cluster, api: client.ApiClient) -> str:
    """Run a Deployment of two copies, and one that no node takes; return the name of a pod that runs."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    nowhere = deployment("auterity-lost", 1, nodeSelector={"nowhere": "found"})
    for each in (space, deployment("auterity-app", 2), nowhere):
        utils.create_from_dict(api, each)
    apps = client.AppsV1Api(api)

    def ready() -> bool:
        return bool(apps.read_namespaced_deployment("auterity-app", SPACE).status.ready_replicas == 2)

    eventually(ready)
    pods = client.CoreV1Api(api).list_namespaced_pod(SPACE, label_selector="app.kubernetes.io/name=auterity-app").items
    return str(pods[0].metadata.name)


@pytest.fixture(scope="module")
def prometheus(pod: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A Prometheus that saw the pod close to its limit."""
    held = f'container_memory_working_set_bytes{{namespace="{SPACE}",pod="{pod}",container="app"}}'
    with remembered(tmp_path_factory.mktemp("figures"), well=True, more={held: 3.9 * 2**30}) as started:
        yield started


@pytest.fixture
def operator(cluster: Cluster, prometheus: Program) -> Operator:
    return Operator(cluster.environment(), prometheus.url)


def template(api: client.ApiClient) -> dict[str, str]:
    found = client.AppsV1Api(api).read_namespaced_deployment("auterity-app", SPACE)
    return dict(found.spec.template.metadata.annotations or {})


def test_status_tells_versions_copies_and_nodes_of_each_workload(operator: Operator) -> None:
    answer = operator.ask("status", "--json")
    found = {each["name"]: each for each in json.loads(answer.stdout)}
    app_, lost = found["auterity-app"], found["auterity-lost"]
    assert (app_["version"], app_["ready"], app_["wanted"], app_["state"]) == ("1.4.2", 2, 2, "ok")
    assert app_["nodes"] >= 1
    assert (lost["ready"], lost["wanted"], lost["nodes"], lost["state"]) == (0, 1, 0, "failing")
    assert answer.exit_code == 1


def test_status_of_no_cluster_is_one_line(tmp_path: Path) -> None:
    answer = Operator({"KUBECONFIG": str(tmp_path / "none")}, CLOSED).ask("status")
    assert answer.exit_code == 3
    assert answer.stderr.startswith("error: the cluster cannot be asked (the kubeconfig's current context): ")
    assert answer.stdout == ""


def test_a_pod_close_to_its_limit_is_found(operator: Operator, pod: str) -> None:
    found = json.loads(operator.ask("troubleshoot", "memory", "--json").stdout)
    [full] = [each for each in found if each["check"] == "Container memory"]
    assert (full["state"], full["saw"]) == ("failing", f"{pod} holds 3.9 GiB of 4 GiB")


def test_looking_changes_nothing(operator: Operator, api: client.ApiClient) -> None:
    operator.ask("troubleshoot", "memory")
    assert template(api) == {}


def test_a_remedy_that_is_declined_changes_nothing(operator: Operator, api: client.ApiClient) -> None:
    answer = operator.ask("troubleshoot", "memory", "--apply", answers="n\n")
    assert "Start the pods of auterity-app in auterity anew" in answer.output
    assert template(api) == {}


def test_a_remedy_that_is_wanted_replaces_the_pods_of_what_is_close_to_its_limit(
    operator: Operator, api: client.ApiClient, pod: str
) -> None:
    operator.ask("troubleshoot", "memory", "--apply", answers="y\n")
    assert set(template(api)) == {"kubectl.kubernetes.io/restartedAt"}

    def replaced() -> bool:
        return pod not in {each.metadata.name for each in client.CoreV1Api(api).list_namespaced_pod(SPACE).items}

    eventually(replaced)


def test_the_weekly_list_names_nodes_of_another_release_than_the_servers(operator: Operator) -> None:
    found = json.loads(operator.ask("checklist", "weekly", "--json").stdout)
    seen = [each["saw"] for each in found if each["check"] == "Pending updates"]
    # KWOK's nodes tell its own release.
    assert seen[0] == f"3 of 3 nodes are not of the API server's v{kubernetes_version()}: node-a"
    [performance] = [each for each in found if each["check"] == "Performance"]
    # Whether a budget burns is Alertmanager's to say, and it is away.
    assert performance["state"] == "unknown"
