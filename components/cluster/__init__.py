"""The Kubernetes cluster, made or found; either way it hands out one provider."""

from components.cluster.eks import EksCluster, EksClusterArgs
from components.cluster.existing import ExistingCluster, ExistingClusterArgs

__all__ = ["EksCluster", "EksClusterArgs", "ExistingCluster", "ExistingClusterArgs"]
