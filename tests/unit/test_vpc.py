"""What a Vpc registers for each combination of settings, and what it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.account import AwsAccount
from components.network import Vpc, VpcArgs
from sandbox.cloud.aws.access import allows
from settings import NetworkSettings
from tests.unit.recording import ACCOUNT_ID, REGION, Recorded, Recording, record
from tests.unit.test_allocation import GOLDEN

KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/logs"
NAME = "auterity-test"

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
ROUTE = "aws:ec2/route:Route"
ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
NAT = "aws:ec2/natGateway:NatGateway"
EIP = "aws:ec2/eip:Eip"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
ENDPOINT_ROUTE = "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation"
ACL = "aws:ec2/networkAcl:NetworkAcl"
ACL_RULE = "aws:ec2/networkAclRule:NetworkAclRule"
ACL_ASSOCIATION = "aws:ec2/networkAclAssociation:NetworkAclAssociation"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"

Answers = dict[str, Callable[[dict[str, Any]], dict[str, Any]]]


_RECORDINGS: dict[str, Recording] = {}


def build(settings: NetworkSettings) -> None:
    provider = aws.Provider("aws", region=REGION)
    account = AwsAccount.of(provider, REGION)
    Vpc(NAME, VpcArgs(settings, account, KEY_ARN), pulumi.ResourceOptions(provider=provider))


def recorded(calls: Answers | None = None, **settings: Any) -> Recording:
    """Record a network; equal settings are recorded once for all tests, which only look."""
    key = json.dumps(settings)
    if key not in _RECORDINGS:
        _RECORDINGS[key] = record(lambda: build(NetworkSettings.model_validate(settings)), calls=calls)
    return _RECORDINGS[key]


def default() -> Recording:
    """Record the default network: production's, of three zones with a NAT gateway in each."""
    return recorded()


def component(recording: Recording) -> Recorded:
    return recording.only("auterity:network:Vpc")


def names(recording: Recording, type_: str) -> set[str]:
    return {resource.name.removeprefix(f"{NAME}-") for resource in recording.of_type(type_)}


def statements(document: str) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in json.loads(document)["Statement"]}


# Addresses and zones


@pytest.mark.parametrize(("block", "letters"), GOLDEN, ids=str)
def test_every_subnet_stands_where_the_layout_says(block: str, letters: str) -> None:
    recording = recorded(cidr=block, az_count=len(letters), availability_zones=tuple(letters))
    placed = {s.name: (s.inputs["availabilityZone"], s.inputs["cidrBlock"]) for s in recording.of_type(SUBNET)}
    assert placed == {
        f"{NAME}-{tier}-{zone}": (f"{REGION}{zone}", subnet)
        for tier, zones in GOLDEN[block, letters].items()
        for zone, subnet in zones.items()
    }


def test_no_subnet_hands_out_public_addresses() -> None:
    assert {subnet.inputs["mapPublicIpOnLaunch"] for subnet in default().of_type(SUBNET)} == {False}


def test_the_vpc_resolves_and_gives_names() -> None:
    vpc = default().only(VPC)
    assert (vpc.inputs["enableDnsSupport"], vpc.inputs["enableDnsHostnames"]) == (True, True)


def test_a_third_zone_is_added_without_a_change_to_what_is_there() -> None:
    before, after = recorded(az_count=2), recorded(az_count=3)
    new = {(r.type, r.name): r for r in after.resources if r.custom}
    changed = [r.urn for r in before.resources if r.custom and new[r.type, r.name].inputs != r.inputs]
    assert changed == []
    assert len(new) > len([r for r in before.resources if r.custom])


def test_a_third_zone_only_lengthens_the_subnet_lists_of_interface_endpoints() -> None:
    before, after = (recorded(az_count=count, interface_endpoints=("sts",)) for count in (2, 3))
    old, new = (dict(r.named(f"{NAME}-sts", ENDPOINT).inputs) for r in (before, after))
    assert new.pop("subnetIds")[:2] == old.pop("subnetIds")
    assert new == old


def test_the_database_acl_keeps_a_zones_rule_numbers_when_another_zone_leaves() -> None:
    numbers = [
        {
            rule.name: rule.inputs["ruleNumber"]
            for rule in recorded(az_count=2, availability_zones=zones).of_type(ACL_RULE)
            if "-b" in rule.name
        }
        for zones in (("a", "b"), ("b", "c"))
    ]
    assert numbers[0] == numbers[1] != {}


def test_names_contain_no_place_in_a_list() -> None:
    recording = recorded(interface_endpoints=("ecr.api", "sts"))
    assert [r.name for r in recording.resources if re.search(r"(^|[-_.])\d+($|[-_.])", r.name)] == []


def test_everything_belongs_to_the_component() -> None:
    recording = recorded(interface_endpoints=("ecr.api", "sts"))
    own = component(recording)
    others = [r for r in recording.resources if r is not own and not r.type.startswith("pulumi:providers:")]
    assert [r.urn for r in others if r.parent != own.urn] == []


# Tags


def test_public_subnets_are_found_by_internet_facing_load_balancers_and_no_others() -> None:
    tagged = {s.name for s in default().of_type(SUBNET) if s.inputs["tags"].get("kubernetes.io/role/elb") == "1"}
    assert tagged == {f"{NAME}-public-{zone}" for zone in "abc"}


def test_private_subnets_are_found_by_internal_load_balancers_and_no_others() -> None:
    tagged = {
        s.name for s in default().of_type(SUBNET) if s.inputs["tags"].get("kubernetes.io/role/internal-elb") == "1"
    }
    assert tagged == {f"{NAME}-private-{zone}" for zone in "abc"}


# Routes and NAT


def test_only_the_public_route_table_leads_to_the_internet_gateway() -> None:
    routes = [route for route in default().of_type(ROUTE) if "gatewayId" in route.inputs]
    assert [(r.inputs["routeTableId"], r.inputs["destinationCidrBlock"]) for r in routes] == [
        (f"{NAME}-public-id", "0.0.0.0/0")
    ]


def test_no_route_leads_out_of_the_database_tier() -> None:
    assert [r.name for r in default().of_type(ROUTE) if r.inputs["routeTableId"] == f"{NAME}-database-id"] == []
    assert {r.name for r in default().of_type(ROUTE_TABLE) if r.inputs.get("routes")} == set()


def test_every_subnet_stands_under_the_route_table_of_its_tier() -> None:
    placed = {a.inputs["subnetId"]: a.inputs["routeTableId"] for a in default().of_type(ASSOCIATION)}
    assert placed == {
        f"{NAME}-{tier}-{zone}-id": f"{NAME}-private-{zone}-id" if tier == "private" else f"{NAME}-{tier}-id"
        for tier in ("public", "private", "database")
        for zone in "abc"
    }


def test_with_a_nat_gateway_in_each_zone_every_zone_leaves_through_its_own() -> None:
    ways_out = {r.inputs["routeTableId"]: r.inputs.get("natGatewayId") for r in default().of_type(ROUTE)}
    ways_out.pop(f"{NAME}-public-id")
    assert ways_out == {f"{NAME}-private-{zone}-id": f"{NAME}-nat-{zone}-id" for zone in "abc"}


def test_with_a_nat_gateway_in_each_zone_every_one_has_an_address_and_a_public_subnet() -> None:
    assert {n.name: (n.inputs["allocationId"], n.inputs["subnetId"]) for n in default().of_type(NAT)} == {
        f"{NAME}-nat-{zone}": (f"{NAME}-nat-{zone}-id", f"{NAME}-public-{zone}-id") for zone in "abc"
    }
    assert names(default(), EIP) == {"nat-a", "nat-b", "nat-c"}


def test_a_single_nat_gateway_has_the_one_address_and_serves_every_zone() -> None:
    recording = recorded(nat="single")
    assert names(recording, EIP) == names(recording, NAT) == {"nat-a"}
    ways_out = {r.inputs["routeTableId"]: r.inputs.get("natGatewayId") for r in recording.of_type(ROUTE)}
    ways_out.pop(f"{NAME}-public-id")
    assert ways_out == {f"{NAME}-private-{zone}-id": f"{NAME}-nat-a-id" for zone in "abc"}


def test_a_network_without_nat_has_no_nat_gateway_and_no_address() -> None:
    recording = recorded(nat="none")
    assert recording.of_type(NAT) == recording.of_type(EIP) == []


def test_a_network_without_nat_has_no_way_out_of_the_private_tier() -> None:
    assert names(recorded(nat="none"), ROUTE) == {"public-internet"}


def test_given_addresses_are_used_and_none_are_made() -> None:
    given = {zone: f"eipalloc-0123456789abcdef{place}" for place, zone in enumerate("abc")}
    recording = recorded(nat_allocation_ids=given)
    assert recording.of_type(EIP) == []
    assert {nat.name[-1]: nat.inputs["allocationId"] for nat in recording.of_type(NAT)} == given


def test_an_address_given_for_one_zone_leaves_the_others_to_be_made() -> None:
    recording = recorded(nat_allocation_ids={"b": "eipalloc-0123456789abcdef0"})
    assert names(recording, EIP) == {"nat-a", "nat-c"}
    assert recording.named(f"{NAME}-nat-b", NAT).inputs["allocationId"] == "eipalloc-0123456789abcdef0"


def test_going_from_one_nat_gateway_to_one_per_zone_replaces_none() -> None:
    before, after = recorded(nat="single"), recorded(nat="per_az")
    assert before.only(NAT).inputs == after.named(f"{NAME}-nat-a", NAT).inputs
    assert names(before, ROUTE) == names(after, ROUTE)


def test_nat_gateways_wait_for_the_internet_gateway() -> None:
    internet_gateway = default().only("aws:ec2/internetGateway:InternetGateway")
    assert [nat.name for nat in default().of_type(NAT) if internet_gateway.urn not in nat.depends_on] == []


# What AWS adds to every VPC


def test_the_default_security_group_is_emptied() -> None:
    group = default().only("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert (group.inputs["vpcId"], group.inputs["ingress"], group.inputs["egress"]) == (f"{NAME}-id", [], [])


def test_the_default_route_table_is_emptied() -> None:
    table = default().only("aws:ec2/defaultRouteTable:DefaultRouteTable")
    assert (table.inputs["defaultRouteTableId"], table.inputs["routes"]) == ("rtb-default", [])


# The database tier's network ACL


def passes(recording: Recording, *, egress: bool) -> set[tuple[str, int, int]]:
    """List what a network ACL lets pass, as (block, first port, last port)."""
    return {
        (rule.inputs["cidrBlock"], rule.inputs["fromPort"], rule.inputs["toPort"])
        for rule in recording.of_type(ACL_RULE)
        if rule.inputs["egress"] is egress
    }


PRIVATE_BLOCKS = set(GOLDEN["10.0.0.0/16", "abc"]["private"].values())
DATABASE_BLOCKS = set(GOLDEN["10.0.0.0/16", "abc"]["database"].values())


def test_only_postgresql_from_the_private_tier_enters_the_database_tier() -> None:
    from_others = {entry for entry in passes(default(), egress=False) if entry[0] not in DATABASE_BLOCKS}
    assert from_others == {(block, 5432, 5432) for block in PRIVATE_BLOCKS}


def test_only_answers_to_the_private_tier_leave_the_database_tier() -> None:
    to_others = {entry for entry in passes(default(), egress=True) if entry[0] not in DATABASE_BLOCKS}
    assert to_others == {(block, 1024, 65535) for block in PRIVATE_BLOCKS}


def test_databases_reach_each_other_both_ways() -> None:
    for egress in (False, True):
        within = {entry for entry in passes(default(), egress=egress) if entry[0] in DATABASE_BLOCKS}
        assert within == {(block, 1024, 65535) for block in DATABASE_BLOCKS}


def test_the_acl_has_only_tcp_rules_that_allow_and_none_twice_under_a_number() -> None:
    rules = default().of_type(ACL_RULE)
    assert {(rule.inputs["protocol"], rule.inputs["ruleAction"]) for rule in rules} == {("tcp", "allow")}
    assert len({(rule.inputs["egress"], rule.inputs["ruleNumber"]) for rule in rules}) == len(rules)


def test_the_acl_guards_every_database_subnet_and_no_other() -> None:
    guarded = {a.inputs["subnetId"]: a.inputs["networkAclId"] for a in default().of_type(ACL_ASSOCIATION)}
    assert guarded == {f"{NAME}-database-{zone}-id": f"{NAME}-database-id" for zone in "abc"}
    assert default().only(ACL).inputs.get("subnetIds") is None


# Flow logs


def test_flow_logs_record_the_vpc_into_an_encrypted_group_that_forgets() -> None:
    flow_log, group = default().only(FLOW_LOG), default().only(LOG_GROUP)
    assert flow_log.inputs["vpcId"] == f"{NAME}-id"
    assert flow_log.inputs["logDestination"] == f"arn:aws:mock:{REGION}:{ACCOUNT_ID}:{group.name}"
    assert (group.inputs["kmsKeyId"], group.inputs["retentionInDays"]) == (KEY_ARN, 365)


@pytest.mark.parametrize(("traffic", "seconds"), [("REJECT", 60), ("ALL", 600)])
def test_flow_logs_record_the_traffic_that_is_asked_for(traffic: str, seconds: int) -> None:
    flow_log = recorded(flow_logs={"traffic": traffic, "aggregation_seconds": seconds}).only(FLOW_LOG)
    assert (flow_log.inputs["trafficType"], flow_log.inputs["maxAggregationInterval"]) == (traffic, seconds)


def test_the_flow_logs_role_is_taken_only_for_flow_logs_of_this_account() -> None:
    trust = statements(default().only(ROLE).inputs["assumeRolePolicy"])["ServiceMayAssume"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT_ID},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:{REGION}:{ACCOUNT_ID}:vpc-flow-log/*"},
    }


def test_the_flow_logs_role_writes_to_its_own_group_only_and_makes_none() -> None:
    allowed = statements(default().only(ROLE_POLICY).inputs["policy"])
    writes = [s for s in allowed.values() if any("Put" in a or "Create" in a for a in s["Action"])]
    assert [s["Resource"] for s in writes] == [[f"arn:aws:mock:{REGION}:{ACCOUNT_ID}:{NAME}-flow-logs:*"]]
    actions = {action for statement in allowed.values() for action in statement["Action"]}
    assert actions == {
        f"logs:{a}" for a in ("CreateLogStream", "PutLogEvents", "DescribeLogStreams", "DescribeLogGroups")
    }


def test_the_flow_logs_role_finds_log_groups_by_the_only_resource_that_the_action_takes() -> None:
    finding = statements(default().only(ROLE_POLICY).inputs["policy"])["FindLogGroups"]
    assert (finding["Action"], finding["Resource"]) == (["logs:DescribeLogGroups"], ["*"])


def test_flow_logs_start_after_their_role_may_write() -> None:
    assert default().only(ROLE_POLICY).urn in default().only(FLOW_LOG).depends_on


def test_without_flow_logs_there_is_no_role_and_no_log_group() -> None:
    recording = recorded(flow_logs={"enabled": False})
    assert [r.urn for type_ in (FLOW_LOG, LOG_GROUP, ROLE, ROLE_POLICY) for r in recording.of_type(type_)] == []


# Endpoints


def test_s3_is_reached_from_the_private_tier_by_a_gateway_endpoint() -> None:
    endpoint = default().only(ENDPOINT)
    assert (endpoint.inputs["vpcEndpointType"], endpoint.inputs["serviceName"]) == (
        "Gateway",
        "com.amazonaws.us-east-1.s3",
    )
    assert {a.inputs["routeTableId"] for a in default().of_type(ENDPOINT_ROUTE)} == {
        f"{NAME}-private-{zone}-id" for zone in "abc"
    }


def test_through_the_s3_endpoint_nothing_is_written_to_a_bucket_of_another_account() -> None:
    allowed = statements(default().only(ENDPOINT).inputs["policy"])
    of_others = [
        s for s in allowed.values() if s.get("Condition") != {"StringEquals": {"aws:ResourceAccount": ACCOUNT_ID}}
    ]
    assert [s["Action"] for s in of_others] == [["s3:GetObject"]]


def test_without_interface_endpoints_there_is_no_security_group_for_them() -> None:
    assert default().of_type(SECURITY_GROUP) == default().of_type(INGRESS_RULE) == []
    assert (component(default()).outputs or {}).get("endpoint_security_group_id") is None


def test_exactly_the_listed_services_get_interface_endpoints() -> None:
    recording = recorded(interface_endpoints=("ecr.api", "ecr.dkr", "sts"))
    made = {e.inputs["serviceName"] for e in recording.of_type(ENDPOINT) if e.inputs["vpcEndpointType"] == "Interface"}
    assert made == {f"com.amazonaws.{REGION}.{service}" for service in ("ecr.api", "ecr.dkr", "sts")}


def test_interface_endpoints_stand_in_every_private_subnet_under_the_usual_names() -> None:
    endpoint = recorded(interface_endpoints=("sts",)).named(f"{NAME}-sts", ENDPOINT)
    assert endpoint.inputs["subnetIds"] == [f"{NAME}-private-{zone}-id" for zone in "abc"]
    assert endpoint.inputs["privateDnsEnabled"] is True
    assert endpoint.inputs["securityGroupIds"] == [f"{NAME}-endpoints-id"]


def test_an_interface_endpoint_serves_the_accounts_own_identities() -> None:
    document = recorded(interface_endpoints=("sts",)).named(f"{NAME}-sts", ENDPOINT).inputs["policy"]

    def may(**context: str) -> bool:
        return bool(allows([document], "sts:AssumeRole", "*", {f"aws:{key}": value for key, value in context.items()}))

    assert may(PrincipalAccount=ACCOUNT_ID, PrincipalIsAWSService="false")
    assert may(PrincipalIsAWSService="true")
    assert not may(PrincipalAccount="210987654321", PrincipalIsAWSService="false")


def test_interface_endpoints_take_https_from_the_vpc_only() -> None:
    recording = recorded(interface_endpoints=("sts",))
    rule = recording.only(INGRESS_RULE).inputs
    assert (rule["cidrIpv4"], rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("10.0.0.0/16", "tcp", 443, 443)
    group = recording.only(SECURITY_GROUP).inputs
    assert not {"ingress", "egress"} & group.keys()


def test_an_interface_endpoint_for_s3_is_refused() -> None:
    with pytest.raises(ValueError, match="services other than s3"):
        NetworkSettings(interface_endpoints=("s3",))


# Outputs


def test_the_subnets_of_each_tier_are_handed_out_by_zone() -> None:
    outputs = component(default()).outputs or {}
    for tier in ("public", "private", "database"):
        assert outputs[f"{tier}_subnet_ids"] == {zone: f"{NAME}-{tier}-{zone}-id" for zone in "abc"}
    assert outputs["private_cidrs"] == GOLDEN["10.0.0.0/16", "abc"]["private"]
    assert outputs["private_route_table_ids"] == {zone: f"{NAME}-private-{zone}-id" for zone in "abc"}
    assert outputs["zones"] == ["a", "b", "c"]


def test_the_address_of_every_nat_gateway_is_handed_out() -> None:
    addresses = (component(default()).outputs or {})["nat_public_ips"]
    assert addresses == dict.fromkeys("abc", "192.0.2.1")
    assert (component(recorded(nat="none")).outputs or {})["nat_public_ips"] == {}


# A VPC of someone else

EXISTING = {
    "vpc_id": "vpc-0123456789abcdef0",
    "subnets": {
        "public": {"a": "subnet-0000000000000000a"},
        "private": {"b": "subnet-1111111111111111b", "a": "subnet-1111111111111111a"},
        "database": {"a": "subnet-2222222222222222a", "b": "subnet-2222222222222222b"},
    },
}
LOOK_UPS: Answers = {
    "aws:ec2/getVpc:getVpc": lambda args: {**args, "cidrBlock": "172.20.0.0/16"},
    "aws:ec2/getSubnet:getSubnet": lambda args: {**args, "cidrBlock": f"172.20.{args['id'][-2]}.0/24"},
}


def adopted() -> Recording:
    return recorded(LOOK_UPS, existing=EXISTING)


def test_an_adopted_vpc_makes_nothing() -> None:
    made = {r.type for r in adopted().resources if r.custom and not r.type.startswith("pulumi:providers:")}
    assert made == set()


def test_an_adopted_vpc_hands_out_what_was_looked_up() -> None:
    assert component(adopted()).outputs == {
        "vpc_id": "vpc-0123456789abcdef0",
        "cidr_block": "172.20.0.0/16",
        "zones": ["a", "b"],
        "public_subnet_ids": {"a": "subnet-0000000000000000a"},
        "private_subnet_ids": {"a": "subnet-1111111111111111a", "b": "subnet-1111111111111111b"},
        "database_subnet_ids": {"a": "subnet-2222222222222222a", "b": "subnet-2222222222222222b"},
        "private_cidrs": {"a": "172.20.1.0/24", "b": "172.20.1.0/24"},
        "private_route_table_ids": {},
        "nat_public_ips": {},
        "nat_gateway_ids": {},
    }


def test_a_subnet_is_looked_up_in_the_vpc_and_zone_that_the_settings_state() -> None:
    looked_up = {args["id"]: args for token, args, _ in adopted().calls if token.endswith("getSubnet")}
    assert looked_up["subnet-2222222222222222b"]["vpcId"] == "vpc-0123456789abcdef0"
    assert looked_up["subnet-2222222222222222b"]["availabilityZone"] == f"{REGION}b"
    assert len(looked_up) == 5


def test_look_ups_go_through_the_components_provider() -> None:
    assert [token for token, _, provider in adopted().calls if not provider] == []
