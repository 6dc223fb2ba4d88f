"""The real Kubernetes behind each simulated EKS cluster."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config

from sandbox.cloud.aws.catalog.kubernetes import CLUSTER
from sandbox.cloud.store import Store
from sandbox.kubernetes import Cluster

KINDS = Path(__file__).with_name("eks_kinds.yaml")
"""Definitions of those kinds, as far as AWS documents them."""

CONFLICT = HTTPStatus.CONFLICT


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
    bring_kinds(plane)
    return {"endpoint": plane.endpoint, "certificateAuthority": {"data": plane.authority}}


def bring_kinds(plane: Cluster) -> None:
    """Add the kinds of objects that Auto Mode and the add-ons of EKS bring; here nobody acts on them."""
    api = client.ApiextensionsV1Api(config.new_client_from_config_dict(plane.kubeconfig()))
    for manifest in yaml.safe_load_all(KINDS.read_text(encoding="utf-8")):
        try:
            api.create_custom_resource_definition(manifest)
        except client.ApiException as error:
            if error.status != CONFLICT:
                raise


def start_all(store: Store) -> None:
    """Bring back every control plane that the cloud should have: a reboot ends them."""
    for cluster in store.list(type=CLUSTER):
        started(store.directory, cluster.id)


def remove_all(state_dir: Path) -> None:
    """End every control plane and remove what it left."""
    directory = clusters_directory(state_dir)
    for path in directory.iterdir() if directory.exists() else ():
        Cluster(path).remove()
