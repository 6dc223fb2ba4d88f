"""Who may reach whom, by network policies as they are on an API server.

No CNI runs here, so nothing filters packets; what is evaluated is what every CNI has to do
(https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/). An address block is taken to
cover pods' addresses, too, as it does in some CNIs: that is the wider reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any


@dataclass(frozen=True)
class Node:
    """One side of a connection.

    Attributes:
        name: how it is called here.
        address: its IP address.
        namespace: namespace of a pod; None for what is outside the cluster.
        labels: labels of a pod.
        ports: name of each named port of a pod to its number.
    """

    name: str
    address: str
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """All policies of a cluster.

    Attributes:
        policies: NetworkPolicy objects, in the form of the API.
        namespaces: name of each namespace to its labels.
    """

    policies: Sequence[Mapping[str, Any]]
    namespaces: Mapping[str, Mapping[str, str]]

    def allow(self, source: Node, target: Node, port: int, protocol: str = "TCP") -> bool:
        """Say whether a connection may be opened: both ends have a word."""
        return self._passes("Egress", source, target, target, port, protocol) and self._passes(
            "Ingress", target, source, target, port, protocol
        )

    def _passes(self, direction: str, about: Node, peer: Node, target: Node, port: int, protocol: str) -> bool:
        applying = [p for p in self.policies if _is_about(p, about) and direction in _types(p["spec"])]
        if not applying:
            return True
        rules = [(p, rule) for p in applying for rule in p["spec"].get(direction.lower()) or ()]
        side = "to" if direction == "Egress" else "from"
        return any(
            self._is_peer(rule.get(side), peer, p["metadata"]["namespace"])
            and _is_port(rule.get("ports"), target, port, protocol)
            for p, rule in rules
        )

    def _is_peer(self, peers: Iterable[Mapping[str, Any]] | None, node: Node, namespace: str) -> bool:
        if not peers:
            return True
        return any(self._matches(peer, node, namespace) for peer in peers)

    def _matches(self, peer: Mapping[str, Any], node: Node, namespace: str) -> bool:
        if (block := peer.get("ipBlock")) is not None:
            address = ip_address(node.address)
            inside = address in ip_network(block["cidr"])
            return inside and not any(address in ip_network(hole) for hole in block.get("except") or ())
        if node.namespace is None:
            return False
        spaces = peer.get("namespaceSelector")
        here = (
            node.namespace == namespace if spaces is None else selects(spaces, self.namespaces.get(node.namespace, {}))
        )
        return here and selects(peer.get("podSelector") or {}, node.labels)


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Evaluate a label selector; an empty one selects everything."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_expression(e, labels) for e in selector.get("matchExpressions") or ())


def _expression(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(f"no such operator: {expression['operator']}")


def _types(spec: Mapping[str, Any]) -> Sequence[str]:
    return spec.get("policyTypes") or (["Ingress", "Egress"] if "egress" in spec else ["Ingress"])


def _is_about(policy: Mapping[str, Any], node: Node) -> bool:
    return policy["metadata"]["namespace"] == node.namespace and selects(
        policy["spec"].get("podSelector") or {}, node.labels
    )


def _is_port(stated: Iterable[Mapping[str, Any]] | None, target: Node, port: int, protocol: str) -> bool:
    if not stated:
        return True
    return any(_covers(each, target, port, protocol) for each in stated)


def _covers(stated: Mapping[str, Any], target: Node, port: int, protocol: str) -> bool:
    if stated.get("protocol", "TCP") != protocol:
        return False
    wanted = stated.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return target.ports.get(wanted) == port
    return bool(wanted <= port <= (stated.get("endPort") or wanted))
