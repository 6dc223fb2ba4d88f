"""What the sandbox's Kubernetes does as a cluster of a cloud does it."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from kubernetes import client, utils
from kubernetes.client.exceptions import ApiException
from kubernetes.utils.quantity import parse_quantity

from components.cluster.auto_mode import arm64_pool
from sandbox.cloud.aws.control_plane import AUTO_MODE, bring_kinds, remove_addon
from sandbox.kubernetes import Cluster, ClusterError
from sandbox.kubernetes.supplements import LOAD
from sandbox.toolchain import cache_directory
from sandbox.toolchain.kubernetes_binaries import ensure_kubernetes, kubernetes_version
from tests.unit.bounds import at_the_upper_bounds
from tests.unit.programs import STACKS

PATIENCE = 60
APP = {"app": "web"}


def eventually(ask: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.2)
    return answer


def deployment(replicas: int, **container: Any) -> dict[str, Any]:
    web = {"name": "web", "image": "web:1.0.0", "resources": {"requests": {"cpu": "100m"}}, **container}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": APP},
            "template": {"metadata": {"labels": APP}, "spec": {"containers": [web]}},
        },
    }


def apply(api: client.ApiClient, namespace: str, *objects: dict[str, Any]) -> None:
    for thing in objects:
        utils.create_from_dict(api, thing, namespace=namespace)


def test_it_is_the_release_that_the_module_names(api: client.ApiClient) -> None:
    assert client.VersionApi(api).get_code().git_version == f"v{kubernetes_version()}"


def test_there_is_a_ready_node_in_each_of_three_zones(api: client.ApiClient) -> None:
    nodes = client.CoreV1Api(api).list_node().items
    ready = {
        node.metadata.labels["topology.kubernetes.io/zone"]
        for node in nodes
        if any(c.type == "Ready" and c.status == "True" for c in node.status.conditions)
    }
    assert ready == {"us-east-1a", "us-east-1b", "us-east-1c"}


def test_a_deployment_comes_to_run_all_its_pods(api: client.ApiClient, namespace: str) -> None:
    apply(api, namespace, deployment(3))
    apps = client.AppsV1Api(api)
    eventually(lambda: apps.read_namespaced_deployment("web", namespace).status.available_replicas == 3)


def test_a_claim_gets_a_volume_once_a_pod_wants_it_and_both_go_together(api: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    apply(api, namespace, claim)
    mounted = deployment(1, volumeMounts=[{"name": "data", "mountPath": "/data"}])
    mounted["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    assert core.read_namespaced_persistent_volume_claim("data", namespace).status.phase == "Pending"

    apply(api, namespace, mounted)
    eventually(lambda: core.read_namespaced_persistent_volume_claim("data", namespace).status.phase == "Bound")

    client.AppsV1Api(api).delete_namespaced_deployment("web", namespace)
    core.delete_namespaced_persistent_volume_claim("data", namespace)
    eventually(lambda: namespace not in {v.spec.claim_ref.namespace for v in core.list_persistent_volume().items})


@pytest.mark.parametrize(
    ("annotations", "kind"),
    [({}, "ip"), ({"service.beta.kubernetes.io/aws-load-balancer-type": "external"}, "hostname")],
    ids=["plain", "aws"],
)
def test_a_load_balancer_gets_an_address(
    api: client.ApiClient, namespace: str, annotations: dict[str, str], kind: str
) -> None:
    core = client.CoreV1Api(api)
    service = {
        "metadata": {"name": "web", "annotations": annotations},
        "spec": {"type": "LoadBalancer", "selector": APP, "ports": [{"port": 80}]},
    }
    core.create_namespaced_service(namespace, service)
    ingress = eventually(lambda: core.read_namespaced_service("web", namespace).status.load_balancer.ingress)
    assert getattr(ingress[0], kind)


def test_a_privileged_pod_is_refused_where_pod_security_is_restricted(api: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    core.patch_namespace(namespace, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    pod = {
        "metadata": {"name": "bad"},
        "spec": {"containers": [{"name": "bad", "image": "bad:1", "securityContext": {"privileged": True}}]},
    }
    with pytest.raises(ApiException, match="violates PodSecurity"):
        core.create_namespaced_pod(namespace, pod)


def test_an_autoscaler_follows_the_load_that_is_set(api: client.ApiClient, namespace: str) -> None:
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    apply(api, namespace, deployment(2))
    scaler = {
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 5,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                }
            ],
        },
    }
    client.AutoscalingV2Api(api).create_namespaced_horizontal_pod_autoscaler(namespace, scaler)
    core.create_namespaced_config_map("kube-system", {"metadata": {"name": LOAD}, "data": {namespace: "200"}})
    try:
        eventually(lambda: apps.read_namespaced_deployment("web", namespace).spec.replicas == 5)
    finally:
        core.delete_namespaced_config_map(LOAD, "kube-system")


def test_nobody_gets_in_without_a_token(cluster: Cluster) -> None:
    anonymous = client.Configuration(host=cluster.endpoint)
    anonymous.ssl_ca_cert = str(cluster.credentials / "ca.crt")
    with pytest.raises(ApiException) as refused:
        client.CoreV1Api(client.ApiClient(anonymous)).list_namespace()
    assert refused.value.status in (401, 403)


def test_kubectl_reaches_it(cluster: Cluster, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(cluster.kubeconfig()))
    kubectl = ensure_kubernetes(cache_directory())["kubectl"]
    answer = subprocess.run(
        [kubectl, "get", "nodes", "-o", "name"],
        env={"KUBECONFIG": str(kubeconfig), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert answer.stdout.split() == ["node/node-a", "node/node-b", "node/node-c"]


def test_a_second_start_finds_it_running(cluster: Cluster) -> None:
    before = {name: process.pid for name, process in cluster.daemons.running().items()}
    Cluster(cluster.directory).start()
    assert {name: process.pid for name, process in cluster.daemons.running().items()} == before


def test_after_a_crash_a_start_brings_it_back_with_all_objects_at_the_same_address(
    cluster: Cluster, api: client.ApiClient
) -> None:
    core = client.CoreV1Api(api)
    core.create_namespaced_config_map("default", {"metadata": {"name": "kept"}, "data": {"a": "1"}})
    for name in ("etcd", "kube-apiserver"):
        cluster.daemons.running()[name].kill()
    eventually(lambda: not cluster.running)
    endpoint = cluster.endpoint
    cluster.start()
    assert cluster.endpoint == endpoint
    assert core.read_namespaced_config_map("kept", "default").data == {"a": "1"}


def test_another_process_that_got_the_same_id_is_not_taken_for_ours(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    me = psutil.Process()
    (tmp_path / "processes.json").write_text(json.dumps({"etcd": [me.pid, me.create_time() - 100]}))
    assert cluster.daemons.running() == {}
    cluster.stop()
    assert me.is_running()


def test_a_program_that_ends_is_named_with_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "etcd"
    broken.write_text("#!/bin/sh\necho 'the disk is gone' >&2\nexit 1\n")
    broken.chmod(0o755)
    real = ensure_kubernetes(cache_directory())
    monkeypatch.setattr("sandbox.kubernetes.cluster.ensure_kubernetes", lambda _: {**real, "etcd": broken})
    cluster = Cluster(tmp_path / "cluster")
    with pytest.raises(ClusterError, match=r"etcd of the sandbox's Kubernetes ended:\nthe disk is gone"):
        cluster.start()
    assert cluster.daemons.running() == {}


def test_removed_it_leaves_neither_a_process_nor_a_file(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "cluster")
    cluster.start()
    processes, endpoint = list(cluster.daemons.running().values()), cluster.endpoint
    assert len(processes) == 6
    cluster.remove()
    assert [process for process in processes if process.is_running()] == []
    assert not cluster.directory.exists()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(endpoint, timeout=5)  # noqa: S310 - its own address


def test_a_pod_for_arm64_waits_for_a_pool_of_such_nodes(
    cluster: Cluster, api: client.ApiClient, namespace: str
) -> None:
    bring_kinds(cluster, AUTO_MODE)
    core = client.CoreV1Api(api)
    selector = {"nodeSelector": {"kubernetes.io/arch": "arm64"}, "containers": [{"name": "web", "image": "web:1.0.0"}]}
    core.create_namespaced_pod(namespace, {"metadata": {"name": "web"}, "spec": selector})
    refused = eventually(lambda: core.read_namespaced_pod("web", namespace).status.conditions)
    pool = {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "graviton"}, "spec": arm64_pool()}
    client.CustomObjectsApi(api).create_cluster_custom_object("karpenter.sh", "v1", "nodepools", pool)
    eventually(lambda: core.read_namespaced_pod("web", namespace).status.phase == "Running")
    assert [condition.reason for condition in refused if condition.type == "PodScheduled"] == ["Unschedulable"]


BOUNDS = ("Namespace", "LimitRange", "ResourceQuota", "ServiceAccount")
"""Kinds of what a pod meets in its namespace."""

WORKLOADS = ("DaemonSet", "StatefulSet", "Deployment", "CronJob", "Job")


def described(kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the pod that a workload makes."""
    spec = inputs["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else inputs["spec"]
    return {
        "metadata": {**spec["template"]["metadata"], "generateName": f"{inputs['metadata']['name'][:40]}-"},
        "spec": {
            **spec["template"]["spec"],
            "volumes": [
                *spec["template"]["spec"].get("volumes", []),
                *(
                    {"name": claim["metadata"]["name"], "emptyDir": {}}
                    for claim in spec.get("volumeClaimTemplates", [])
                ),
            ],
        },
    }


def together(kind: str, inputs: dict[str, Any], most: dict[str, int]) -> int:
    """Count the pods of a workload that its namespace must hold at once: while it is rolled out, one more.

    Args:
        most: a Deployment's name to what an autoscaler may make of it.
    """
    copies = int(inputs["spec"].get("replicas", 1))
    return max(copies, most.get(inputs["metadata"]["name"], 0)) + (kind == "Deployment")


@pytest.mark.parametrize("stack", STACKS)
def test_every_pod_at_the_settings_upper_bounds_is_accepted_as_it_is_written(api: client.ApiClient, stack: str) -> None:
    core, recording = client.CoreV1Api(api), at_the_upper_bounds(stack)
    named = [(each.type.rpartition(":")[2], whole(each.inputs)) for each in recording.resources if each.custom]
    spaces = {inputs["metadata"]["name"] for kind, inputs in named if kind == "Namespace"}
    try:
        for wanted in (*BOUNDS, "PriorityClass"):
            for kind, inputs in named:
                if kind == wanted:
                    eventually(partial(made_of, api, inputs))
        # Until then the quotas hold back nothing.
        eventually(lambda: all(core.read_namespaced_resource_quota("bounds", each).status.hard for each in spaces))
        scalers = [inputs["spec"] for kind, inputs in named if kind == "HorizontalPodAutoscaler"]
        most = {scaler["scaleTargetRef"]["name"]: scaler["maxReplicas"] for scaler in scalers}
        refused, changed = [], []
        # The Jobs of a deployment come beside all that runs, one after another: none stays.
        workloads = [(kind, inputs) for wanted in WORKLOADS for kind, inputs in named if kind == wanted]
        for kind, inputs in workloads:
            pod, space = described(kind, inputs), inputs["metadata"]["namespace"]
            try:
                for _ in range(together(kind, inputs, most)):
                    dry_run = {"dry_run": "All"} if kind == "Job" else {}
                    answer = core.create_namespaced_pod(space, pod, **dry_run)
            except ApiException as error:
                refused.append((inputs["metadata"]["name"], error.body))
                continue
            became = api.sanitize_for_serialization(answer)["spec"]
            for part in ("initContainers", "containers"):
                for before, after in zip(pod["spec"].get(part, []), became.get(part, []), strict=True):
                    if quantities(before["resources"]) != quantities(after["resources"]):
                        changed.append((inputs["metadata"]["name"], before["resources"], after["resources"]))
        assert (refused, changed) == ([], [])
    finally:
        for space in spaces:
            core.delete_namespace(space)
        eventually(lambda: spaces.isdisjoint(each.metadata.name for each in core.list_namespace().items))


def whole(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return inputs with integers as such: on its way to the engine every number is a float."""
    found: dict[str, Any] = json.loads(json.dumps(inputs), parse_float=lambda text: int(float(text)))
    return found


def made_of(api: client.ApiClient, inputs: dict[str, Any]) -> bool:
    """Make an object, unless it is there."""
    try:
        utils.create_from_dict(api, inputs)
    except utils.FailToCreateError as error:
        return all(each.status == 409 for each in error.api_exceptions)
    return True


def quantities(resources: dict[str, dict[str, str]]) -> dict[str, dict[str, Any]]:
    """Read CPU and memory, of which the API server writes the shortest form."""
    return {side: {name: parse_quantity(text) for name, text in named.items()} for side, named in resources.items()}


def test_an_add_on_cannot_go_before_the_pods_that_mount_its_volumes(
    cluster: Cluster, api: client.ApiClient, namespace: str
) -> None:
    addon = "aws-secrets-store-csi-driver-provider"
    bring_kinds(cluster, addon)
    core = client.CoreV1Api(api)
    volume = {"name": "secrets", "csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": True}}
    spec = {"volumes": [volume], "containers": [{"name": "web", "image": "web:1.0.0"}]}
    core.create_namespaced_pod(namespace, {"metadata": {"name": "mounts"}, "spec": spec})
    with pytest.raises(ClusterError, match=f"could not end without it: {namespace}/mounts"):
        remove_addon(cluster, addon)
    core.delete_namespaced_pod("mounts", namespace, grace_period_seconds=0)
    remove_addon(cluster, addon)
    kinds = client.ApiextensionsV1Api(api).list_custom_resource_definition().items
    gone = "secretproviderclasses.secrets-store.csi.x-k8s.io"
    assert [kind for kind in kinds if kind.metadata.name == gone and not kind.metadata.deletion_timestamp] == []
