"""Who may talk to whom, and the network policies that say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.labels import selector

net = kubernetes.networking.v1
meta = kubernetes.meta.v1

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""Label that the API server puts on every namespace."""


@dataclass(frozen=True)
class Endpoint:
    """One side of a flow.

    Attributes:
        namespace: name of the namespace; None for what is outside the cluster.
        name: the workload's name; None for every pod of the namespace.
        blocks: addresses outside the cluster, as CIDR blocks.
    """

    namespace: str | None
    name: str | None = None
    blocks: tuple[pulumi.Input[str], ...] = ()

    def peer(self) -> Sequence[net.NetworkPolicyPeerArgs]:
        """Describe it as the other side of a rule."""
        if self.namespace is None:
            return [net.NetworkPolicyPeerArgs(ip_block=net.IPBlockArgs(cidr=block)) for block in self.blocks]
        return [
            net.NetworkPolicyPeerArgs(
                namespace_selector=meta.LabelSelectorArgs(match_labels={NAMESPACE_NAME: self.namespace}),
                pod_selector=meta.LabelSelectorArgs(match_labels=selector(self.name)) if self.name else None,
            )
        ]

    def pods(self) -> meta.LabelSelectorArgs:
        """Describe it as what a policy is about."""
        return meta.LabelSelectorArgs(match_labels=selector(self.name) if self.name else {})


@dataclass(frozen=True)
class Flow:
    """Connections that are wanted.

    Attributes:
        name: what they are for; names the policies.
        source: who opens them.
        target: who accepts them.
        ports: ports of the target, by protocol: ``("TCP", 8000)``.
    """

    name: str
    source: Endpoint
    target: Endpoint
    ports: tuple[tuple[str, int], ...]


def deny_all(name: str, namespace: str, opts: pulumi.ResourceOptions) -> net.NetworkPolicy:
    """Let nothing into or out of any pod of a namespace, but what other policies open."""
    return net.NetworkPolicy(
        f"{name}-{namespace}-deny",
        metadata=meta.ObjectMetaArgs(name="default-deny", namespace=namespace),
        spec=net.NetworkPolicySpecArgs(pod_selector=meta.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]),
        opts=opts,
    )


def allow(name: str, flows: Iterable[Flow], opts: Mapping[str, pulumi.ResourceOptions]) -> None:
    """Open both ends of every flow, each end that is in a namespace of ours.

    Args:
        name: prefix of every name.
        flows: the flows.
        opts: namespace to the options of what is put into it.
    """
    for flow in flows:
        ports = [net.NetworkPolicyPortArgs(protocol=protocol, port=port) for protocol, port in flow.ports]
        if flow.target.namespace is not None and flow.target.namespace in opts:
            net.NetworkPolicy(
                f"{name}-{flow.target.namespace}-from-{flow.name}",
                metadata=meta.ObjectMetaArgs(name=f"from-{flow.name}", namespace=flow.target.namespace),
                spec=net.NetworkPolicySpecArgs(
                    pod_selector=flow.target.pods(),
                    policy_types=["Ingress"],
                    ingress=[net.NetworkPolicyIngressRuleArgs(from_=flow.source.peer(), ports=ports)],
                ),
                opts=opts[flow.target.namespace],
            )
        if flow.source.namespace is not None and flow.source.namespace in opts:
            net.NetworkPolicy(
                f"{name}-{flow.source.namespace}-to-{flow.name}",
                metadata=meta.ObjectMetaArgs(name=f"to-{flow.name}", namespace=flow.source.namespace),
                spec=net.NetworkPolicySpecArgs(
                    pod_selector=flow.source.pods(),
                    policy_types=["Egress"],
                    egress=[net.NetworkPolicyEgressRuleArgs(to=flow.target.peer(), ports=ports)],
                ),
                opts=opts[flow.source.namespace],
            )
