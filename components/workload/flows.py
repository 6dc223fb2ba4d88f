"""Who may talk to whom, and the network policies that say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.workload.labels import selector

net = kubernetes.networking.v1
meta = kubernetes.meta.v1

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""Label that the API server puts on every namespace."""

EVERY_POD = "every-pod"
"""Name of the policy of those flows of a namespace that are not one workload's."""


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
        name: what they are for.
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
    """Open both ends of every flow, each end that is in a namespace of ours: one policy for each workload.

    Args:
        name: prefix of every name.
        flows: the flows; in which order does not matter.
        opts: namespace to the options of what is put into it.
    """
    incoming: dict[Endpoint, list[Flow]] = defaultdict(list)
    outgoing: dict[Endpoint, list[Flow]] = defaultdict(list)
    for flow in sorted(flows, key=lambda flow: flow.name):
        for end, opened in ((flow.target, incoming), (flow.source, outgoing)):
            if end.namespace in opts:
                opened[end].append(flow)
    for end in dict.fromkeys([*incoming, *outgoing]):
        ingress = [
            net.NetworkPolicyIngressRuleArgs(from_=flow.source.peer(), ports=_ports(flow)) for flow in incoming[end]
        ]
        egress = [net.NetworkPolicyEgressRuleArgs(to=flow.target.peer(), ports=_ports(flow)) for flow in outgoing[end]]
        called = end.name or EVERY_POD
        net.NetworkPolicy(
            f"{name}-{end.namespace}-{called}",
            metadata=meta.ObjectMetaArgs(name=called, namespace=end.namespace),
            spec=net.NetworkPolicySpecArgs(
                pod_selector=end.pods(),
                policy_types=[*(["Ingress"] if ingress else []), *(["Egress"] if egress else [])],
                ingress=ingress or None,
                egress=egress or None,
            ),
            opts=opts[end.namespace or ""],
        )


def _ports(flow: Flow) -> list[net.NetworkPolicyPortArgs]:
    return [net.NetworkPolicyPortArgs(protocol=protocol, port=port) for protocol, port in flow.ports]
