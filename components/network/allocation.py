"""Which addresses each subnet gets: a pure function whose answers never move once they are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

ZONE_BLOCKS = 4
"""Equal parts that a VPC's block is cut into, one per availability zone, however many zones are in use."""

_ZONE_BITS = ZONE_BLOCKS.bit_length() - 1


@dataclass(frozen=True)
class Tier:
    """One kind of subnet, of which every zone has one.

    Attributes:
        name: what the subnets are called after.
        bits: how often a zone's block is halved to get the tier's part: 1 is a half of it, 3 an eighth.
        longest_prefix: prefix length of the smallest subnet that is of use; AWS takes none beyond /28
            (https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html).
        purpose: what is placed there.
    """

    name: str
    bits: int
    longest_prefix: int
    purpose: str


PRIVATE = Tier("private", bits=1, longest_prefix=27, purpose="workloads: EKS recommends 16 free addresses")
PUBLIC = Tier("public", bits=3, longest_prefix=27, purpose="load balancers: ELB asks for a /27 with 8 free addresses")
DATABASE = Tier("database", bits=3, longest_prefix=28, purpose="databases")

TIERS = (PRIVATE, PUBLIC, DATABASE)
"""Tiers in the order of their addresses: append, never reorder. A quarter of each zone's block is still free.

Sizes: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html (Subnets).
"""


def allocate(
    block: IPv4Network, zones: Sequence[str], tiers: Sequence[Tier] = TIERS
) -> dict[str, dict[str, IPv4Network]]:
    """Give every tier a subnet in every zone.

    A zone's block follows from its place in `zones` alone. Within it a tier starts at the first multiple of its own
    size behind the tiers before it. So appending a zone or a tier moves nothing.

    Args:
        block: address block of the VPC.
        zones: names of at most four zones, in their lasting order.
        tiers: tiers in their lasting order.

    Returns:
        Tier name to zone to subnet.

    Raises:
        ValueError: more than four zones, a name given twice, or a tier that gets too few addresses or none.
    """
    if len(zones) > ZONE_BLOCKS:
        raise ValueError(f"zones: {len(zones)} given, allowed: at most {ZONE_BLOCKS}")
    for kind, names in (("zones", list(zones)), ("tiers", [tier.name for tier in tiers])):
        if len(set(names)) < len(names):
            raise ValueError(f"{kind}: {', '.join(names)} given, allowed: each name once")

    zone_prefix = block.prefixlen + _ZONE_BITS
    zone_size = 2 ** (block.max_prefixlen - zone_prefix)
    layout: dict[str, dict[str, IPv4Network]] = {}
    used = 0
    for tier in tiers:
        prefix = zone_prefix + tier.bits
        if prefix > tier.longest_prefix:
            raise ValueError(
                f"block: {block} given, allowed: one that leaves /{tier.longest_prefix} or more to each subnet of tier "
                f"{tier.name} ({tier.purpose}), not /{prefix}"
            )
        size = 2 ** (block.max_prefixlen - prefix)
        offset = -(-used // size) * size
        used = offset + size
        if used > zone_size:
            raise ValueError(f"tiers: no room in a zone's /{zone_prefix} for a /{prefix} of tier {tier.name}")
        layout[tier.name] = {
            zone: IPv4Network((int(block.network_address) + place * zone_size + offset, prefix))
            for place, zone in enumerate(zones)
        }
    return layout
