"""The Kubernetes cluster, made or found; either way it hands out one provider."""

from components.cluster.auto_mode import AutoMode
from components.cluster.eks import EksCluster, EksClusterArgs
from components.cluster.existing import ExistingCluster, ExistingClusterArgs
from components.cluster.identity import PodIdentity, PodIdentityArgs

__all__ = [
    "AutoMode",
    "EksCluster",
    "EksClusterArgs",
    "ExistingCluster",
    "ExistingClusterArgs",
    "PodIdentity",
    "PodIdentityArgs",
]
