"""Who calls a simulated cloud, and from where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """One who calls the cloud's API.

    Attributes:
        name: what the cloud's audit log would call them, such as an ARN.
        address: IPv4 address that the call comes from.
        endpoint: id of the VPC endpoint that it comes through; empty: it comes over the internet.
        network: id of the VPC that it comes from; empty: from none.
    """

    name: str
    address: str
    endpoint: str = ""
    network: str = ""


ENGINE = Caller("arn:aws:iam::123456789012:user/sandbox", "198.51.100.7")
"""Whoever runs the engine: a laptop or a hosted runner, outside of every VPC that the program makes. The address is one
of those that are kept for documentation (RFC 5737).
"""
