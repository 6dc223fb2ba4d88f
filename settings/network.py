"""The VPC: addresses, availability zones, ways out, and what watches them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from settings.aws import LogRetentionDays
from settings.base import NUMBER, Problem, Settings, in_production

ZoneLetter = Annotated[str, Field(pattern=r"^[a-z]$")]
"""Last letter of an availability zone's name: ``a`` in ``us-east-1a``."""

Nat = Literal["none", "single", "per_az"]

LARGEST_VPC_PREFIX = 16
"""AWS gives a VPC a block of at most /16 (VPC user guide, 'VPC CIDR blocks')."""
SMALLEST_VPC_PREFIX = 22
"""Below /22 a public subnet would be smaller than the /27 that a load balancer asks for (ELB guide, 'Subnets for your
load balancer').
"""


class FlowLogSettings(Settings):
    """What is recorded of the traffic in the VPC (to CloudWatch Logs, encrypted)."""

    enabled: Annotated[bool, in_production(True, "an intrusion cannot be traced without flow logs (CIS AWS 3.7)")] = (
        True
    )
    """Whether flow logs are recorded."""

    traffic: Literal["ALL", "ACCEPT", "REJECT"] = "ALL"
    """Which packets are recorded."""

    retention_days: LogRetentionDays = 365
    """Days that records are kept."""

    aggregation_seconds: Annotated[Literal[60, 600], NUMBER] = 600
    """Seconds over which packets of one flow are summed into a record; 60 costs more."""


class ExistingSubnets(Settings):
    """Subnets of an adopted VPC, by tier: zone letter to subnet id."""

    public: dict[ZoneLetter, Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]] = {}
    """Subnets with a route to an internet gateway, for the public load balancer."""

    private: dict[ZoneLetter, Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]]
    """Subnets for workloads, with a way out if the workloads need one."""

    database: dict[ZoneLetter, Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]]
    """Subnets for databases, with no route to the internet."""

    def problems(self) -> Iterator[Problem]:
        for tier in ("private", "database"):
            zones = getattr(self, tier)
            if len(zones) < 2:
                yield Problem(tier, sorted(zones), "subnets in at least two availability zones")


class ExistingVpc(Settings):
    """A VPC that someone else owns: it is read, never changed."""

    vpc_id: Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$")]
    """Id of the VPC."""

    subnets: ExistingSubnets
    """Its subnets that the stack may use."""


class NetworkSettings(Settings):
    """The stack's VPC: made new, or (`existing`) adopted."""

    cidr: IPv4Network = IPv4Network("10.0.0.0/16")
    """Address block of the VPC, /16 to /22 of a private range (RFC 1918). Changing it replaces the VPC and all in it.
    """

    az_count: Annotated[int, Field(ge=2, le=3)] = 3
    """Availability zones in use: 2 or 3. Raising it adds subnets and moves none."""

    availability_zones: tuple[ZoneLetter, ...] = ("a", "b", "c")
    """Zone letters, of which the first `az_count` are used. A zone's place in the list fixes its addresses: append,
    never reorder.
    """

    nat: Annotated[Nat, in_production("per_az", "with one NAT gateway the loss of its zone cuts every zone off")] = (
        "per_az"
    )
    """How private subnets reach the internet: not at all, through one NAT gateway, or through one per zone."""

    nat_allocation_ids: dict[ZoneLetter, Annotated[str, Field(pattern=r"^eipalloc-[0-9a-f]{8,17}$")]] = {}
    """Elastic IP addresses to use instead of new ones (partners that allow your addresses by list): zone letter to
    allocation id.
    """

    flow_logs: FlowLogSettings = FlowLogSettings()
    """Record of the traffic."""

    interface_endpoints: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]+$")], ...] = ()
    """AWS services reached inside the VPC by interface endpoints, by the end of their service name (``ecr.api``); each
    costs per hour and zone. S3 has its free gateway endpoint always.
    """

    existing: ExistingVpc | None = None
    """Adopt this VPC instead of making one; the keys above then belong to its owner and must not be set."""

    @property
    def zones(self) -> tuple[str, ...]:
        """Letters of the availability zones in use."""
        return self.availability_zones[: self.az_count]

    @property
    def nat_zones(self) -> tuple[str, ...]:
        """Letters of the zones in which a NAT gateway stands."""
        return {"none": (), "single": self.zones[:1], "per_az": self.zones}[self.nat]

    def problems(self) -> Iterator[Problem]:
        if self.existing is not None:
            for key in sorted(self.model_fields_set - {"existing"}):
                yield Problem(key, getattr(self, key), "unset beside `existing`, whose owner decides it")
            return
        if not LARGEST_VPC_PREFIX <= self.cidr.prefixlen <= SMALLEST_VPC_PREFIX:
            yield Problem(
                "cidr",
                str(self.cidr),
                f"a block of /{LARGEST_VPC_PREFIX} to /{SMALLEST_VPC_PREFIX}, room for three tiers in each zone",
            )
        if not any(
            self.cidr.subnet_of(IPv4Network(block)) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
        ):
            yield Problem("cidr", str(self.cidr), "a block of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (RFC 1918)")
        if len(set(self.availability_zones)) < len(self.availability_zones):
            yield Problem("availability_zones", list(self.availability_zones), "each letter once")
        if not self.az_count <= len(self.availability_zones) <= 4:
            yield Problem(
                "availability_zones", list(self.availability_zones), f"{self.az_count} (az_count) to 4 letters"
            )
        if len(set(self.interface_endpoints)) < len(self.interface_endpoints):
            yield Problem("interface_endpoints", list(self.interface_endpoints), "each service once")
        if "s3" in self.interface_endpoints:
            yield Problem("interface_endpoints", "s3", "services other than s3, which has a gateway endpoint always")
        for zone in sorted(set(self.nat_allocation_ids) - set(self.nat_zones)):
            yield Problem(
                f"nat_allocation_ids.{zone}",
                self.nat_allocation_ids[zone],
                f"zones with a NAT gateway: {', '.join(self.nat_zones) or 'none'}",
            )
