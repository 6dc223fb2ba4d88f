"""What runs in the cluster."""

from components.workload.app import App, AppArgs
from components.workload.cache import ClusterCache, ClusterCacheArgs
from components.workload.flows import Endpoint, Flow
from components.workload.foundation import Foundation, FoundationArgs, Space

__all__ = [
    "App",
    "AppArgs",
    "ClusterCache",
    "ClusterCacheArgs",
    "Endpoint",
    "Flow",
    "Foundation",
    "FoundationArgs",
    "Space",
]
