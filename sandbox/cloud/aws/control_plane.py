"""The real Kubernetes behind each simulated EKS cluster."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config

from sandbox.cloud.aws.catalog.kubernetes import CLUSTER
from sandbox.cloud.store import Store
from sandbox.kubernetes import Cluster, ClusterError

KINDS = Path(__file__).with_name("eks_kinds")
"""Definitions of the kinds of objects that a cluster on EKS knows beside those of Kubernetes, as far as AWS documents
them: a file for what brings them, Auto Mode or an add-on.
"""

AUTO_MODE = "auto-mode"

DRIVERS = {"aws-secrets-store-csi-driver-provider": "secrets-store.csi.k8s.io"}
"""Add-on to the driver of volumes that it brings."""


def clusters_directory(state_dir: Path) -> Path:
    """Return where the control planes of a simulated cloud lie, each in a directory of its cluster's name."""
    return state_dir / "kubernetes"


def control_plane(state_dir: Path, name: str) -> Cluster:
    """Return the control plane of a cluster."""
    return Cluster(clusters_directory(state_dir) / name)


def started(state_dir: Path, name: str) -> dict[str, Any]:
    """Start a control plane, and return what EKS tells of it."""
    plane = control_plane(state_dir, name)
    plane.start()
    bring_kinds(plane, AUTO_MODE)
    return {"endpoint": plane.endpoint, "certificateAuthority": {"data": plane.authority}}


def bring_kinds(plane: Cluster, source: str) -> None:
    """Add the kinds of objects that Auto Mode or an add-on of EKS brings; here nobody acts on them."""
    api = _definitions(plane)
    for manifest in _kinds(source):
        try:
            api.create_custom_resource_definition(manifest)
        except client.ApiException as error:
            if error.status != HTTPStatus.CONFLICT:
                raise


def remove_addon(plane: Cluster, addon: str) -> None:
    """Take an add-on's kinds of objects, and with them those objects, out of a cluster.

    Raises:
        ClusterError: pods mount volumes of its driver. EKS would take it away all the same, and no node could unmount
            those: the pods, and their namespace, would hang in Terminating.
    """
    driver = DRIVERS.get(addon)
    pods: list[Any] = client.CoreV1Api(_connected(plane)).list_pod_for_all_namespaces().items if driver else []
    users = [
        f"{pod.metadata.namespace}/{pod.metadata.name}"
        for pod in pods
        if any(volume.csi and volume.csi.driver == driver for volume in pod.spec.volumes or ())
    ]
    if users:
        raise ClusterError(f"pods that mount volumes of {driver} could not end without it: {', '.join(sorted(users))}")
    for manifest in _kinds(addon):
        try:
            _definitions(plane).delete_custom_resource_definition(manifest["metadata"]["name"])
        except client.ApiException as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise


def _kinds(source: str) -> list[dict[str, Any]]:
    file = KINDS / f"{source}.yaml"
    return list(yaml.safe_load_all(file.read_text(encoding="utf-8"))) if file.exists() else []


def _connected(plane: Cluster) -> client.ApiClient:
    return config.new_client_from_config_dict(plane.kubeconfig())


def _definitions(plane: Cluster) -> client.ApiextensionsV1Api:
    return client.ApiextensionsV1Api(_connected(plane))


def start_all(store: Store) -> None:
    """Bring back every control plane that the cloud should have: a reboot ends them."""
    for cluster in store.list(type=CLUSTER):
        started(store.directory, cluster.id)


def remove_all(state_dir: Path) -> None:
    """End every control plane and remove what it left."""
    directory = clusters_directory(state_dir)
    for path in directory.iterdir() if directory.exists() else ():
        Cluster(path).remove()
