"""The Kubernetes cluster of a stack."""

from __future__ import annotations

import pulumi

from components.cluster import EksCluster, EksClusterArgs, ExistingCluster, ExistingClusterArgs
from components.network import Vpc
from composition.ground import Ground
from settings import EksSettings, ExistingClusterSettings


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


def find_cluster(name: str, settings: ExistingClusterSettings) -> ExistingCluster:
    """Find the cluster that the kubeconfig names."""
    return ExistingCluster(name, ExistingClusterArgs(settings))
