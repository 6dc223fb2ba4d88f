"""VPC, subnets, gateways, routes, endpoints and flow logs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from sandbox.cloud.aws import schemas
from sandbox.cloud.aws.model import ACCOUNT, AwsError, AwsType, View, hexadecimal, stable_hex
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem
from sandbox.cloud.store import Resource

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
INTERNET_GATEWAY = "aws:ec2/internetGateway:InternetGateway"
ADDRESS = "aws:ec2/eip:Eip"
NAT_GATEWAY = "aws:ec2/natGateway:NatGateway"
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
DEFAULT_ROUTE_TABLE = "aws:ec2/defaultRouteTable:DefaultRouteTable"
ROUTE = "aws:ec2/route:Route"
ROUTE_TABLE_ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
DHCP_OPTIONS = "aws:ec2/vpcDhcpOptions:VpcDhcpOptions"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
ENDPOINT_ROUTE_TABLE = "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
DEFAULT_SECURITY_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
DEFAULT_NETWORK_ACL = "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"

_DESTINATIONS = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
_TARGETS = (
    "carrierGatewayId",
    "coreNetworkArn",
    "egressOnlyGatewayId",
    "gatewayId",
    "localGatewayId",
    "natGatewayId",
    "networkInterfaceId",
    "odbNetworkArn",
    "transitGatewayId",
    "vpcEndpointId",
    "vpcPeeringConnectionId",
)

GATEWAY_SERVICES = ("s3", "dynamodb")
"""Services with a gateway endpoint (https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html)."""


def prefix_list_id(region: str, service: str) -> str:
    """Return the id of the prefix list that AWS keeps for a service in a Region."""
    return f"pl-{stable_hex(f'{region}.{service}', 8)}"


# VPC


def _block_size(least: int, most: int, property: str, code: str) -> Any:
    def judge(inputs: Mapping[str, Any]) -> list[Problem]:
        block = inputs.get(property)
        if not isinstance(block, str):
            return []
        try:
            length = IPv4Network(block).prefixlen
        except ValueError:
            return []
        if least <= length <= most:
            return []
        return [Problem(property, f"{code}: the CIDR '{block}' must be between /{least} and /{most}")]

    return judge


def _vpc_outputs(view: View, id: str) -> dict[str, Any]:
    main = view.kept("mainRouteTableId", lambda: f"rtb-{hexadecimal()}")
    return {
        "defaultRouteTableId": main,
        "mainRouteTableId": main,
        "defaultSecurityGroupId": view.kept("defaultSecurityGroupId", lambda: f"sg-{hexadecimal()}"),
        "defaultNetworkAclId": view.kept("defaultNetworkAclId", lambda: f"acl-{hexadecimal()}"),
        "dhcpOptionsId": view.kept("dhcpOptionsId", lambda: f"dopt-{stable_hex(view.region, 17)}"),
        "ipv6AssociationId": "",
        "ipv6CidrBlock": view.value("ipv6CidrBlock") or "",
        "ipv6CidrBlockNetworkBorderGroup": view.value("ipv6CidrBlockNetworkBorderGroup") or "",
        "ipv6IpamPoolId": view.value("ipv6IpamPoolId") or "",
        "ipv6NetmaskLength": view.value("ipv6NetmaskLength") or 0,
    }


def _vpc_companions(view: View, vpc: Resource) -> Iterator[Resource]:
    """Make what AWS adds to every VPC: a security group, a route table and a network ACL."""
    everyone = {"fromPort": 0, "toPort": 0, "protocol": "-1"}
    shared = {"vpcId": vpc.id, "ownerId": ACCOUNT, "region": vpc.region, "tags": {}, "tagsAll": {}}
    defaults: dict[str, tuple[str, str, dict[str, Any]]] = {
        DEFAULT_SECURITY_GROUP: (
            vpc.outputs["defaultSecurityGroupId"],
            "security-group",
            {
                "name": "default",
                "description": "default VPC security group",
                "ingress": [{**everyone, "self": True}],
                "egress": [{**everyone, "cidrBlocks": ["0.0.0.0/0"]}],
            },
        ),
        DEFAULT_ROUTE_TABLE: (
            vpc.outputs["mainRouteTableId"],
            "route-table",
            {"routes": [], "defaultRouteTableId": vpc.outputs["mainRouteTableId"]},
        ),
        DEFAULT_NETWORK_ACL: (
            vpc.outputs["defaultNetworkAclId"],
            "network-acl",
            {"defaultNetworkAclId": vpc.outputs["defaultNetworkAclId"], "subnetIds": []},
        ),
    }
    for token, (id, path, outputs) in defaults.items():
        arn = f"arn:aws:ec2:{vpc.region}:{ACCOUNT}:{path}/{id}"
        yield Resource("aws", ACCOUNT, vpc.region, token, id, "", {}, {**shared, **outputs, "arn": arn})


def _vpc_users(vpc: Resource, user: Resource) -> bool:
    """Flow logs go with a VPC, and target groups may outlive it; all else in EC2 keeps it."""
    if user.type in (FLOW_LOG, DEFAULT_SECURITY_GROUP, DEFAULT_ROUTE_TABLE, DEFAULT_NETWORK_ACL):
        return False
    return user.type.startswith(("aws:ec2/", "aws:vpc/"))


# Subnets


def _subnet_rules(view: View) -> None:
    vpc = view.one(VPC, view.inputs["vpcId"])
    if vpc is None:
        return
    zone = view.value("availabilityZone")
    zones = schemas.availability_zones(view.region)
    if zone is not None and zone not in zones:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({zone}) for parameter availabilityZone is invalid. "
            f"Subnets can currently only be created in the following availability zones: {', '.join(zones)}.",
        )
    if not view.inputs.get("cidrBlock"):
        return
    block = IPv4Network(view.inputs["cidrBlock"])
    secondary = [
        r.outputs["cidrBlock"]
        for r in view.all("aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation")
        if r.outputs.get("vpcId") == vpc.id
    ]
    if not any(block.subnet_of(IPv4Network(outer)) for outer in [vpc.outputs["cidrBlock"], *secondary]):
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{block}' is invalid.")
    for other in view.all(SUBNET):
        taken = other.outputs.get("cidrBlock")
        if other.outputs["vpcId"] == vpc.id and taken and block.overlaps(IPv4Network(taken)):
            raise AwsError("InvalidSubnet.Conflict", f"The CIDR '{block}' conflicts with another subnet")


def zone_ids(region: str) -> dict[str, str]:
    """Name zones by id: the account's mapping of letters to ids is arbitrary, and this account's is in order."""
    parts = region.split("-")
    short = f"{parts[0]}{''.join(p[0] for p in parts[1:-1])}{parts[-1]}"
    return {zone: f"{short}-az{number}" for number, zone in enumerate(schemas.availability_zones(region), 1)}


def _subnet_outputs(view: View, id: str) -> dict[str, Any]:
    ids = zone_ids(view.region)
    by_id = {zone_id: zone for zone, zone_id in ids.items()}
    asked = view.value("availabilityZone") or by_id.get(view.inputs.get("availabilityZoneId", ""))
    zone = asked or next(iter(ids))
    return {
        "availabilityZone": zone,
        "availabilityZoneId": ids.get(zone, ""),
        "ipv6CidrBlockAssociationId": "",
        "privateDnsHostnameTypeOnLaunch": view.value("privateDnsHostnameTypeOnLaunch") or "ip-name",
    }


def _subnet_users(subnet: Resource, user: Resource) -> bool:
    """Only network interfaces keep a subnet: what routes, filters or groups it does not."""
    return user.type not in (
        ROUTE_TABLE_ASSOCIATION,
        FLOW_LOG,
        DEFAULT_NETWORK_ACL,
        "aws:ec2/networkAcl:NetworkAcl",
        "aws:ec2/networkAclAssociation:NetworkAclAssociation",
        "aws:rds/subnetGroup:SubnetGroup",
        "aws:elasticache/subnetGroup:SubnetGroup",
    )


def _not_in_a_group_in_use(view: View) -> None:
    if view.existing is None:
        return
    for group in view.store.mentioning(view.existing.id):
        if group.type.endswith(":SubnetGroup"):
            for user in view.store.mentioning(group.id):
                if group.region == user.region and "ubnetGroup" in " ".join(
                    name for name, value in user.inputs.items() if value == group.id
                ):
                    raise AwsError(
                        "DependencyViolation",
                        f"The subnet '{view.existing.id}' has dependencies and cannot be deleted.",
                    )


# Gateways and addresses


def _one_gateway_per_vpc(view: View) -> None:
    vpc = view.inputs.get("vpcId")
    if vpc and any(other.outputs.get("vpcId") == vpc for other in view.all(INTERNET_GATEWAY)):
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"resource {vpc} is already attached to an internet gateway",
        )


def _gateway_without_addresses(view: View) -> None:
    vpc = view.old("vpcId")
    for nat in view.all(NAT_GATEWAY):
        subnet = view.one(SUBNET, nat.outputs.get("subnetId", ""))
        if subnet is not None and subnet.outputs["vpcId"] == vpc and nat.outputs.get("publicIp"):
            raise AwsError(
                "DependencyViolation",
                f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before "
                "detaching the gateway.",
            )


def _address_outputs(view: View, id: str) -> dict[str, Any]:
    # 198.51.100.0/24 and its like are for documentation, too few; 100.64.0.0/10 is nobody's public address.
    ip = view.kept("publicIp", lambda: str(IPv4Address(int(IPv4Address("100.64.0.0")) + secrets.randbelow(1 << 22))))
    dashed = ip.replace(".", "-")
    host = "compute-1" if view.region == "us-east-1" else f"{view.region}.compute"
    return {
        "allocationId": id,
        "publicIp": ip,
        "publicDns": f"ec2-{dashed}.{host}.amazonaws.com",
        "domain": "vpc",
        "associationId": view.old("associationId") or "",
        "networkBorderGroup": view.value("networkBorderGroup") or view.region,
        "publicIpv4Pool": view.value("publicIpv4Pool") or "amazon",
        "instance": view.value("instance") or "",
        "networkInterface": view.old("networkInterface") or "",
        "ptrRecord": "",
        "carrierIp": "",
        "customerOwnedIp": "",
        "customerOwnedIpv4Pool": view.value("customerOwnedIpv4Pool") or "",
    }


def _nat_rules(view: View) -> None:
    allocation = view.inputs.get("allocationId")
    kind = view.value("connectivityType") or "public"
    if kind == "public" and not allocation and view.value("availabilityMode") != "regional":
        raise AwsError("MissingParameter", "The request must include the AllocationId parameter.")
    if kind == "private" and allocation:
        raise AwsError("InvalidParameter", "AllocationId is not supported for private NAT gateways.")
    for other in view.all(NAT_GATEWAY):
        if allocation and allocation in (
            other.outputs.get("allocationId"),
            *other.outputs.get("secondaryAllocationIds", ()),
        ):
            raise AwsError("InvalidIPAddress.InUse", f"The address with allocation id [{allocation}] is in use.")
    subnet = view.one(SUBNET, view.inputs.get("subnetId", ""))
    if kind == "public" and subnet is not None:
        vpc = subnet.outputs["vpcId"]
        if not any(gateway.outputs.get("vpcId") == vpc for gateway in view.all(INTERNET_GATEWAY)):
            raise AwsError("Gateway.NotAttached", f"Network {vpc} has no Internet gateway attached")


def _nat_outputs(view: View, id: str) -> dict[str, Any]:
    address = view.one(ADDRESS, view.inputs.get("allocationId", ""))
    subnet = view.one(SUBNET, view.inputs.get("subnetId", ""))
    outputs: dict[str, Any] = {
        "networkInterfaceId": view.kept("networkInterfaceId", lambda: f"eni-{hexadecimal()}"),
        "associationId": view.kept("associationId", lambda: f"eipassoc-{hexadecimal()}" if address else ""),
        "publicIp": address.outputs["publicIp"] if address else "",
        "secondaryAllocationIds": view.value("secondaryAllocationIds") or [],
        "secondaryPrivateIpAddresses": view.value("secondaryPrivateIpAddresses") or [],
        "availabilityMode": view.value("availabilityMode") or "zonal",
    }
    if subnet is not None and subnet.outputs.get("cidrBlock"):
        hosts = IPv4Network(subnet.outputs["cidrBlock"])
        outputs["privateIp"] = view.value("privateIp") or str(hosts[4 + secrets.randbelow(hosts.num_addresses - 5)])
        outputs["vpcId"] = subnet.outputs["vpcId"]
    return outputs


# Routes


def _route_value_rules(inputs: Mapping[str, Any]) -> list[Problem]:
    found = []
    for names, what in ((_DESTINATIONS, "destination"), (_TARGETS, "target")):
        given = [name for name in names if inputs.get(name)]
        if len(given) > 1:
            found.append(Problem(given[1], f"one {what} is wanted, but {' and '.join(given)} are given"))
        elif not given:
            found.append(Problem(names[0], f"one of {', '.join(names)} must be given"))
    return found


def _route_rules(view: View) -> None:
    table = view.inputs["routeTableId"]
    for name in _DESTINATIONS:
        destination = view.inputs.get(name)
        if destination is None:
            continue
        for other in view.all(ROUTE):
            if other.outputs["routeTableId"] == table and other.outputs.get(name) == destination:
                raise AwsError(
                    "RouteAlreadyExists", f"The route identified by {destination} already exists.", status=400
                )
    gateway = view.inputs.get("gatewayId", "")
    if gateway.startswith("igw-"):
        attached = view.one(INTERNET_GATEWAY, gateway)
        routes = view.one(ROUTE_TABLE, table) or view.one(DEFAULT_ROUTE_TABLE, table)
        if attached and routes and attached.outputs.get("vpcId") != routes.outputs["vpcId"]:
            raise AwsError(
                "InvalidParameterValue",
                f"route table {table} and network gateway {gateway} belong to different networks",
            )


def _route_outputs(view: View, id: str) -> dict[str, Any]:
    return {"origin": "CreateRoute", "state": "active"}


def _association_rules(view: View) -> None:
    subnet = view.inputs.get("subnetId")
    if subnet and any(other.outputs.get("subnetId") == subnet for other in view.all(ROUTE_TABLE_ASSOCIATION)):
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"the specified association for route table {view.inputs['routeTableId']} conflicts with an existing "
            "association",
        )
    table = view.one(ROUTE_TABLE, view.inputs["routeTableId"])
    place = view.one(SUBNET, subnet) if subnet else None
    if table and place and table.outputs["vpcId"] != place.outputs["vpcId"]:
        raise AwsError(
            "InvalidParameterValue",
            f"Route table {table.id} and subnet {place.id} belong to different networks",
        )


def _subnet_or_gateway(inputs: Mapping[str, Any]) -> list[Problem]:
    given = [name for name in ("subnetId", "gatewayId") if inputs.get(name)]
    return [] if len(given) == 1 else [Problem("subnetId", "one of subnetId and gatewayId must be given")]


def _adopted(property: str) -> Any:
    def adopts(view: View) -> Resource | None:
        wanted = view.inputs.get(property)
        found = next(
            (r for r in view.all(view.kind.token) if wanted in (r.id, r.outputs.get("vpcId"))),
            None,
        )
        if found is None:
            raise AwsError("InvalidVpcID.NotFound", f"there is no default of {view.kind.token} for {wanted!r}")
        return found

    return adopts


adopted_by = _adopted
"""Make the rule by which a type takes over what AWS added to a VPC, found by an id in the named input."""


# Endpoints


def _endpoint_rules(view: View) -> None:
    kind = view.value("vpcEndpointType") or "Gateway"
    service = str(view.value("serviceName") or "")
    own = service.startswith(f"com.amazonaws.{view.region}.")
    short = service.rpartition(".")[2]
    gateway_only = own and kind == "Gateway" and short not in GATEWAY_SERVICES
    if (service and not service.startswith(("com.amazonaws.", "aws.", "com.amazonaws"))) or gateway_only:
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist")
    if (
        service.startswith("com.amazonaws.")
        and not own
        and not service.startswith("com.amazonaws.vpce.")
        and not (view.inputs.get("serviceRegion"))
    ):
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist")
    if kind == "Interface":
        zones = []
        for id in view.value("subnetIds") or ():
            subnet = view.one(SUBNET, id)
            if subnet is not None:
                zones.append(subnet.outputs["availabilityZone"])
        if len(zones) != len(set(zones)):
            raise AwsError("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone")
        vpc = view.one(VPC, view.inputs["vpcId"])
        if view.value("privateDnsEnabled") and vpc is not None:
            if not (vpc.outputs.get("enableDnsSupport") and vpc.outputs.get("enableDnsHostnames")):
                raise AwsError(
                    "InvalidParameter",
                    "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to "
                    f"true for {vpc.id}",
                )
            for other in view.all(ENDPOINT):
                if (other.outputs["vpcId"], other.outputs.get("serviceName")) == (
                    vpc.id,
                    service,
                ) and other.outputs.get("privateDnsEnabled"):
                    raise AwsError(
                        "InvalidParameter",
                        f"private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                        f"{service} in the VPC {vpc.id}",
                    )
    else:
        for name in ("securityGroupIds", "subnetIds"):
            if view.inputs.get(name):
                raise AwsError("InvalidParameter", f"{name} is not supported for endpoints of type {kind}.")
        for other in view.all(ENDPOINT):
            pairs = ("vpcId", "serviceName")
            if kind == "Gateway" and all(other.outputs.get(n) == view.value(n) for n in pairs):
                shared = set(other.outputs.get("routeTableIds") or ()) & set(view.value("routeTableIds") or ())
                if shared:
                    raise AwsError(
                        "RouteAlreadyExists",
                        f"route table {shared.pop()} already has a route with destination-prefix-list-id",
                    )


def _endpoint_outputs(view: View, id: str) -> dict[str, Any]:
    kind = view.value("vpcEndpointType") or "Gateway"
    service = str(view.value("serviceName") or "")
    interface = kind == "Interface"
    subnets = view.value("subnetIds") or []
    enis = view.old("networkInterfaceIds") or []
    outputs: dict[str, Any] = {
        "vpcEndpointType": kind,
        "state": "available",
        "requesterManaged": False,
        "ipAddressType": view.value("ipAddressType") or ("ipv4" if interface else ""),
        "networkInterfaceIds": [enis[i] if i < len(enis) else f"eni-{hexadecimal()}" for i in range(len(subnets))],
        "privateDnsEnabled": bool(view.value("privateDnsEnabled")),
        "subnetIds": subnets,
        "securityGroupIds": view.value("securityGroupIds") or [],
        "routeTableIds": view.value("routeTableIds") or [],
        "cidrBlocks": [],
        "dnsEntries": [],
    }
    if not interface and service.rpartition(".")[2] in GATEWAY_SERVICES:
        outputs["prefixListId"] = prefix_list_id(view.region, service.rpartition(".")[2])
        outputs["cidrBlocks"] = ["3.5.0.0/19"]
    if interface:
        name = f"{id}-{stable_hex(id, 8)}.{service.rpartition('.')[2]}.{view.region}.vpce.amazonaws.com"
        outputs["dnsEntries"] = [{"dnsName": name, "hostedZoneId": f"Z{stable_hex(service, 13).upper()}"}]
    everything = '{"Version":"2008-10-17","Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}'
    outputs["policy"] = view.inputs.get("policy") or view.old("policy") or everything
    return outputs


def _table_has_route(view: View) -> None:
    for other in view.all(ENDPOINT_ROUTE_TABLE):
        if all(other.outputs[n] == view.inputs[n] for n in ("routeTableId", "vpcEndpointId")):
            raise AwsError(
                "RouteAlreadyExists",
                f"route table {view.inputs['routeTableId']} already has a route with destination-prefix-list-id",
            )


# Flow logs

_WATCHED = {
    "eniId": "NetworkInterface",
    "regionalNatGatewayId": "RegionalNatGateway",
    "subnetId": "Subnet",
    "transitGatewayAttachmentId": "TransitGatewayAttachment",
    "transitGatewayId": "TransitGateway",
    "vpcId": "VPC",
}


def _flow_log_shape(inputs: dict[str, Any]) -> dict[str, Any]:
    for property, kind in _WATCHED.items():
        if property in inputs:
            inputs["resourceId"], inputs["resourceType"] = inputs.pop(property), kind
    return inputs


def _flow_log_value_rules(inputs: Mapping[str, Any]) -> list[Problem]:
    found = []
    if len([name for name in _WATCHED if inputs.get(name)]) != 1:
        found.append(Problem("vpcId", f"one of {', '.join(_WATCHED)} must be given"))
    interval = inputs.get("maxAggregationInterval", 600)
    if interval is not UNKNOWN and int(interval) not in (60, 600):
        found.append(Problem("maxAggregationInterval", f"expected one of 60, 600 (seconds), got {interval}"))
    to_logs = inputs.get("logDestinationType", "cloud-watch-logs") == "cloud-watch-logs"
    if to_logs and not inputs.get("iamRoleArn") and not inputs.get("deliverCrossAccountRole"):
        found.append(Problem("iamRoleArn", "a flow log to CloudWatch Logs needs a role to write with"))
    if not to_logs and inputs.get("iamRoleArn") and inputs.get("logDestinationType") == "s3":
        found.append(Problem("iamRoleArn", "DeliverLogsPermissionArn is not applicable for s3 delivery"))
    if not inputs.get("logDestination"):
        found.append(Problem("logDestination", "the ARN of a log group, bucket or delivery stream must be given"))
    return found


def _once_watched(view: View) -> None:
    same = (*_WATCHED, "logDestination", "trafficType")
    for other in view.all(FLOW_LOG):
        if all(other.outputs.get(name) == view.value(name) for name in same):
            raise AwsError(
                "FlowLogAlreadyExists",
                "Error. There is an existing Flow Log with the same configuration and log destination.",
            )


_DEPENDS = "DependencyViolation"

TYPES: dict[str, AwsType] = {
    VPC: AwsType(
        service="EC2",
        noun="Vpc",
        label="EC2 VPC",
        cloudformation="AWS::EC2::VPC",
        id="vpc-{hex}",
        arn="ec2:{region}:{account}:vpc/{id}",
        defaults={
            "enableDnsSupport": True,
            "enableDnsHostnames": False,
            "enableNetworkAddressUsageMetrics": False,
            "instanceTenancy": "default",
            "assignGeneratedIpv6CidrBlock": False,
        },
        computed=_vpc_outputs,
        companions=_vpc_companions,
        value_rules=(_block_size(16, 28, "cidrBlock", "InvalidVpc.Range"),),
        missing=("InvalidVpcID.NotFound", "The vpc ID '{id}' does not exist"),
        in_use=(_DEPENDS, "The vpc '{id}' has dependencies and cannot be deleted."),
        users=_vpc_users,
        cascades={FLOW_LOG: "vpcId"},
        in_place=frozenset({"instanceTenancy"}),
    ),
    SUBNET: AwsType(
        service="EC2",
        noun="Subnet",
        cloudformation="AWS::EC2::Subnet",
        id="subnet-{hex}",
        arn="ec2:{region}:{account}:subnet/{id}",
        defaults={
            "assignIpv6AddressOnCreation": False,
            "enableDns64": False,
            "enableLniAtDeviceIndex": 0,
            "enableResourceNameDnsARecordOnLaunch": False,
            "enableResourceNameDnsAaaaRecordOnLaunch": False,
            "ipv6CidrBlock": "",
            "ipv6Native": False,
            "mapCustomerOwnedIpOnLaunch": False,
            "mapPublicIpOnLaunch": False,
            "customerOwnedIpv4Pool": "",
            "outpostArn": "",
        },
        computed=_subnet_outputs,
        rules=(_subnet_rules,),
        value_rules=(_block_size(16, 28, "cidrBlock", "InvalidSubnet.Range"),),
        missing=("InvalidSubnetID.NotFound", "The subnet ID '{id}' does not exist"),
        in_use=(_DEPENDS, "The subnet '{id}' has dependencies and cannot be deleted."),
        deletion_rules=(_not_in_a_group_in_use,),
        users=_subnet_users,
        cascades={
            ROUTE_TABLE_ASSOCIATION: "subnetId",
            "aws:ec2/networkAclAssociation:NetworkAclAssociation": "subnetId",
        },
    ),
    INTERNET_GATEWAY: AwsType(
        service="EC2",
        noun="InternetGateway",
        label="EC2 Internet Gateway",
        cloudformation="AWS::EC2::InternetGateway",
        id="igw-{hex}",
        arn="ec2:{region}:{account}:internet-gateway/{id}",
        rules=(_one_gateway_per_vpc,),
        deletion_rules=(_gateway_without_addresses,),
        missing=("InvalidInternetGatewayID.NotFound", "The internetGateway ID '{id}' does not exist"),
    ),
    ADDRESS: AwsType(
        service="EC2",
        noun="Address",
        label="EC2 EIP",
        cloudformation="AWS::EC2::EIP",
        id="eipalloc-{hex}",
        arn="ec2:{region}:{account}:elastic-ip/{id}",
        renames={"instance": "InstanceId"},
        computed=_address_outputs,
        operations={"create": "AllocateAddress", "update": "AssociateAddress", "delete": "ReleaseAddress"},
        missing=("InvalidAllocationID.NotFound", "The allocation ID '{id}' does not exist"),
        in_use=("InvalidIPAddress.InUse", "Address with allocation id [{id}] is in use ({users})."),
        replaces=frozenset({"domain", "publicIpv4Pool"}),
    ),
    NAT_GATEWAY: AwsType(
        service="EC2",
        noun="NatGateway",
        label="EC2 NAT Gateway",
        cloudformation="AWS::EC2::NatGateway",
        id="nat-{hex}",
        renames={"privateIp": "PrivateIpAddress"},
        defaults={"connectivityType": "public"},
        computed=_nat_outputs,
        rules=(_nat_rules,),
        missing=("NatGatewayNotFound", "The Nat Gateway {id} was not found"),
    ),
    ROUTE_TABLE: AwsType(
        service="EC2",
        noun="RouteTable",
        label="EC2 Route Table",
        cloudformation="AWS::EC2::RouteTable",
        id="rtb-{hex}",
        arn="ec2:{region}:{account}:route-table/{id}",
        computed=lambda view, id: {
            "routes": view.value("routes") or [],
            "propagatingVgws": view.value("propagatingVgws") or [],
        },
        missing=("InvalidRouteTableID.NotFound", "The routeTable ID '{id}' does not exist"),
        in_use=(_DEPENDS, "The routeTable '{id}' has dependencies and cannot be deleted."),
        users=lambda table, user: user.type == ROUTE_TABLE_ASSOCIATION,
        cascades={ROUTE: "routeTableId", ENDPOINT_ROUTE_TABLE: "routeTableId"},
    ),
    DEFAULT_ROUTE_TABLE: AwsType(
        service="EC2",
        noun="RouteTable",
        label="EC2 Default Route Table",
        cloudformation=None,
        arn="ec2:{region}:{account}:route-table/{id}",
        adopts=_adopted("defaultRouteTableId"),
        replaces=frozenset({"defaultRouteTableId"}),
        computed=lambda view, id: {"routes": view.inputs.get("routes") or []},
    ),
    ROUTE: AwsType(
        service="EC2",
        noun="Route",
        cloudformation="AWS::EC2::Route",
        id="r-{routeTableId}{hex}",
        renames={"egressOnlyGatewayId": "EgressOnlyInternetGatewayId"},
        computed=_route_outputs,
        rules=(_route_rules,),
        value_rules=(_route_value_rules,),
        operations={"update": "ReplaceRoute"},
        delete_first=True,
    ),
    ROUTE_TABLE_ASSOCIATION: AwsType(
        service="EC2",
        noun="RouteTable",
        label="EC2 Route Table Association",
        cloudformation="AWS::EC2::SubnetRouteTableAssociation",
        id="rtbassoc-{hex}",
        rules=(_association_rules,),
        value_rules=(_subnet_or_gateway,),
        operations={
            "create": "AssociateRouteTable",
            "update": "ReplaceRouteTableAssociation",
            "delete": "DisassociateRouteTable",
        },
        # The provider moves a subnet to another table in one call, without a gap.
        in_place=frozenset({"routeTableId"}),
        replaces=frozenset({"gatewayId"}),
        missing=("InvalidAssociationID.NotFound", "The association ID '{id}' does not exist"),
    ),
    DHCP_OPTIONS: AwsType(
        service="EC2",
        noun="DhcpOptions",
        label="EC2 DHCP Options Set",
        cloudformation="AWS::EC2::DHCPOptions",
        id="dopt-{hex}",
        arn="ec2:{region}:{account}:dhcp-options/{id}",
        missing=("InvalidDhcpOptionID.NotFound", "The dhcpOption ID '{id}' does not exist"),
        in_use=(_DEPENDS, "The dhcpOptions '{id}' has dependencies and cannot be deleted."),
    ),
    ENDPOINT: AwsType(
        service="EC2",
        noun="VpcEndpoint",
        label="EC2 VPC Endpoint",
        cloudformation="AWS::EC2::VPCEndpoint",
        id="vpce-{hex}",
        arn="ec2:{region}:{account}:vpc-endpoint/{id}",
        renames={"policy": "PolicyDocument"},
        policies={"policy": "resource"},
        computed=_endpoint_outputs,
        rules=(_endpoint_rules,),
        missing=("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '{id}' does not exist"),
        cascades={ENDPOINT_ROUTE_TABLE: "vpcEndpointId"},
        operations={"delete": "DeleteVpcEndpoints"},
    ),
    ENDPOINT_ROUTE_TABLE: AwsType(
        service="EC2",
        noun="VpcEndpoint",
        label="EC2 VPC Endpoint Route Table Association",
        cloudformation=None,
        id="a-{vpcEndpointId}{hex}",
        rules=(_table_has_route,),
        replaces=frozenset({"vpcEndpointId", "routeTableId"}),
        operations={"create": "ModifyVpcEndpoint", "delete": "ModifyVpcEndpoint"},
    ),
    FLOW_LOG: AwsType(
        service="EC2",
        noun="FlowLogs",
        label="EC2 Flow Log",
        cloudformation="AWS::EC2::FlowLog",
        id="fl-{hex}",
        arn="ec2:{region}:{account}:vpc-flow-log/{id}",
        renames={"iamRoleArn": "DeliverLogsPermissionArn"},
        adapt=_flow_log_shape,
        defaults={"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600},
        computed=lambda view, id: {
            "logFormat": view.value("logFormat")
            or "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
            "${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
        },
        rules=(_once_watched,),
        value_rules=(_flow_log_value_rules,),
        replaces=frozenset(_WATCHED),
        missing=("InvalidFlowLogId.NotFound", "The flow log {id} does not exist"),
    ),
    "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation": AwsType(
        service="EC2",
        noun="VpcCidrBlock",
        label="EC2 VPC IPv4 CIDR Block Association",
        cloudformation=None,
        id="vpc-cidr-assoc-{hex}",
        replaces=frozenset({"vpcId", "cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"}),
        value_rules=(_block_size(16, 28, "cidrBlock", "InvalidVpc.Range"),),
        operations={"create": "AssociateVpcCidrBlock", "delete": "DisassociateVpcCidrBlock"},
    ),
}
