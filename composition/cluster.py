"""The Kubernetes cluster that a stack makes."""

from __future__ import annotations

import pulumi

from components.cluster import EksCluster, EksClusterArgs
from components.network import Vpc
from composition.ground import Ground
from settings import EksSettings


def make_eks_cluster(ground: Ground, settings: EksSettings, vpc: Vpc) -> EksCluster:
    """Make the cluster on EKS."""
    # A zone that the VPC gets later is none of the control plane's: EKS would refuse it.
    zones = settings.control_plane_zones or tuple(vpc.private_subnet_ids)[:2]
    cluster = EksCluster(
        ground.name,
        EksClusterArgs(
            settings,
            ground.account,
            subnet_ids={zone: vpc.private_subnet_ids[zone] for zone in zones},
            log_key_arn=ground.log_key_arn,
            # A subnet's route may come late.
            after=[vpc],
        ),
        ground.opts,
    )
    pulumi.export("kubernetes_endpoint", cluster.endpoint)
    pulumi.export("kubeconfig", cluster.kubeconfig)
    return cluster
