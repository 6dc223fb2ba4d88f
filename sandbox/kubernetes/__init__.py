"""A real Kubernetes API in the sandbox: a control plane of plain processes, with nodes that only pretend."""

from sandbox.kubernetes.cluster import Cluster, ClusterError

__all__ = ["Cluster", "ClusterError"]
