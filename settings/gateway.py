"""The API gateway: Kong, in the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import Field

from settings.base import Problem, Settings, at_least_in_production
from settings.edge import HiddenPath


class GatewaySettings(Settings):
    """Kong before the app: limits, correlation, figures, and what must not be seen outside."""

    copies: Annotated[
        int, Field(ge=1, le=100), at_least_in_production(2, "one copy is none while its node is replaced")
    ] = 2
    """Copies of the gateway, one replaced after the other."""

    cpu_request_millis: Annotated[int, Field(ge=50, le=64_000)] = 500
    """CPU kept free for a copy, in milli-CPU; Kong runs as many worker processes as that fills, at least one."""

    memory_mib: Annotated[int, Field(ge=512, le=65_536)] = 1024
    """Memory of a copy in MiB."""

    update_delay_seconds: Annotated[int, Field(ge=0, le=300)] | None = None
    """Seconds that a new copy must have been ready before the next old one goes: no less than the edge takes to check a
    target (interval and timeout of `edge.health_check`). Unset: that, or 10 without an edge.
    """

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """Requests that one client address may make in a minute to one copy; more get 429. Copies count for themselves."""

    body_limit_mib: Annotated[int, Field(ge=1, le=1024)] = 10
    """Size up to which the body of a request is accepted, in MiB; larger ones get 413."""

    timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    """Seconds that the app may be silent before the request ends with 504."""

    hidden_paths: tuple[HiddenPath, ...] = ("/metrics", "/readyz")
    """Paths, with all below them, that are answered with 404: what the app shows to the platform alone."""

    trusted_proxies: tuple[IPv4Network, ...] = (
        IPv4Network("10.0.0.0/8"),
        IPv4Network("172.16.0.0/12"),
        IPv4Network("192.168.0.0/16"),
    )
    """Blocks of the load balancers whose word on a client's address (``X-Forwarded-For``) is taken."""

    password_version: Annotated[int, Field(ge=1)] = 1
    """Which login Kong has for its database on RDS; the next higher number makes a new one, and the one before it stays
    valid. Never skip one.
    """

    def problems(self) -> Iterator[Problem]:
        if any(block.prefixlen == 0 for block in self.trusted_proxies):
            allowed = "blocks of load balancers, since whoever is trusted may pretend to be anyone"
            yield Problem("trusted_proxies", "0.0.0.0/0", allowed)
