"""What lets traffic into a security group, in each of the three ways to say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network

from policies.aws.types import DEFAULT_SECURITY_GROUP, INGRESS_RULE, SECURITY_GROUP, SECURITY_GROUP_RULE
from policies.resources import Resource
from policies.values import UNKNOWN, Value

ANY_PROTOCOL = ("-1", "all")
WIDEST_FOREIGN = {4: 7, 6: 15}
"""The shortest prefixes, less one, of public networks that one owner could have: what is wider is anybody."""


@dataclass(frozen=True)
class Opening:
    """One permission to come in.

    Attributes:
        resource: the resource that says it.
        where: the value that holds it.
        protocol, lowest, highest: the protocol and its ports.
        networks: the addresses that may come in.
        groups: the value that names other groups that may come in.
    """

    resource: Resource
    where: Value
    protocol: Value
    lowest: Value
    highest: Value
    networks: tuple[Value, ...]
    groups: Value

    def from_world(self) -> list[Value]:
        """List the networks that are anybody. Raises UndecidedError."""
        return [network for value in self.networks for network in value.one_or_many if is_world(network)]

    def ports(self) -> range:
        """Return the ports. Raises UndecidedError."""
        if self.protocol.text.lower() in ANY_PROTOCOL:
            return range(65536)
        lowest, highest = self.lowest.number, self.highest.number
        if lowest is None or highest is None or lowest < 0:
            return range(65536)
        return range(int(min(lowest, 65535)), int(min(highest, 65535)) + 1)


def is_world(network: Value) -> bool:
    """Say whether a network is anybody's; text that is none is nobody's. Raises UndecidedError."""
    try:
        parsed = ip_network(network.text.strip(), strict=False)
    except ValueError:
        return False
    return parsed.prefixlen <= WIDEST_FOREIGN[parsed.version]


def openings(resource: Resource) -> Iterator[Opening]:
    """List what a resource lets in. Raises UndecidedError if not even that is known."""
    if resource.type in SECURITY_GROUP + DEFAULT_SECURITY_GROUP:
        for each in resource["ingress"].items:
            networks = (each["cidrBlocks"], each["ipv6CidrBlocks"])
            yield Opening(
                resource, each, each["protocol"], each["fromPort"], each["toPort"], networks, each["securityGroups"]
            )
    elif resource.type in SECURITY_GROUP_RULE:
        if resource["type"].text == "ingress":
            yield _whole(resource, "protocol", ("cidrBlocks", "ipv6CidrBlocks"), "sourceSecurityGroupId")
    elif resource.type in INGRESS_RULE:
        yield _whole(resource, "ipProtocol", ("cidrIpv4", "cidrIpv6"), "referencedSecurityGroupId")


def _whole(resource: Resource, protocol: str, networks: tuple[str, ...], group: str) -> Opening:
    return Opening(
        resource,
        Value(resource.inputs, ""),
        resource[protocol],
        resource["fromPort"],
        resource["toPort"],
        tuple(resource[key] for key in networks),
        resource[group],
    )


def may_be_network(opening: Opening) -> bool:
    """Say whether an address is given at all, known or not."""
    return any(value.given or value.raw is UNKNOWN for value in opening.networks)
