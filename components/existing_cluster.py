"""A cluster that someone else made."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes_provider import kubernetes_provider
from settings.kubernetes import ExistingClusterSettings


@dataclass(frozen=True)
class ExistingClusterArgs:
    """What is needed to find the cluster.

    Attributes:
        settings: the stack's ``kubernetes.existing`` section.
    """

    settings: ExistingClusterSettings


class ExistingCluster(pulumi.ComponentResource):
    """A cluster by its context in the kubeconfig of whoever deploys. Where it is, and who may enter, stays theirs."""

    provider: kubernetes.Provider
    """Provider of everything in the cluster."""

    context: str
    """Context in the kubeconfig."""

    def __init__(self, name: str, args: ExistingClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:cluster:ExistingCluster", name, None, opts)
        self.context = args.settings.context
        self.provider = kubernetes_provider(
            name,
            pulumi.ResourceOptions(parent=self),
            context=self.context,
            delete_unreachable=True if args.settings.throwaway else None,
        )
        self.register_outputs({"context": self.context})
