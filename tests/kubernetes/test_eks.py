"""A cluster on the simulated EKS, behind which a real API server stands."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes import client, config
from pulumi import automation

from sandbox.cloud.aws.catalog.kubernetes import CLUSTER
from sandbox.cloud.aws.control_plane import clusters_directory
from sandbox.workspace import Sandbox
from tests.sandbox import lifecycle
from tests.sandbox.lifecycle import Step

STACK = "dev"
NOT_NEEDED = (
    "alarms",
    "app",
    "backup",
    "database",
    "ecs",
    "edge",
    "gateway",
    "image",
    "observability",
    "storage",
    "vault",
)
PEOPLE = "arn:aws:iam::123456789012:role/platform-engineers"


@dataclass
class Life:
    preview: Step
    up: Step
    again: Step
    widened: tuple[str, str, Step]
    refused: str
    refreshed: Step
    outputs: dict[str, Any]
    state: dict[str, Any]
    nodes: list[str]
    credential: dict[str, Any]
    without_token: bool
    after_reboot: Step
    destroyed: Step
    left: list[str]


def live(sandbox: Sandbox) -> Life:
    stack = sandbox.stack(STACK)
    lifecycle.remove(stack, *NOT_NEEDED)
    lifecycle.set_path(stack, "kubernetes.eks.administrators[0]", PEOPLE)
    lifecycle.set_path(stack, "kubernetes.eks.deletion_protection", "false")
    preview, up = lifecycle.preview(stack), lifecycle.up(stack)
    again, before = lifecycle.up(stack), stack.outputs()["kubeconfig"].value
    lifecycle.set_path(stack, "network.az_count", "3")
    lifecycle.up(stack)
    widened = (before, stack.outputs()["kubeconfig"].value, lifecycle.up(stack))
    lifecycle.set_path(stack, "kubernetes.eks.control_plane_zones", "[a, b, c]")
    with pytest.raises(automation.CommandError) as refused:
        stack.up()
    lifecycle.set_path(stack, "kubernetes.eks.control_plane_zones", "[]")
    refreshed = lifecycle.refresh(stack)
    outputs = {name: output.value for name, output in stack.outputs().items()}
    kubeconfig = json.loads(outputs["kubeconfig"])

    command = kubeconfig["users"][0]["user"]["exec"]
    environment = sandbox.environment(STACK)
    asked = subprocess.run([command["command"], *command["args"]], env=environment, capture_output=True, text=True)
    credential = json.loads(asked.stdout)
    kubeconfig["users"][0]["user"] = {"token": credential["status"]["token"]}
    api = config.new_client_from_config_dict(kubeconfig)
    nodes = [node.metadata.name for node in client.CoreV1Api(api).list_node().items]

    [cluster] = sandbox.clusters(STACK)
    cluster.stop()
    with Sandbox(sandbox.home) as rebooted:
        after_reboot = lifecycle.refresh(rebooted.stack(STACK))
    destroyed = lifecycle.destroy(stack)
    return Life(
        preview,
        up,
        again,
        widened,
        str(refused.value),
        refreshed,
        outputs,
        lifecycle.exported(sandbox, STACK),
        nodes,
        credential,
        "token" not in json.loads(outputs["kubeconfig"])["users"][0]["user"],
        after_reboot,
        destroyed,
        [path.name for path in clusters_directory(sandbox.cloud_directory).iterdir()],
    )


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    with lifecycle.sandbox_below(tmp_path_factory.mktemp("sandbox")) as sandbox:
        return live(sandbox)


def test_a_preview_shows_everything_before_there_is_a_cluster(life: Life) -> None:
    assert set(life.preview.counts) == {"create"}
    assert life.preview.operations == life.up.operations


def test_a_second_up_and_a_refresh_change_nothing(life: Life) -> None:
    assert life.again.operations == {}
    assert life.refreshed.operations == {}


def test_a_cluster_that_learns_of_another_zone_stays_where_it_is(life: Life) -> None:
    before, after, up = life.widened
    assert after == before
    assert up.operations == {}


def test_a_control_plane_that_would_get_another_zone_is_refused(life: Life) -> None:
    assert "they should belong to the exact set of AZs 'us-east-1a,us-east-1b'" in life.refused


def test_the_cluster_that_eks_hands_out_is_a_real_one(life: Life) -> None:
    assert life.nodes == ["node-a", "node-b", "node-c"]


def test_the_way_to_the_cluster_asks_aws_for_a_token_and_holds_none(life: Life) -> None:
    assert life.credential["kind"] == "ExecCredential"
    assert life.without_token


def test_after_a_reboot_the_cluster_is_brought_back_and_nothing_has_changed(life: Life) -> None:
    assert life.after_reboot.operations == {}


def test_destroy_leaves_neither_a_cluster_nor_its_control_plane(life: Life) -> None:
    assert set(life.destroyed.operations.values()) == {"delete"}
    assert life.left == []
    assert not [r for r in life.state.get("resources", []) if r["type"] == CLUSTER]
