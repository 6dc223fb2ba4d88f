"""What a cloud adds to a control plane: nodes, volumes, addresses of load balancers, and measurements of pods.

Run as ``python -m sandbox.kubernetes.supplements KUBECONFIG PORT``; it goes on until it is ended. `PORT` is where the
measurements are served.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.utils.quantity import parse_quantity

log = logging.getLogger(__name__)

ZONES = ("a", "b", "c")
"""Last letters of the zones that have a node each."""

NODE = {"cpu": "16", "memory": "64Gi", "pods": "110", "ephemeral-storage": "100Gi"}
"""What a node can hold."""

DEFAULT_CLASS = "standard"
"""Storage class of claims that name none, as kind calls its own."""

PROVISIONER = "volumes.sandbox"

LOAD = "sandbox-load"
"""ConfigMap in ``kube-system`` that says how busy pods are: ``NAMESPACE`` or ``NAMESPACE.PREFIX`` to CPU use in per
cent of what a pod requests.
"""

USUAL_LOAD = 30
"""CPU use of a pod that `LOAD` says nothing of, in per cent of its request."""

NODE_POOLS = "nodepools.karpenter.sh"
"""Name of the definition that Auto Mode brings, and a cluster elsewhere lacks."""

METRICS = "/apis/metrics.k8s.io/v1beta1"


def main() -> None:
    """Supply the cluster of a kubeconfig until the process is ended."""
    logging.basicConfig(format="%(asctime)s %(message)s")
    kubeconfig, port = sys.argv[1], int(sys.argv[2])
    config.load_kube_config(kubeconfig)
    core, storage = client.CoreV1Api(), client.StorageV1Api()
    for zone in ZONES:
        add_node(core, f"node-{zone}", zone, "amd64", "m7i.4xlarge")
    add_storage_class(storage)
    serve_measurements(core, port, Path(kubeconfig).parent)
    for follow in (
        lambda: follow_claims(core, storage),
        lambda: follow_volumes(core),
        lambda: follow_services(core),
        lambda: follow_node_pools(core),
    ):
        threading.Thread(target=for_good, args=(follow,), daemon=True).start()
    threading.Event().wait()


def for_good(follow: Callable[[], None]) -> None:
    """Follow anew when a watch breaks off, as every watch does some time."""
    while True:
        try:
            follow()
        except Exception as error:
            log.warning("%s: %s", type(error).__name__, error)
            time.sleep(0.5)


@contextlib.contextmanager
def unless_done_before() -> Iterator[None]:
    """Let pass what somebody else has made or removed meanwhile."""
    try:
        yield
    except ApiException as error:
        if error.status not in (404, 409):
            raise


def add_node(core: client.CoreV1Api, name: str, zone: str, architecture: str, instance_type: str) -> None:
    """Add a node in a zone; the cluster's node program says that it runs what it is given."""
    labels = {
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": instance_type,
        "topology.kubernetes.io/region": "us-east-1",
        "topology.kubernetes.io/zone": f"us-east-1{zone}",
    }
    node = client.V1Node(
        metadata=client.V1ObjectMeta(name=name, labels=labels, annotations={"kwok.x-k8s.io/node": "fake"}),
        status=client.V1NodeStatus(allocatable=NODE, capacity=NODE),
    )
    with unless_done_before():
        core.create_node(node)


def follow_node_pools(core: client.CoreV1Api) -> None:
    """Start a node in each zone for each pool of arm64 processors, as Auto Mode does when a pod wants one."""
    extensions = client.ApiextensionsV1Api()
    while not any(kind.metadata.name == NODE_POOLS for kind in extensions.list_custom_resource_definition().items):
        time.sleep(2)
    pools = partial(client.CustomObjectsApi().list_cluster_custom_object, "karpenter.sh", "v1", "nodepools")
    for happened, pool in events(pools):
        wanted = {each["key"]: each.get("values", []) for each in pool["spec"]["template"]["spec"]["requirements"]}
        if happened != "DELETED" and "arm64" in wanted.get("kubernetes.io/arch", []):
            for zone in ZONES:
                add_node(core, f"{pool['metadata']['name']}-{zone}", zone, "arm64", "m8g.4xlarge")


def add_storage_class(storage: client.StorageV1Api) -> None:
    """Add the storage class of claims that name none."""
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    with unless_done_before():
        storage.create_storage_class(
            client.V1StorageClass(
                metadata=client.V1ObjectMeta(name=DEFAULT_CLASS, annotations=default),
                provisioner=PROVISIONER,
                volume_binding_mode="WaitForFirstConsumer",
            )
        )


def events(of: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Yield what happens to the objects of a list, with each object, beginning with those that are there."""
    for event in watch.Watch().stream(of):
        happened: Any = event
        yield happened["type"], happened["object"]


def follow_claims(core: client.CoreV1Api, storage: client.StorageV1Api) -> None:
    """Make a volume for each claim, as its class's provisioner would, once its pod has a node where the class waits."""
    for happened, claim in events(core.list_persistent_volume_claim_for_all_namespaces):
        if happened == "DELETED" or not claim.spec.storage_class_name:
            continue
        if claim.spec.volume_name:
            grow(core, claim)
            continue
        try:
            storage_class: Any = storage.read_storage_class(claim.spec.storage_class_name)
        except ApiException:
            continue
        chosen = (claim.metadata.annotations or {}).get("volume.kubernetes.io/selected-node")
        if storage_class.volume_binding_mode == "WaitForFirstConsumer" and not chosen:
            continue
        with unless_done_before():
            # Nothing has to be attached to a node that is none.
            storage.create_csi_driver(
                client.V1CSIDriver(
                    metadata=client.V1ObjectMeta(name=storage_class.provisioner),
                    spec=client.V1CSIDriverSpec(attach_required=False),
                )
            )
        with unless_done_before():
            core.create_persistent_volume(volume_for(claim, storage_class))


def grow(core: client.CoreV1Api, claim: Any) -> None:
    """Make a bound claim's volume as large as is asked for, as its class's resizer would."""
    wanted, has = claim.spec.resources.requests["storage"], (claim.status.capacity or {}).get("storage")
    if has is None or parse_quantity(wanted) <= parse_quantity(has):
        return
    core.patch_persistent_volume(claim.spec.volume_name, {"spec": {"capacity": {"storage": wanted}}})
    core.patch_namespaced_persistent_volume_claim_status(
        claim.metadata.name, claim.metadata.namespace, {"status": {"capacity": {"storage": wanted}}}
    )


def volume_for(claim: Any, storage_class: Any) -> client.V1PersistentVolume:
    """Describe the volume that a claim gets."""
    name = f"pvc-{claim.metadata.uid}"
    return client.V1PersistentVolume(
        metadata=client.V1ObjectMeta(
            name=name, annotations={"pv.kubernetes.io/provisioned-by": storage_class.provisioner}
        ),
        spec=client.V1PersistentVolumeSpec(
            capacity={"storage": claim.spec.resources.requests["storage"]},
            access_modes=claim.spec.access_modes,
            persistent_volume_reclaim_policy=storage_class.reclaim_policy or "Delete",
            storage_class_name=claim.spec.storage_class_name,
            volume_mode=claim.spec.volume_mode,
            csi=client.V1CSIPersistentVolumeSource(driver=storage_class.provisioner, volume_handle=name),
            claim_ref=client.V1ObjectReference(
                api_version="v1",
                kind="PersistentVolumeClaim",
                name=claim.metadata.name,
                namespace=claim.metadata.namespace,
                uid=claim.metadata.uid,
            ),
        ),
    )


def follow_volumes(core: client.CoreV1Api) -> None:
    """Remove volumes whose claim is gone, where their class says so."""
    for happened, volume in events(core.list_persistent_volume):
        released = volume.status and volume.status.phase in ("Released", "Failed")
        if released and volume.spec.persistent_volume_reclaim_policy == "Delete" and happened != "DELETED":
            with unless_done_before():
                core.delete_persistent_volume(volume.metadata.name)


def follow_services(core: client.CoreV1Api) -> None:
    """Give an address to each load balancer: a name where AWS would make it, else one of those kept for examples."""
    for happened, service in events(core.list_service_for_all_namespaces):
        if happened == "DELETED" or service.spec.type != "LoadBalancer" or service.status.load_balancer.ingress:
            continue
        of_aws = any("aws-load-balancer" in key for key in service.metadata.annotations or {})
        digest = hashlib.sha256(service.metadata.uid.encode()).hexdigest()
        address = (
            {"hostname": f"k8s-{service.metadata.name}-{digest[:10]}.elb.us-east-1.amazonaws.com"}
            if of_aws or (service.spec.load_balancer_class or "").startswith("service.k8s.aws/")
            else {"ip": f"203.0.113.{int(digest[:4], 16) % 254 + 1}"}
        )
        with unless_done_before():
            core.patch_namespaced_service_status(
                service.metadata.name,
                service.metadata.namespace,
                {"status": {"loadBalancer": {"ingress": [address]}}},
            )


def serve_measurements(core: client.CoreV1Api, port: int, credentials: Path) -> None:
    """Serve the resource metrics API, by which autoscalers and ``kubectl top`` learn how busy pods are."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                answer = measurements(core, self.path)
            except ApiException as error:
                self.send_error(error.status or 500)
                return
            body = json.dumps(answer).encode()
            self.send_response(200 if answer else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: it is asked every second."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(credentials / "server.crt", credentials / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    name = client.V1ObjectMeta(name="metrics-server", namespace="kube-system")
    with unless_done_before():
        core.create_namespaced_service(
            "kube-system",
            client.V1Service(metadata=name, spec=client.V1ServiceSpec(type="ExternalName", external_name="localhost")),
        )
    registration: Any = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": "metrics-server", "namespace": "kube-system", "port": port},
        },
    }
    registry = client.ApiregistrationV1Api()
    try:
        registry.create_api_service(registration)
    except ApiException as error:
        if error.status != 409:
            raise
        registry.patch_api_service("v1beta1.metrics.k8s.io", registration)


def measurements(core: client.CoreV1Api, path: str) -> dict[str, Any]:
    """Answer a request to the resource metrics API; empty for what it has not.

    Source: https://github.com/kubernetes/metrics/blob/master/pkg/apis/metrics/v1beta1/types.go.
    """
    place, _, query = path.partition("?")
    if place.rstrip("/") == METRICS:
        kinds = (("NodeMetrics", "nodes", False), ("PodMetrics", "pods", True))
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": "metrics.k8s.io/v1beta1",
            "resources": [
                {"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]}
                for kind, name, namespaced in kinds
            ],
        }
    parts = place.removeprefix(METRICS).strip("/").split("/")
    if not place.startswith(METRICS) or "pods" not in parts:
        return {}
    selector = parse_qs(query).get("labelSelector", [""])[0]
    namespace = parts[1] if parts[0] == "namespaces" else None
    if namespace:
        pods = core.list_namespaced_pod(namespace, label_selector=selector)
    else:
        pods = core.list_pod_for_all_namespaces(label_selector=selector)
    load = loads(core)
    found: list[Any] = pods.items
    running = [pod for pod in found if pod.status.phase == "Running"]
    return {
        "kind": "PodMetricsList",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {},
        "items": [_measured(pod, load) for pod in running],
    }


def loads(core: client.CoreV1Api) -> dict[str, int]:
    """Return how busy pods are said to be."""
    try:
        said = core.read_namespaced_config_map(LOAD, "kube-system").data or {}
    except ApiException as error:
        if error.status != 404:
            raise
        return {}
    return {key: int(value) for key, value in said.items()}


def _measured(pod: Any, load: dict[str, int]) -> dict[str, Any]:
    namespace, name = pod.metadata.namespace, pod.metadata.name
    keys = [key for key in load if key == namespace or f"{namespace}.{name}".startswith(key)]
    percent = load[max(keys, key=len)] if keys else USUAL_LOAD
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    quantity: Callable[[str], Decimal] = parse_quantity

    def usage(container: Any) -> dict[str, str]:
        requests = (container.resources.requests if container.resources else None) or {}
        cpu = quantity(requests.get("cpu", "100m")) * percent / 100
        memory = quantity(requests.get("memory", "64Mi")) / 2
        return {"cpu": f"{int(cpu * 1_000_000_000)}n", "memory": f"{int(memory / 1024)}Ki"}

    return {
        "metadata": {"name": name, "namespace": namespace, "labels": pod.metadata.labels or {}},
        "timestamp": now,
        "window": "10s",
        "containers": [{"name": c.name, "usage": usage(c)} for c in pod.spec.containers],
    }


if __name__ == "__main__":
    main()
