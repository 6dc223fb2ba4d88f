"""Cases of the rules of AWS's network."""

from __future__ import annotations

import json
from typing import Any

from tests.policies.cases.model import Case, Later, Made, Ref, breaks, keeps

VPC = Made("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"})


def group(*ingress: dict[str, Any]) -> Made:
    return Made("aws:ec2/securityGroup:SecurityGroup", {"vpcId": Ref("vpc"), "description": "x", "ingress": [*ingress]})


def port(lowest: int, highest: int | None = None, protocol: str = "tcp", **sources: Any) -> dict[str, Any]:
    return {"protocol": protocol, "fromPort": lowest, "toPort": lowest if highest is None else highest, **sources}


def ingress_rule(network: Any, lowest: int) -> Made:
    return Made(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {
            "securityGroupId": Ref("group"),
            "ipProtocol": "tcp",
            "fromPort": lowest,
            "toPort": lowest,
            "cidrIpv4": network,
        },
    )


def old_rule(**properties: Any) -> Made:
    return Made(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        {"securityGroupId": Ref("group"), "protocol": "tcp", "type": "ingress", **properties},
    )


def acl(network: str, lowest: int, highest: int, action: str = "allow") -> Made:
    entry = {"protocol": "tcp", "ruleNo": 100, "action": action, "fromPort": lowest, "toPort": highest}
    return Made("aws:ec2/networkAcl:NetworkAcl", {"vpcId": Ref("vpc"), "ingress": [{**entry, "cidrBlock": network}]})


def acl_rule(protocol: str, action: str = "allow", egress: bool = False) -> Made:
    return Made(
        "aws:ec2/networkAclRule:NetworkAclRule",
        {
            "networkAclId": Ref("acl"),
            "ruleNumber": 100,
            "protocol": protocol,
            "ruleAction": action,
            "egress": egress,
            "cidrBlock": "0.0.0.0/0",
        },
    )


def subnet(**properties: Any) -> Made:
    return Made("aws:ec2/subnet:Subnet", {"vpcId": Ref("vpc"), "cidrBlock": "10.0.0.0/24", **properties})


def template(**properties: Any) -> Made:
    return Made("aws:ec2/launchTemplate:LaunchTemplate", properties)


FLOW_LOG = Made(
    "aws:ec2/flowLog:FlowLog",
    {
        "vpcId": Ref("vpc"),
        "trafficType": "ALL",
        "logDestination": "arn:aws:s3:::flow-logs",
        "logDestinationType": "s3",
    },
)
INSTANCE = {"ami": "ami-0123456789abcdef0", "instanceType": "t4g.small"}
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"

OPEN = "aws-world-reaches-web-only"
ACL = "aws-network-acl-admin-ports"
PUBLIC = "aws-no-automatic-public-address"
METADATA = "aws-instance-metadata-v2"
FLOW = "aws-flow-log-per-vpc"
DEFAULT = "aws-default-security-group-closed"

ENDPOINT = "aws-vpc-endpoint-policy"


BARE = Made(
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    {"vpcId": "vpc-0123456789abcdef0", "serviceName": "com.amazonaws.us-east-1.s3"},
)


def endpoint(action: str = "*", condition: dict[str, Any] | None = None, later: bool = False) -> Made:
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*", "Condition": condition or {}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return Made(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {
            "vpcId": "vpc-0123456789abcdef0",
            "serviceName": "com.amazonaws.us-east-1.s3",
            "policy": Later(document) if later else document,
        },
    )


CASES: tuple[Case, ...] = (
    breaks(OPEN, "inline", "group", vpc=VPC, group=group(port(22, cidrBlocks=["0.0.0.0/0"]))),
    breaks(OPEN, "inline in IPv6", "group", vpc=VPC, group=group(port(5432, ipv6CidrBlocks=["::/0"]))),
    breaks(OPEN, "half of the world", "group", vpc=VPC, group=group(port(22, cidrBlocks=["0.0.0.0/1", "128.0.0.0/1"]))),
    breaks(OPEN, "any protocol", "group", vpc=VPC, group=group(port(0, protocol="-1", cidrBlocks=["0.0.0.0/0"]))),
    breaks(OPEN, "UDP", "group", vpc=VPC, group=group(port(443, protocol="udp", cidrBlocks=["0.0.0.0/0"]))),
    breaks(OPEN, "from 80 to 443", "group", vpc=VPC, group=group(port(80, 443, cidrBlocks=["0.0.0.0/0"]))),
    breaks(OPEN, "rule", "rule", vpc=VPC, group=group(), rule=ingress_rule("0.0.0.0/0", 6379)),
    breaks(
        OPEN,
        "rule whose source comes later",
        "rule",
        open=("rule",),
        vpc=VPC,
        group=group(),
        rule=ingress_rule(Later("0.0.0.0/0"), 22),
    ),
    breaks(
        OPEN,
        "older rule",
        "rule",
        vpc=VPC,
        group=group(),
        rule=old_rule(fromPort=3389, toPort=3389, cidrBlocks=["0.0.0.0/0"]),
    ),
    keeps(OPEN, "web", vpc=VPC, group=group(port(443, cidrBlocks=["0.0.0.0/0"]), port(80, ipv6CidrBlocks=["::/0"]))),
    keeps(OPEN, "of the network", vpc=VPC, group=group(), rule=ingress_rule("10.0.0.0/16", 22)),
    keeps(
        OPEN,
        "going out",
        vpc=VPC,
        group=group(),
        rule=old_rule(type="egress", fromPort=0, toPort=65535, cidrBlocks=["0.0.0.0/0"]),
    ),
    breaks(ACL, "inline", "acl", vpc=VPC, acl=acl("0.0.0.0/0", 20, 30)),
    breaks(ACL, "rule", "rule", vpc=VPC, acl=acl("10.0.0.0/8", 0, 65535), rule=acl_rule("-1")),
    keeps(ACL, "of the network", vpc=VPC, acl=acl("10.0.0.0/8", 0, 65535)),
    keeps(ACL, "web", vpc=VPC, acl=acl("0.0.0.0/0", 443, 443)),
    keeps(ACL, "denied", vpc=VPC, acl=acl("0.0.0.0/0", 22, 22, "deny"), rule=acl_rule("-1", "deny")),
    keeps(ACL, "going out", vpc=VPC, acl=acl("10.0.0.0/8", 0, 65535), rule=acl_rule("-1", egress=True)),
    breaks(PUBLIC, "subnet", "subnet", vpc=VPC, subnet=subnet(mapPublicIpOnLaunch=True)),
    breaks(PUBLIC, "template", template=template(networkInterfaces=[{"associatePublicIpAddress": "true"}])),
    keeps(PUBLIC, "subnet", vpc=VPC, subnet=subnet()),
    keeps(PUBLIC, "template", template=template(networkInterfaces=[{"associatePublicIpAddress": "false"}])),
    breaks(METADATA, "template that says nothing", template=template()),
    breaks(
        METADATA,
        "instance that allows both",
        server=Made("aws:ec2/instance:Instance", {**INSTANCE, "metadataOptions": {"httpTokens": "optional"}}),
    ),
    keeps(METADATA, "required", template=template(metadataOptions={"httpTokens": "required"})),
    keeps(
        METADATA,
        "none at all",
        server=Made("aws:ec2/instance:Instance", {**INSTANCE, "metadataOptions": {"httpEndpoint": "disabled"}}),
    ),
    breaks(FLOW, "one of two", "bare", vpc=VPC, bare=VPC, log=FLOW_LOG),
    keeps(FLOW, "logged", vpc=VPC, log=FLOW_LOG),
    breaks(DEFAULT, "left alone", "vpc", vpc=VPC),
    breaks(
        DEFAULT,
        "adopted and open",
        "group",
        vpc=VPC,
        group=Made(DEFAULT_GROUP, {"vpcId": Ref("vpc"), "ingress": [port(0, protocol="-1", self=True)]}),
    ),
    breaks(
        DEFAULT,
        "opened by a rule",
        "rule",
        vpc=VPC,
        group=Made(DEFAULT_GROUP, {"vpcId": Ref("vpc")}),
        rule=ingress_rule("10.0.0.0/16", 22),
    ),
    keeps(DEFAULT, "adopted and closed", vpc=VPC, group=Made(DEFAULT_GROUP, {"vpcId": Ref("vpc")})),
    keeps(ENDPOINT, "for own identities", endpoint=endpoint(condition={"StringEquals": {"aws:PrincipalAccount": "1"}})),
    keeps(ENDPOINT, "for own buckets", endpoint=endpoint(condition={"StringEquals": {"aws:ResourceAccount": "1"}})),
    keeps(ENDPOINT, "one action of anybody", endpoint=endpoint("s3:GetObject")),
    breaks(ENDPOINT, "without", endpoint=BARE),
    breaks(ENDPOINT, "for everybody", endpoint=endpoint()),
    breaks(ENDPOINT, "all of a service for everybody", endpoint=endpoint("s3:*")),
    breaks(ENDPOINT, "later", open=("endpoint",), endpoint=endpoint(later=True)),
)
