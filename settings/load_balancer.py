"""The load balancer in the cluster: nginx, for stacks whose cloud has none."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import Field

from settings.base import Settings, at_least_in_production, in_production

Port = Annotated[int, Field(ge=30000, le=32767)]
"""A port of a node (https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport)."""


class NodePortSettings(Settings):
    """Ports of every node, for a cluster that gives a Service no address of its own, such as kind."""

    http: Port = 30080
    """Port of the nodes that leads to plain HTTP."""

    https: Port = 30443
    """Port of the nodes that leads to TLS, where `tls_secret` is set."""

    url: Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$", examples=["http://localhost:8080"])]
    """Where people reach that port: what kind, or a proxy, maps to it."""


class LoadBalancerSettings(Settings):
    """nginx before the gateway."""

    copies: Annotated[
        int, Field(ge=1, le=100), at_least_in_production(2, "one copy is none while its node is replaced")
    ] = 2
    """Copies, of which each node that is to be reached from outside needs one."""

    source_ranges: Annotated[tuple[IPv4Network, ...], Field(min_length=1)] = (
        IPv4Network("10.0.0.0/8"),
        IPv4Network("172.16.0.0/12"),
        IPv4Network("192.168.0.0/16"),
    )
    """Client addresses, as IPv4 blocks; ``0.0.0.0/0`` for everyone."""

    tls_secret: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")] | None = None
    """Name of a Secret of type ``kubernetes.io/tls`` in the platform's namespace. Where it is set, requests without
    TLS are sent on to port 443; unset: plain HTTP.
    """

    node_port: Annotated[
        NodePortSettings | None, in_production(None, "clients need one address that outlives a node")
    ] = None
    """Open ports of the nodes instead of asking the cluster for a load balancer's address."""

    keepalive: Annotated[int, Field(ge=1, le=1024)] = 32
    """Idle connections to the gateway that each worker process keeps open."""

    connect_timeout_seconds: Annotated[int, Field(ge=1, le=75)] = 5
    """Seconds until a copy of the gateway that does not accept a connection is passed over."""

    timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 65
    """Seconds that the gateway may be silent before a request ends with 504, and a WebSocket at all; longer than the
    gateway waits itself.
    """

    body_limit_mib: Annotated[int, Field(ge=1, le=1024)] = 10
    """Size up to which the body of a request is accepted, in MiB."""

    cluster_domain: Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")] = "cluster.local"
    """Domain of the cluster's names."""
