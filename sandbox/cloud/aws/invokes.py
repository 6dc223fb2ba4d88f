"""Look-ups of the simulated AWS."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.cloud.aws import schemas
from sandbox.cloud.aws.catalog import network
from sandbox.cloud.aws.model import ACCOUNT, PARTITION
from sandbox.cloud.errors import CloudError
from sandbox.cloud.store import Resource, Store

LookUp = Callable[[Store, str, dict[str, Any]], dict[str, Any]]


def _caller(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    user = {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/sandbox", "userId": "AIDASANDBOXSANDBOXAAA"}
    return {**user, "id": ACCOUNT}


def _partition(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": PARTITION,
        "partition": PARTITION,
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }


def _region(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    name = args.get("name") or region
    if name not in schemas.regions():
        raise CloudError(f"reading AWS Region: region not found for {name!r}")
    return {"id": name, "name": name, "region": name, "description": name, "endpoint": f"ec2.{name}.amazonaws.com"}


def _zones(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    excluded = set(args.get("excludeNames") or ())
    names = [zone for zone in schemas.availability_zones(region) if zone not in excluded]
    ids = network.zone_ids(region)
    zone_ids = [ids[name] for name in names]
    return {**args, "id": region, "region": region, "names": names, "zoneIds": zone_ids, "groupNames": [region]}


def _matching(store: Store, region: str, type: str, args: Mapping[str, Any]) -> list[Resource]:
    return [resource for resource in store.list("aws", type, region) if _matches(resource, args)]


_FILTERS = {"vpc-id": "vpcId", "subnet-id": "id", "availability-zone": "availabilityZone", "cidr-block": "cidrBlock"}


def _matches(resource: Resource, args: Mapping[str, Any]) -> bool:
    values = {**resource.outputs, "id": resource.id}
    tags = resource.outputs.get("tagsAll") or {}
    if any(tags.get(key) != value for key, value in (args.get("tags") or {}).items()):
        return False
    for filter in args.get("filters") or ():
        name = filter["name"]
        have = tags.get(name.removeprefix("tag:")) if name.startswith("tag:") else values.get(_FILTERS.get(name, name))
        if have not in filter["values"]:
            return False
    wanted = {name: args[name] for name in ("id", "vpcId", "cidrBlock", "availabilityZone") if args.get(name)}
    return all(values.get(name) == value for name, value in wanted.items())


def _one_of(type: str, noun: str) -> LookUp:
    def look_up(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
        found = _matching(store, region, type, args)
        if len(found) != 1:
            what = "no matching" if not found else "multiple"
            raise CloudError(f"reading {noun}: {what} {noun} found; {len(found)} match {args}")
        resource = found[0]
        tags = resource.outputs.get("tagsAll") or {}
        return {**resource.outputs, **args, "id": resource.id, "tags": tags, "state": "available", "region": region}

    return look_up


def _vpc(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    answer = _one_of(network.VPC, "EC2 VPC")(store, region, args)
    return {**answer, "default": False, "cidrBlockAssociations": [], "ipv6CidrBlockAssociations": []}


def _subnet(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    answer = _one_of(network.SUBNET, "EC2 Subnet")(store, region, args)
    return {**answer, "availableIpAddressCount": 251, "defaultForAz": False}


def _subnets(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    ids = sorted(resource.id for resource in _matching(store, region, network.SUBNET, args))
    return {**args, "id": region, "region": region, "ids": ids}


def _route_tables_of(store: Store, region: str, args: Mapping[str, Any]) -> list[Resource]:
    tables = [
        *_matching(store, region, network.ROUTE_TABLE, args),
        *_matching(store, region, network.DEFAULT_ROUTE_TABLE, args),
    ]
    if args.get("routeTableId"):
        tables = [table for table in tables if table.id == args["routeTableId"]]
    if args.get("subnetId"):
        associations = store.list("aws", network.ROUTE_TABLE_ASSOCIATION, region)
        of_subnet = {a.outputs["routeTableId"] for a in associations if a.outputs.get("subnetId") == args["subnetId"]}
        tables = [table for table in tables if table.id in of_subnet]
    return tables


def _route_table(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    tables = _route_tables_of(store, region, args)
    if len(tables) != 1:
        raise CloudError(f"reading EC2 Route Table: {len(tables)} route tables match {args}; exactly one is wanted")
    table = tables[0]
    routes = [
        {"cidrBlock": "", "gatewayId": "", "natGatewayId": "", **route.outputs}
        for route in store.list("aws", network.ROUTE, region)
        if route.outputs["routeTableId"] == table.id
    ]
    return {
        **args,
        "id": table.id,
        "routeTableId": table.id,
        "arn": table.outputs["arn"],
        "vpcId": table.outputs["vpcId"],
        "ownerId": ACCOUNT,
        "associations": [],
        "routes": routes,
        "tags": table.outputs.get("tagsAll") or {},
        "region": region,
    }


def _route_tables(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    ids = sorted(table.id for table in _route_tables_of(store, region, args))
    return {**args, "id": region, "region": region, "ids": ids}


def _prefix_list(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    known = {f"com.amazonaws.{region}.{service}": service for service in network.GATEWAY_SERVICES}
    name = args.get("name")
    if name not in known:
        raise CloudError(f"reading EC2 Managed Prefix List: no matching list {name!r}; there are {', '.join(known)}")
    id = network.prefix_list_id(region, known[name])
    arn = f"arn:aws:ec2:{region}:aws:prefix-list/{id}"
    return {
        **args,
        "id": id,
        "arn": arn,
        "ownerId": "AWS",
        "addressFamily": "IPv4",
        "entries": [{"cidr": "3.5.0.0/19", "description": ""}],
        "maxEntries": 0,
        "version": 0,
        "tags": {},
        "region": region,
    }


def _addon_version(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    """Return a version in the form that EKS gives them; which one AWS recommends today is not known here."""
    return {**args, "id": args["addonName"], "region": region, "version": "v1.0.0-eksbuild.1"}


def _registry_token(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    password = "sandbox"  # noqa: S105 (opens nothing)
    return {
        **args,
        "id": region,
        "region": region,
        "registryId": args.get("registryId") or ACCOUNT,
        "userName": "AWS",
        "password": password,
        "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
        "expiresAt": "2099-01-01T00:00:00Z",
        "proxyEndpoint": f"https://{ACCOUNT}.dkr.ecr.{region}.amazonaws.com",
    }


def _hosted_zone(store: Store, region: str, args: dict[str, Any]) -> dict[str, Any]:
    name = str(args.get("name", "")).rstrip(".")
    private = bool(args.get("privateZone"))
    for zone in store.list("aws", "aws:route53/zone:Zone"):
        if args.get("zoneId") == zone.id or (
            name and zone.outputs["name"].rstrip(".") == name and bool(zone.outputs.get("vpcs")) == private
        ):
            return {
                **zone.outputs,
                "id": zone.id,
                "privateZone": bool(zone.outputs.get("vpcs")),
                "callerReference": "sandbox",
                "resourceRecordSetCount": 2,
                "tags": zone.outputs.get("tagsAll") or {},
            }
    raise CloudError(f"no matching Route 53 Hosted Zone found for {name or args.get('zoneId')!r}")


INVOKES: Mapping[str, LookUp] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:ec2/getVpc:getVpc": _vpc,
    "aws:ec2/getSubnet:getSubnet": _subnet,
    "aws:ec2/getSubnets:getSubnets": _subnets,
    "aws:ec2/getRouteTable:getRouteTable": _route_table,
    "aws:ec2/getRouteTables:getRouteTables": _route_tables,
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": _prefix_list,
    "aws:eks/getAddonVersion:getAddonVersion": _addon_version,
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": _registry_token,
    "aws:ecr/getCredentials:getCredentials": _registry_token,
    "aws:route53/getZone:getZone": _hosted_zone,
}
"""Function token to its answer, given the store, the Region and the plain arguments."""
