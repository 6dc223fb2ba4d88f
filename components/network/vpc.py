"""The VPC: made from the settings, or adopted from its owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from components.account import AwsAccount
from components.network.allocation import DATABASE, PRIVATE, PUBLIC, Tier, allocate
from components.network.database_acl import guard_databases
from components.network.endpoints import interface_endpoints, s3_gateway
from components.network.flow_logs import record_traffic
from components.network.nat import nat_gateways
from settings import ExistingVpc, NetworkSettings

INTERNET = "0.0.0.0/0"

DISCOVERY_TAGS = {PUBLIC: {"kubernetes.io/role/elb": "1"}, PRIVATE: {"kubernetes.io/role/internal-elb": "1"}}
"""Tags by which Kubernetes finds subnets for its load balancers. The cluster's own tag is needed only by controllers
up to v2.1.1 (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/subnet_discovery/).
"""


@dataclass(frozen=True)
class VpcArgs:
    """What the network is made of.

    Attributes:
        settings: addresses, zones, ways out, records; or the VPC to adopt.
        account: where it stands.
        log_key_arn: KMS key that log groups may use, for the flow logs.
    """

    settings: NetworkSettings
    account: AwsAccount
    log_key_arn: pulumi.Input[str]


class Vpc(pulumi.ComponentResource):
    """A VPC of three tiers over two or more availability zones, or the same view of one that someone else owns.

    A subnet id is known before its routes stand. What reaches out as it starts (a task that pulls its image) names the
    Vpc in `depends_on`.
    """

    vpc_id: pulumi.Output[str]
    """Id of the VPC."""

    cidr_block: pulumi.Output[str]
    """Its address block."""

    zones: tuple[str, ...]
    """Letters of the availability zones that have private subnets."""

    public_subnet_ids: dict[str, pulumi.Output[str]]
    """Zone letter to the subnet for internet-facing load balancers."""

    private_subnet_ids: dict[str, pulumi.Output[str]]
    """Zone letter to the subnet for workloads."""

    database_subnet_ids: dict[str, pulumi.Output[str]]
    """Zone letter to the subnet for databases, without a route to the internet."""

    private_cidrs: dict[str, pulumi.Output[str]]
    """Zone letter to the address block of the private subnet."""

    private_route_table_ids: dict[str, pulumi.Output[str]]
    """Zone letter to the route table of the private subnet; empty for an adopted VPC, whose owner routes."""

    nat_public_ips: dict[str, pulumi.Output[str]]
    """Zone letter to the address that the zone's NAT gateway shows to the internet; empty for an adopted VPC."""

    nat_gateway_ids: dict[str, pulumi.Output[str]]
    """Zone letter to the id of its NAT gateway; empty for an adopted VPC."""

    s3_endpoint_id: pulumi.Output[str] | None
    """Id of the S3 gateway endpoint, for bucket policies; None for an adopted VPC."""

    endpoint_security_group_id: pulumi.Output[str] | None
    """Security group of the interface endpoints, where there are any."""

    def __init__(self, name: str, args: VpcArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:network:Vpc", name, None, opts)
        if args.settings.existing is None:
            self._make(name, args)
        else:
            self._adopt(args.settings.existing, args.account.region)
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "cidr_block": self.cidr_block,
                "zones": list(self.zones),
                "public_subnet_ids": self.public_subnet_ids,
                "private_subnet_ids": self.private_subnet_ids,
                "database_subnet_ids": self.database_subnet_ids,
                "private_cidrs": self.private_cidrs,
                "private_route_table_ids": self.private_route_table_ids,
                "nat_public_ips": self.nat_public_ips,
                "nat_gateway_ids": self.nat_gateway_ids,
                "s3_endpoint_id": self.s3_endpoint_id,
                "endpoint_security_group_id": self.endpoint_security_group_id,
            }
        )

    def _make(self, name: str, args: VpcArgs) -> None:
        settings, account = args.settings, args.account
        zones = settings.zones
        own = pulumi.ResourceOptions(parent=self)

        vpc = aws.ec2.Vpc(
            name,
            cidr_block=str(settings.cidr),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": name},
            opts=own,
        )
        # What AWS adds to every VPC: a group whose members may talk, and a table that unassigned subnets fall under.
        # Both are taken over and kept empty, so nothing works by having been forgotten.
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default", vpc_id=vpc.id, ingress=[], egress=[], tags={"Name": f"{name}-default"}, opts=own
        )
        aws.ec2.DefaultRouteTable(
            f"{name}-default",
            default_route_table_id=vpc.default_route_table_id,
            routes=[],
            tags={"Name": f"{name}-default"},
            opts=own,
        )
        if settings.flow_logs.enabled:
            record_traffic(name, vpc, settings.flow_logs, account, args.log_key_arn, self)

        public_routes = self._route_table(f"{name}-public", vpc)
        private_routes = {zone: self._route_table(f"{name}-private-{zone}", vpc) for zone in zones}
        database_routes = self._route_table(f"{name}-database", vpc)

        layout = allocate(settings.cidr, zones)
        region = account.region
        public = self._subnets(name, PUBLIC, layout, region, vpc, dict.fromkeys(zones, public_routes))
        private = self._subnets(name, PRIVATE, layout, region, vpc, private_routes)
        database = self._subnets(name, DATABASE, layout, region, vpc, dict.fromkeys(zones, database_routes))
        guard_databases(name, vpc, database, layout, self)

        internet_gateway = aws.ec2.InternetGateway(name, vpc_id=vpc.id, tags={"Name": name}, opts=own)
        aws.ec2.Route(
            f"{name}-public-internet",
            route_table_id=public_routes.id,
            destination_cidr_block=INTERNET,
            gateway_id=internet_gateway.id,
            opts=own,
        )
        nats = nat_gateways(name, settings, public, internet_gateway, self)
        if nats:
            for zone, route_table in private_routes.items():
                nearest = nats.get(zone) or next(iter(nats.values()))
                aws.ec2.Route(
                    f"{name}-private-{zone}-internet",
                    route_table_id=route_table.id,
                    destination_cidr_block=INTERNET,
                    nat_gateway_id=nearest.id,
                    opts=own,
                )

        self.s3_endpoint_id = s3_gateway(name, vpc, private_routes, account, self).id
        self.endpoint_security_group_id = None
        if settings.interface_endpoints:
            group = interface_endpoints(name, vpc, settings.interface_endpoints, private, account, self)
            self.endpoint_security_group_id = group.id

        self.vpc_id = vpc.id
        self.cidr_block = vpc.cidr_block
        self.zones = zones
        self.public_subnet_ids = {zone: subnet.id for zone, subnet in public.items()}
        self.private_subnet_ids = {zone: subnet.id for zone, subnet in private.items()}
        self.database_subnet_ids = {zone: subnet.id for zone, subnet in database.items()}
        self.private_cidrs = {
            zone: pulumi.Output.from_input(str(block)) for zone, block in layout[PRIVATE.name].items()
        }
        self.private_route_table_ids = {zone: table.id for zone, table in private_routes.items()}
        self.nat_public_ips = {zone: nat.public_ip for zone, nat in nats.items()}
        self.nat_gateway_ids = {zone: nat.id for zone, nat in nats.items()}

    def _route_table(self, name: str, vpc: aws.ec2.Vpc) -> aws.ec2.RouteTable:
        """Make a route table that leads to the VPC itself and nowhere else; routes are resources of their own."""
        return aws.ec2.RouteTable(name, vpc_id=vpc.id, tags={"Name": name}, opts=pulumi.ResourceOptions(parent=self))

    def _subnets(
        self,
        name: str,
        tier: Tier,
        layout: Mapping[str, Mapping[str, IPv4Network]],
        region: str,
        vpc: aws.ec2.Vpc,
        route_tables: Mapping[str, aws.ec2.RouteTable],
    ) -> dict[str, aws.ec2.Subnet]:
        """Make one tier's subnet in every zone; no tier hands out public addresses by itself (FSBP EC2.15)."""
        own = pulumi.ResourceOptions(parent=self)
        subnets = {}
        for zone, block in layout[tier.name].items():
            subnet_name = f"{name}-{tier.name}-{zone}"
            subnets[zone] = aws.ec2.Subnet(
                subnet_name,
                vpc_id=vpc.id,
                availability_zone=f"{region}{zone}",
                cidr_block=str(block),
                map_public_ip_on_launch=False,
                tags={"Name": subnet_name, **DISCOVERY_TAGS.get(tier, {})},
                opts=own,
            )
            aws.ec2.RouteTableAssociation(
                subnet_name, route_table_id=route_tables[zone].id, subnet_id=subnets[zone].id, opts=own
            )
        return subnets

    def _adopt(self, existing: ExistingVpc, region: str) -> None:
        """Look the VPC and its subnets up. A subnet of another VPC or zone than stated is not found: an error."""
        looked_up = pulumi.InvokeOutputOptions(parent=self)
        vpc = aws.ec2.get_vpc_output(id=existing.vpc_id, opts=looked_up)

        def tier(subnet_ids: Mapping[str, str]) -> dict[str, pulumi.Output[aws.ec2.GetSubnetResult]]:
            return {
                zone: aws.ec2.get_subnet_output(
                    id=subnet_ids[zone],
                    vpc_id=existing.vpc_id,
                    availability_zone=f"{region}{zone}",
                    opts=looked_up,
                )
                for zone in sorted(subnet_ids)
            }

        private = tier(existing.subnets.private)
        self.vpc_id = vpc.id
        self.cidr_block = vpc.cidr_block
        self.zones = tuple(private)
        self.public_subnet_ids = {zone: subnet.id for zone, subnet in tier(existing.subnets.public).items()}
        self.private_subnet_ids = {zone: subnet.id for zone, subnet in private.items()}
        self.database_subnet_ids = {zone: subnet.id for zone, subnet in tier(existing.subnets.database).items()}
        self.private_cidrs = {zone: subnet.cidr_block for zone, subnet in private.items()}
        self.private_route_table_ids = {}
        self.nat_public_ips = {}
        self.nat_gateway_ids = {}
        self.s3_endpoint_id = None
        self.endpoint_security_group_id = None
