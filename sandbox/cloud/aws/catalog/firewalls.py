"""Security groups and network ACLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloud.aws.catalog.network import (
    DEFAULT_NETWORK_ACL,
    DEFAULT_SECURITY_GROUP,
    SUBNET,
    adopted_by,
)
from sandbox.cloud.aws.model import AwsError, AwsType, View
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem

SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS_RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
NETWORK_ACL = "aws:ec2/networkAcl:NetworkAcl"
ACL_RULE = "aws:ec2/networkAclRule:NetworkAclRule"
ACL_ASSOCIATION = "aws:ec2/networkAclAssociation:NetworkAclAssociation"

_PEERS = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")

PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "all": -1}
"""Protocol numbers (https://www.iana.org/assignments/protocol-numbers); -1 stands for all."""


# Security groups


def _group_shape(inputs: dict[str, Any]) -> dict[str, Any]:
    """Spread each inline rule over its sources, as AWS's schema has one source per rule."""
    for direction in ("ingress", "egress"):
        rules = inputs.pop(direction, None)
        if not isinstance(rules, list):
            continue
        spread = []
        for rule in rules:
            if isinstance(rule, dict):
                base = {
                    "ipProtocol": rule.get("protocol"),
                    "fromPort": rule.get("fromPort"),
                    "toPort": rule.get("toPort"),
                }
                blocks = rule.get("cidrBlocks")
                spread += [{**base, "cidrIp": block} for block in (blocks if isinstance(blocks, list) else [])]
        inputs[f"securityGroup{direction.capitalize()}"] = spread
    return inputs


def _inline_rules(inputs: Mapping[str, Any]) -> list[Problem]:
    found = []
    for direction in ("ingress", "egress"):
        rules = inputs.get(direction)
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(rule, dict):
                found += _port_problems(rule, rule.get("protocol"), f"{direction}[{index}].")
    return found


def _port_problems(rule: Mapping[str, Any], protocol: Any, path: str = "") -> list[Problem]:
    low, high = rule.get("fromPort"), rule.get("toPort")
    if UNKNOWN in (protocol, low, high) or protocol is None:
        return []
    name = str(protocol).lower()
    if name not in PROTOCOLS and not (name.lstrip("-").isdigit() and -1 <= int(name) <= 255):
        return [
            Problem(f"{path}protocol" if path else "ipProtocol", f"{protocol!r} is not a protocol's name or number")
        ]
    if name in ("-1", "all") or PROTOCOLS.get(name, name) not in (6, 17, "6", "17"):
        return []
    if low is None or high is None:
        return [Problem(f"{path}fromPort", f"protocol {name} needs fromPort and toPort")]
    low, high = int(low), int(high)
    if not 0 <= low <= high <= 65535:
        return [Problem(f"{path}toPort", f"InvalidParameterValue: Invalid TCP/UDP port range ({low}:{high})")]
    return []


def _group_names(inputs: Mapping[str, Any]) -> list[Problem]:
    """Judge a name (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html)."""
    name = inputs.get("name")
    found = []
    if isinstance(name, str) and name.startswith("sg-"):
        found.append(Problem("name", "InvalidParameterValue: a group's name cannot start with sg-"))
    if isinstance(name, str) and len(name) > 255:
        found.append(Problem("name", "InvalidParameterValue: a group's name has at most 255 characters"))
    description = inputs.get("description")
    allowed = set("._-:/()#,@[]+=&;{}!$* ")
    if isinstance(description, str) and any(
        not (c.isascii() and c.isalnum()) and c not in allowed for c in description
    ):
        found.append(Problem("description", "InvalidParameterValue: letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"))
    return found


def _rule_value_rules(inputs: Mapping[str, Any]) -> list[Problem]:
    found = _port_problems(inputs, inputs.get("ipProtocol"))
    given = [name for name in _PEERS if inputs.get(name) is not None]
    if len(given) != 1:
        told = f"not {' and '.join(given)}" if given else "none is given"
        found.append(Problem(_PEERS[0], f"exactly one of {', '.join(_PEERS)} must be given, {told}"))
    if str(inputs.get("ipProtocol")) == "-1" and (inputs.get("fromPort"), inputs.get("toPort")) not in (
        (None, None),
        (-1, -1),
    ):
        found.append(Problem("fromPort", "protocol -1 means every port: fromPort and toPort must not be given"))
    return found


def _rule_once(view: View) -> None:
    same = ("securityGroupId", "ipProtocol", "fromPort", "toPort", *_PEERS)
    for other in view.all(view.kind.token):
        if all(other.outputs.get(name) == view.value(name) for name in same):
            peer = next(view.value(name) for name in _PEERS if view.value(name))
            ports = f"from port: {view.value('fromPort')}, to port: {view.value('toPort')}, ALLOW"
            raise AwsError(
                "InvalidPermission.Duplicate",
                f'the specified rule "peer: {peer}, {view.value("ipProtocol")}, {ports}" already exists',
            )


def _rule_references(group: Any, user: Any) -> bool:
    """A group's own rules go with it."""
    return not (user.type in (INGRESS_RULE, EGRESS_RULE) and user.outputs.get("securityGroupId") == group.id)


# Network ACLs


def _acl_rule_shape(inputs: dict[str, Any]) -> dict[str, Any]:
    protocol = inputs.get("protocol")
    if isinstance(protocol, str):
        inputs["protocol"] = PROTOCOLS.get(protocol.lower(), protocol)
    return inputs


def _acl_rule_value_rules(inputs: Mapping[str, Any]) -> list[Problem]:
    found = []
    number = inputs.get("ruleNumber")
    if number is not UNKNOWN and not 1 <= int(number or 0) <= 32766:
        found.append(Problem("ruleNumber", f"expected a number from 1 to 32766, got {number}"))
    return found + _port_problems(inputs, inputs.get("protocol"))


def _acl_rule_once(view: View) -> None:
    for other in view.all(ACL_RULE):
        same = ("networkAclId", "ruleNumber")
        if all(other.outputs[n] == view.inputs[n] for n in same) and bool(other.outputs.get("egress")) == bool(
            view.inputs.get("egress")
        ):
            raise AwsError(
                "NetworkAclEntryAlreadyExists",
                f"The network acl entry identified by {view.inputs['ruleNumber']} already exists.",
            )


def _same_network(view: View) -> None:
    acl, subnet = view.one(NETWORK_ACL, view.inputs["networkAclId"]), view.one(SUBNET, view.inputs["subnetId"])
    if acl and subnet and acl.outputs["vpcId"] != subnet.outputs["vpcId"]:
        raise AwsError(
            "InvalidParameterValue", f"NetworkAcl {acl.id} and subnet {subnet.id} belong to different networks"
        )
    for other in view.all(ACL_ASSOCIATION):
        if other.outputs["subnetId"] == view.inputs["subnetId"]:
            raise AwsError(
                "Resource.AlreadyAssociated", f"the subnet {view.inputs['subnetId']} has a network acl already"
            )


_ABSENT_GROUP = ("InvalidGroup.NotFound", "The security group '{id}' does not exist")

_RULE_LABELS = {
    INGRESS_RULE: ("Ingress", "AWS::EC2::SecurityGroupIngress", "Source"),
    EGRESS_RULE: ("Egress", "AWS::EC2::SecurityGroupEgress", "Destination"),
}

TYPES: dict[str, AwsType] = {
    SECURITY_GROUP: AwsType(
        service="EC2",
        noun="SecurityGroup",
        label="EC2 Security Group",
        cloudformation="AWS::EC2::SecurityGroup",
        id="sg-{hex}",
        arn="ec2:{region}:{account}:security-group/{id}",
        renames={"name": "GroupName", "description": "GroupDescription"},
        adapt=_group_shape,
        defaults={"description": "Managed by Pulumi", "revokeRulesOnDelete": False},
        computed=lambda view, id: {
            "ingress": view.value("ingress") or [],
            "egress": view.value("egress") or [],
        },
        names=("name", "vpcId"),
        taken="InvalidGroup.Duplicate",
        taken_text="The security group '{name}' already exists for this VPC",
        missing=_ABSENT_GROUP,
        value_rules=(_inline_rules, _group_names),
        in_use=("DependencyViolation", "resource {id} has a dependent object"),
        users=_rule_references,
        cascades={INGRESS_RULE: "securityGroupId", EGRESS_RULE: "securityGroupId"},
    ),
    DEFAULT_SECURITY_GROUP: AwsType(
        service="EC2",
        noun="SecurityGroup",
        label="EC2 Default Security Group",
        cloudformation=None,
        arn="ec2:{region}:{account}:security-group/{id}",
        adopts=adopted_by("vpcId"),
        autoname="",
        replaces=frozenset({"vpcId"}),
        computed=lambda view, id: {
            "ingress": view.inputs.get("ingress") or [],
            "egress": view.inputs.get("egress") or [],
        },
        value_rules=(_inline_rules,),
    ),
    **{
        token: AwsType(
            service="EC2",
            noun=f"SecurityGroup{direction}",
            label=f"VPC Security Group {direction} Rule",
            cloudformation=schema,
            id="sgr-{hex}",
            arn="ec2:{region}:{account}:security-group-rule/{id}",
            renames={
                "securityGroupId": "GroupId",
                "cidrIpv4": "CidrIp",
                "prefixListId": f"{end}PrefixListId",
                "referencedSecurityGroupId": f"{end}SecurityGroupId",
            },
            computed=lambda view, id: {"securityGroupRuleId": id},
            rules=(_rule_once,),
            value_rules=(_rule_value_rules,),
            # ModifySecurityGroupRules changes all of a rule but its group.
            in_place=frozenset({"ipProtocol", "fromPort", "toPort", *_PEERS}),
            missing=("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '{id}' does not exist"),
            operations={
                "create": f"AuthorizeSecurityGroup{direction}",
                "update": "ModifySecurityGroupRules",
                "delete": f"RevokeSecurityGroup{direction}",
            },
        )
        for token, (direction, schema, end) in _RULE_LABELS.items()
    },
    NETWORK_ACL: AwsType(
        service="EC2",
        noun="NetworkAcl",
        label="EC2 Network ACL",
        cloudformation="AWS::EC2::NetworkAcl",
        id="acl-{hex}",
        arn="ec2:{region}:{account}:network-acl/{id}",
        computed=lambda view, id: {name: view.value(name) or [] for name in ("ingress", "egress", "subnetIds")},
        missing=("InvalidNetworkAclID.NotFound", "The networkAcl ID '{id}' does not exist"),
        in_use=("DependencyViolation", "The networkAcl '{id}' has dependencies and cannot be deleted."),
        users=lambda acl, user: user.type == ACL_ASSOCIATION,
        cascades={ACL_RULE: "networkAclId"},
    ),
    DEFAULT_NETWORK_ACL: AwsType(
        service="EC2",
        noun="NetworkAcl",
        label="EC2 Default Network ACL",
        cloudformation=None,
        arn="ec2:{region}:{account}:network-acl/{id}",
        adopts=adopted_by("defaultNetworkAclId"),
        replaces=frozenset({"defaultNetworkAclId"}),
        computed=lambda view, id: {name: view.inputs.get(name) or [] for name in ("ingress", "egress", "subnetIds")},
    ),
    ACL_RULE: AwsType(
        service="EC2",
        noun="NetworkAclEntry",
        label="EC2 Network ACL Rule",
        cloudformation="AWS::EC2::NetworkAclEntry",
        id="nacl-{hex}",
        renames={
            "fromPort": "PortRange/From",
            "toPort": "PortRange/To",
            "icmpType": "Icmp/Type",
            "icmpCode": "Icmp/Code",
        },
        adapt=_acl_rule_shape,
        defaults={"egress": False},
        rules=(_acl_rule_once,),
        value_rules=(_acl_rule_value_rules,),
        replaces=frozenset(
            {"protocol", "ruleAction", "cidrBlock", "ipv6CidrBlock", "fromPort", "toPort", "icmpType", "icmpCode"}
        ),
        delete_first=True,
    ),
    ACL_ASSOCIATION: AwsType(
        service="EC2",
        noun="NetworkAclAssociation",
        label="EC2 Network ACL Association",
        cloudformation="AWS::EC2::SubnetNetworkAclAssociation",
        id="aclassoc-{hex}",
        rules=(_same_network,),
        operations={"create": "ReplaceNetworkAclAssociation", "delete": "ReplaceNetworkAclAssociation"},
        delete_first=True,
    ),
}
