"""The Kubernetes cluster that a stack makes, and how its pods come to rights in AWS."""

from components.cluster.auto_mode import AutoMode, AutoModeArgs
from components.cluster.eks import EksCluster, EksClusterArgs
from components.cluster.identity import PodIdentity, PodIdentityArgs

__all__ = [
    "AutoMode",
    "AutoModeArgs",
    "EksCluster",
    "EksClusterArgs",
    "PodIdentity",
    "PodIdentityArgs",
]
