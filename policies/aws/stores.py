"""Databases, caches and brokers: who reaches them, through groups, networks and routes."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws.openings import openings
from policies.aws.types import (
    BROKER,
    CACHE_CLUSTER,
    CACHE_SUBNET_GROUP,
    DATABASE,
    DATABASE_CLUSTER,
    DATABASE_PROXY,
    INGRESS_RULE,
    INTERNET_GATEWAY,
    LOAD_BALANCER,
    REPLICATION_GROUP,
    ROUTE,
    ROUTE_TABLE,
    ROUTE_TABLE_ASSOCIATION,
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
    SERVERLESS_CACHE,
    SUBNET,
    SUBNET_GROUP,
)
from policies.resources import Resource, Stack
from policies.rules import (
    Finding,
    Violation,
    of_each,
    stack_rule,
    unless,
)
from policies.values import UndecidedError, Value

GROUPS_OF = {
    **dict.fromkeys(DATABASE + DATABASE_CLUSTER + DATABASE_PROXY, "vpcSecurityGroupIds"),
    **dict.fromkeys(REPLICATION_GROUP + CACHE_CLUSTER + SERVERLESS_CACHE, "securityGroupIds"),
    **dict.fromkeys(BROKER, "securityGroups"),
}
"""The types that hold data, and the property that names their security groups."""

STORES = tuple(GROUPS_OF)
RULES_OF_GROUPS = SECURITY_GROUP_RULE + INGRESS_RULE
SUBNET_GROUPS = {
    **dict.fromkeys(DATABASE + DATABASE_CLUSTER, ("dbSubnetGroupName", SUBNET_GROUP)),
    **dict.fromkeys(REPLICATION_GROUP + CACHE_CLUSTER, ("subnetGroupName", CACHE_SUBNET_GROUP)),
}


def sources(stack: Stack, group: Resource) -> Iterator[tuple[Resource, Value, Value]]:
    """List what lets anybody into a group, inline or by rules of their own: resource, networks, other groups."""
    inside = list(openings(group))
    beside = [
        opening
        for rule in stack.of(RULES_OF_GROUPS)
        if group in stack.targets(rule, "securityGroupId", SECURITY_GROUP)
        for opening in openings(rule)
    ]
    for opening in inside + beside:
        for network in opening.networks:
            yield opening.resource, network, opening.groups


@stack_rule(
    "aws-store-known-clients",
    "Databases, caches and brokers let in security groups alone: no addresses, and none of a public load balancer's",
    "CIS AWS 3.0 5.2, 5.3",
    "FSBP EC2.18, EC2.19",
    types=STORES + SECURITY_GROUP + RULES_OF_GROUPS + LOAD_BALANCER,
)
def store_known_clients(stack: Stack) -> Iterator[Finding]:
    public = {
        group.urn: balancer
        for balancer in stack.of(LOAD_BALANCER)
        if balancer["internal"].raw is not True
        for group in stack.targets(balancer, "securityGroups", SECURITY_GROUP)
    }

    def check(store: Resource) -> Iterator[Finding]:
        key = GROUPS_OF[store.type]
        groups = stack.targets(store, key, SECURITY_GROUP)
        if not groups and store[key].unknown:
            raise UndecidedError(key)
        yield from unless(bool(groups), store, store[key], "name a security group of this stack")
        for group in groups:
            yield from _only_groups(stack, store, group, public)

    yield from of_each(stack.of(STORES), check)


def _only_groups(stack: Stack, store: Resource, group: Resource, public: dict[str, Resource]) -> Iterator[Finding]:
    mend = "let in the security group of each client instead"
    for resource, network, _ in sources(stack, group):
        for each in network.one_or_many:
            yield from unless(not each.given, resource, each, mend, f"lets {each.raw!r} in to {store.name}")
    keys = {
        **dict.fromkeys(SECURITY_GROUP_RULE, "sourceSecurityGroupId"),
        **dict.fromkeys(INGRESS_RULE, "referencedSecurityGroupId"),
    }
    for rule in stack.of(RULES_OF_GROUPS):
        if group in stack.targets(rule, "securityGroupId", SECURITY_GROUP):
            for client in stack.targets(rule, keys[rule.type], SECURITY_GROUP):
                balancer = public.get(client.urn)
                if balancer:
                    has = f"lets the public load balancer {balancer.name} in to {store.name}"
                    yield Violation(rule, keys[rule.type], has, mend)


@stack_rule(
    "aws-store-subnets-private",
    "The subnets of databases, caches and brokers have no route to an internet gateway",
    "FSBP RDS.46",
    "Well-Architected SEC05",
    types=(
        STORES
        + SUBNET_GROUP
        + CACHE_SUBNET_GROUP
        + SUBNET
        + ROUTE_TABLE_ASSOCIATION
        + ROUTE_TABLE
        + ROUTE
        + INTERNET_GATEWAY
    ),
)
def store_subnets_private(stack: Stack) -> Iterator[Finding]:
    public_tables = {
        table.urn
        for route in stack.of(ROUTE)
        if stack.targets(route, "gatewayId", INTERNET_GATEWAY) or _names_a_gateway(route["gatewayId"])
        for table in stack.targets(route, "routeTableId", ROUTE_TABLE)
    } | {
        table.urn
        for table in stack.of(ROUTE_TABLE)
        if stack.targets(table, "routes", INTERNET_GATEWAY)
        or (
            isinstance(table["routes"].raw, list)
            and any(_names_a_gateway(r["gatewayId"]) for r in table["routes"].items)
        )
    }
    public = {
        subnet.urn
        for association in stack.of(ROUTE_TABLE_ASSOCIATION)
        for table in stack.targets(association, "routeTableId", ROUTE_TABLE)
        if table.urn in public_tables
        for subnet in stack.targets(association, "subnetId", SUBNET)
    }

    def check(store: Resource) -> Iterator[Finding]:
        for subnet in subnets(stack, store):
            yield from unless(
                subnet.urn not in public,
                store,
                "subnets",
                "move it to subnets whose route table has no internet gateway",
                f"include {subnet.name}, which has a route to an internet gateway",
            )

    yield from of_each(stack.of(STORES), check)


def _names_a_gateway(value: Value) -> bool:
    return isinstance(value.raw, str) and value.raw.startswith("igw-")


def subnets(stack: Stack, store: Resource) -> list[Resource]:
    """List the subnets that a store lies in."""
    if store.type in SUBNET_GROUPS:
        key, types = SUBNET_GROUPS[store.type]
        return [
            subnet for group in stack.targets(store, key, types) for subnet in stack.targets(group, "subnetIds", SUBNET)
        ]
    return stack.targets(store, "vpcSubnetIds" if store.type in DATABASE_PROXY else "subnetIds", SUBNET)
