"""What a new cluster in Auto Mode lacks before the first workload."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

meta = kubernetes.meta.v1

STORAGE_CLASS = "auterity"
"""Name of the class of volumes that are asked for without one."""


class AutoMode(pulumi.ComponentResource):
    """Network policies that are enforced, and volumes: Auto Mode brings both along, switched off."""

    storage_class: pulumi.Output[str]
    """Name of the storage class."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
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
        self.storage_class = pulumi.Output.all(volumes.id, enforced.id).apply(lambda _: STORAGE_CLASS)
        self.register_outputs({"storage_class": self.storage_class})
