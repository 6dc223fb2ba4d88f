"""The network: who comes in, and where it is written down."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws.documents import open_to_anybody, statements
from policies.aws.openings import Opening, is_world, openings
from policies.aws.types import (
    DEFAULT_SECURITY_GROUP,
    EGRESS_RULE,
    FLOW_LOG,
    INGRESS_RULE,
    INSTANCE,
    LAUNCH_TEMPLATE,
    NETWORK_ACL,
    NETWORK_ACL_RULE,
    OPENINGS,
    SECURITY_GROUP_RULE,
    SUBNET,
    VPC,
    VPC_ENDPOINT,
)
from policies.resources import Resource, Stack
from policies.rules import Finding, Violation, of_each, resource_rule, stack_rule, unless
from policies.values import Value, each

PUBLIC_PORTS = {80, 443}
ADMIN_PORTS = (22, 3389)

SAYS_WHOSE = {"aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths", "aws:principalisawsservice"}
"""Condition keys that say whose what is reached is, beside those that say who comes."""


@resource_rule(
    "aws-world-reaches-web-only",
    "Anybody reaches ports 80 and 443 only",
    "CIS AWS 3.0 5.2, 5.3",
    "FSBP EC2.13, EC2.14, EC2.18, EC2.19",
    types=OPENINGS,
)
def world_reaches_web_only(resource: Resource) -> Iterator[Finding]:
    def check(opening: Opening) -> Iterator[Violation]:
        if world := opening.from_world():
            ports = opening.ports()
            holds = len(ports) == 1 and ports[0] in PUBLIC_PORTS and opening.protocol.text.lower() in ("tcp", "6")
            yield from unless(
                holds,
                resource,
                world[0],
                "name the addresses or groups that need it, or open port 80 or 443 alone",
                f"lets {world[0].text} in to ports {ports.start} to {ports.stop - 1}",
            )

    yield from each(openings(resource), check)


@resource_rule(
    "aws-network-acl-admin-ports",
    "No network ACL lets anybody in to SSH or RDP",
    "CIS AWS 3.0 5.1",
    "FSBP EC2.21",
    types=NETWORK_ACL + NETWORK_ACL_RULE,
)
def network_acl_admin_ports(resource: Resource) -> Iterator[Finding]:
    def check(entry: Value) -> Iterator[Violation]:
        action = (entry["action"].text or entry["ruleAction"].text).lower()
        sources = (entry["cidrBlock"], entry["ipv6CidrBlock"])
        if action != "allow" or not any(is_world(source) for source in sources):
            return
        lowest, highest = entry["fromPort"].number, entry["toPort"].number
        all_ports = entry["protocol"].text in ("-1", "all") or lowest is None or highest is None
        reached = [port for port in ADMIN_PORTS if all_ports or lowest <= port <= highest]  # type: ignore[operator]
        yield from unless(
            not reached, resource, entry["fromPort"], "allow the ports that are needed alone", f"lets in to {reached}"
        )

    if resource.type in NETWORK_ACL:
        yield from each(resource["ingress"].items, check)
    elif not resource["egress"].flag:
        yield from check(Value(dict(resource.inputs), ""))


@resource_rule(
    "aws-no-automatic-public-address",
    "Nothing gets a public address by being started",
    "FSBP EC2.9, EC2.15, EC2.25",
    types=SUBNET + INSTANCE + LAUNCH_TEMPLATE,
)
def no_automatic_public_address(resource: Resource) -> Iterator[Finding]:
    if resource.type in SUBNET:
        given = [resource["mapPublicIpOnLaunch"]]
    elif resource.type in INSTANCE:
        given = [resource["associatePublicIpAddress"]]
    else:
        given = [card["associatePublicIpAddress"] for card in resource["networkInterfaces"].items]
    yield from each(given, lambda value: unless(value.flag is not True, resource, value, "set it to false"))


@resource_rule(
    "aws-instance-metadata-v2",
    "Instance metadata needs a session token",
    "CIS AWS 3.0 5.6",
    "FSBP EC2.8, EC2.170",
    types=INSTANCE + LAUNCH_TEMPLATE,
)
def instance_metadata_v2(resource: Resource) -> Iterator[Finding]:
    tokens = resource.at("metadataOptions.httpTokens")
    off = resource.at("metadataOptions.httpEndpoint").text == "disabled"
    yield from unless(off or tokens.text == "required", resource, tokens, 'set it to "required"')


@stack_rule(
    "aws-flow-log-per-vpc",
    "Each VPC has a flow log",
    "CIS AWS 3.0 3.7",
    "FSBP EC2.6",
    types=VPC + FLOW_LOG,
)
def flow_log_per_vpc(stack: Stack) -> Iterator[Finding]:
    yield from of_each(
        stack.of(VPC),
        lambda vpc: unless(
            bool(stack.companions(vpc, FLOW_LOG, "vpcId")), vpc, "flow log", "add an aws.ec2.FlowLog with its vpc_id"
        ),
    )


@stack_rule(
    "aws-default-security-group-closed",
    "The default security group of each VPC is adopted and lets nothing in or out",
    "CIS AWS 3.0 5.4",
    "FSBP EC2.2",
    types=VPC + DEFAULT_SECURITY_GROUP + INGRESS_RULE + EGRESS_RULE + SECURITY_GROUP_RULE,
)
def default_security_group_closed(stack: Stack) -> Iterator[Finding]:
    def adopted(vpc: Resource) -> Iterator[Violation]:
        groups = stack.companions(vpc, DEFAULT_SECURITY_GROUP, "vpcId")
        yield from unless(
            bool(groups),
            vpc,
            "default security group",
            "add an aws.ec2.DefaultSecurityGroup with its vpc_id and no rules",
        )

    def closed(group: Resource) -> Iterator[Violation]:
        for key in ("ingress", "egress"):
            yield from unless(not group[key].items, group, group[key], "leave it empty")
        rules = SECURITY_GROUP_RULE + INGRESS_RULE + EGRESS_RULE
        for rule in stack.of(rules):
            yield from unless(
                group not in stack.targets(rule, "securityGroupId", DEFAULT_SECURITY_GROUP),
                rule,
                "securityGroupId",
                "attach the rule to a group of its own",
                f"is the default security group {group.name}",
            )

    yield from of_each(stack.of(VPC), adopted)
    yield from of_each(stack.of(DEFAULT_SECURITY_GROUP), closed)


@resource_rule(
    "aws-vpc-endpoint-policy",
    "What goes through an endpoint of the VPC is for somebody: no endpoint carries any account's data for any account",
    "Well-Architected SEC05",
    "AWS: Building a Data Perimeter",
    types=VPC_ENDPOINT,
)
def vpc_endpoint_policy(resource: Resource) -> Iterator[Finding]:
    if resource["vpcEndpointType"].text == "GatewayLoadBalancer":
        return
    document = resource["policy"]
    mend = "give one whose statements name accounts, by aws:PrincipalAccount or aws:ResourceAccount"
    yield from unless(document.given, resource, document, mend)
    wide = [
        each
        for each in open_to_anybody(statements(document))
        if not each.condition_keys & SAYS_WHOSE and any(action.endswith("*") for action in each.actions)
    ]
    yield from unless(
        not wide,
        resource,
        document,
        mend,
        "allows everybody everything",
    )
