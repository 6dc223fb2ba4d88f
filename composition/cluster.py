"""The Kubernetes cluster that a stack makes."""

from __future__ import annotations

import pulumi

from components.cluster import EksCluster, EksClusterArgs
from components.network import Vpc
from composition.ground import Ground
from settings import EksSettings


def make_eks_cluster(ground: Ground, settings: EksSettings, vpc: Vpc) -> EksCluster:
    """Make the cluster on EKS."""
    cluster = EksCluster(
        ground.name,
        EksClusterArgs(
            settings,
            ground.account,
            subnet_ids=vpc.private_subnet_ids,
            log_key_arn=ground.log_key_arn,
            # A subnet's route may come late.
            after=[vpc],
        ),
        ground.opts,
    )
    pulumi.export("kubernetes_endpoint", cluster.endpoint)
    pulumi.export("kubeconfig", cluster.kubeconfig)
    return cluster
