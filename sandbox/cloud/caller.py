"""Who calls a simulated cloud, and from where."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace

from sandbox.cloud.errors import CloudError
from sandbox.cloud.launcher import CALLER

INSIDE = "inside"
"""Stands for whichever VPC the resource is in that is called."""


@dataclass(frozen=True)
class Caller:
    """One who calls the cloud's API.

    Attributes:
        name: what the cloud's audit log would call them, such as an ARN.
        address: IPv4 address that the call comes from.
        endpoint: id of the VPC endpoint that it comes through; empty: it comes over the internet.
        network: id of the VPC that it comes from, or `INSIDE`; empty: from none.
    """

    name: str
    address: str
    endpoint: str = ""
    network: str = ""


ENGINE = Caller("arn:aws:iam::123456789012:user/sandbox", "198.51.100.7")
"""Whoever runs the engine: a laptop or a hosted runner, outside of every VPC that the program makes. The address is one
of those that are kept for documentation (RFC 5737).
"""


def from_where(told: str) -> Caller:
    """Return who runs the engine, from where its environment says: an IPv4 address, or ``inside`` of the stack's VPC.

    Raises:
        CloudError: it is neither.
    """
    if not told:
        return ENGINE
    if told == INSIDE:
        return replace(ENGINE, address="10.0.0.10", network=INSIDE)
    try:
        return replace(ENGINE, address=str(ipaddress.IPv4Address(told)))
    except ValueError:
        raise CloudError(f"{CALLER}: {told} given, allowed: an IPv4 address, or {INSIDE}") from None
