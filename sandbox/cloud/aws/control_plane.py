"""The real Kubernetes behind each simulated EKS cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.cloud.aws.catalog.kubernetes import CLUSTER
from sandbox.cloud.store import Store
from sandbox.kubernetes import Cluster


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
    return {"endpoint": plane.endpoint, "certificateAuthority": {"data": plane.authority}}


def start_all(store: Store) -> None:
    """Bring back every control plane that the cloud should have: a reboot ends them."""
    for cluster in store.list(type=CLUSTER):
        started(store.directory, cluster.id)


def remove_all(state_dir: Path) -> None:
    """End every control plane and remove what it left."""
    directory = clusters_directory(state_dir)
    for path in directory.iterdir() if directory.exists() else ():
        Cluster(path).remove()
