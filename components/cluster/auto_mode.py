"""What a new cluster in Auto Mode lacks before the first workload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

meta = kubernetes.meta.v1

STORAGE_CLASS = "auterity"
"""Name of the class of volumes that are asked for without one."""


ARM64_POOL = "auterity-arm64"
"""Name of the pool of Graviton nodes."""


@dataclass(frozen=True)
class AutoModeArgs:
    """What the cluster is to run.

    Attributes:
        architecture: processor that the stack's own images are built for, ``X86_64`` or ``ARM64``.
    """

    architecture: str


class AutoMode(pulumi.ComponentResource):
    """Network policies that are enforced, and volumes: Auto Mode brings both along, switched off. Nodes with Graviton
    processors, which its own pool for workloads does not start, where the stack's images are built for them.
    """

    storage_class: pulumi.Output[str]
    """Name of the storage class."""

    def __init__(self, name: str, args: AutoModeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:cluster:AutoMode", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        # EKS user guide, 'Use network policies with EKS Auto Mode'; nodes allow what no policy is about.
        enforced = kubernetes.core.v1.ConfigMap(
            f"{name}-network-policies",
            metadata=meta.ObjectMetaArgs(name="amazon-vpc-cni", namespace="kube-system"),
            data={"enable-network-policy-controller": "true"},
            opts=own,
        )
        # EKS user guide, 'Create a storage class'.
        volumes = kubernetes.storage.v1.StorageClass(
            f"{name}-volumes",
            metadata=meta.ObjectMetaArgs(
                name=STORAGE_CLASS, annotations={"storageclass.kubernetes.io/is-default-class": "true"}
            ),
            provisioner="ebs.csi.eks.amazonaws.com",
            parameters={"type": "gp3", "encrypted": "true"},
            reclaim_policy="Delete",
            # In the zone of the pod that wants it.
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            opts=own,
        )
        if args.architecture == "ARM64":
            kubernetes.apiextensions.CustomResource(
                f"{name}-arm64",
                api_version="karpenter.sh/v1",
                kind="NodePool",
                metadata=meta.ObjectMetaArgs(name=ARM64_POOL),
                spec=arm64_pool(),
                opts=own,
            )
        self.storage_class = pulumi.Output.all(volumes.id, enforced.id).apply(lambda _: STORAGE_CLASS)
        self.register_outputs({"storage_class": self.storage_class})


def arm64_pool() -> dict[str, Any]:
    """Describe a pool like Auto Mode's own ``general-purpose``, which uses amd64 alone, for arm64.

    Sources: EKS user guide, 'Enable or Disable Built-in NodePools' and 'Create a Node Pool for EKS Auto Mode';
    https://karpenter.sh/docs/concepts/nodepools/.
    """
    requirements = {
        "kubernetes.io/arch": ("In", "arm64"),
        "kubernetes.io/os": ("In", "linux"),
        "karpenter.sh/capacity-type": ("In", "on-demand"),
        "eks.amazonaws.com/instance-category": ("In", "c", "m", "r"),
        "eks.amazonaws.com/instance-generation": ("Gt", "5"),
    }
    return {
        "template": {
            "spec": {
                "nodeClassRef": {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "default"},
                "requirements": [
                    {"key": key, "operator": operator, "values": list(values)}
                    for key, (operator, *values) in requirements.items()
                ],
                "expireAfter": "336h",
                "terminationGracePeriod": "24h",
            }
        },
        "disruption": {
            "budgets": [{"nodes": "10%"}],
            "consolidationPolicy": "WhenEmptyOrUnderutilized",
            "consolidateAfter": "30s",
        },
    }
