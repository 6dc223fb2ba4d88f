"""Route 53."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloud.aws.model import AwsError, AwsType, View, stable_hex
from sandbox.cloud.property_values import UNKNOWN
from sandbox.cloud.sdk_types import Problem

ZONE = "aws:route53/zone:Zone"
RECORD = "aws:route53/record:Record"

GIVEN_ZONES = {"Z0123456789ABCDEFGHIJ": "example.com"}
"""Hosted zones of the account that no stack makes, as a company has its domain before it has a platform: id to name."""

_ROUTING = (
    "cidrRoutingPolicy",
    "failoverRoutingPolicies",
    "geolocationRoutingPolicies",
    "geoproximityRoutingPolicy",
    "latencyRoutingPolicies",
    "weightedRoutingPolicies",
)
_TYPES = {"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB"}
_TYPES |= {"TLSA", "TXT"}
"""Record types (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html)."""


def _zone_outputs(view: View, id: str) -> dict[str, Any]:
    seed = stable_hex(id, 4)
    servers = [
        f"ns-{int(seed, 16) % 500 + n * 512}.awsdns-{n * 16:02d}.{end}"
        for n, end in enumerate(("com", "net", "org", "co.uk"))
    ]
    return {
        "zoneId": id,
        "nameServers": servers,
        "primaryNameServer": servers[0],
        "comment": view.value("comment") or "Managed by Pulumi",
    }


def _empty(view: View) -> None:
    if view.existing is None or view.old("forceDestroy"):
        return
    if any(record.outputs["zoneId"] == view.existing.id for record in view.all(RECORD)):
        raise AwsError(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
        )


def _full_name(view: View) -> str:
    name = str(view.value("name")).rstrip(".").lower()
    zone_id = str(view.value("zoneId"))
    zone = view.one(ZONE, zone_id)
    end = GIVEN_ZONES.get(zone_id, "") if zone is None else str(zone.outputs["name"]).rstrip(".").lower()
    if not name:
        return end
    return name if name == end or name.endswith(f".{end}") or not end else f"{name}.{end}"


def _record_rules(view: View) -> None:
    for other in view.all(RECORD):
        same = all(other.outputs.get(name) == view.value(name) for name in ("zoneId", "type", "setIdentifier"))
        if same and other.outputs["fqdn"] == _full_name(view) and not view.inputs.get("allowOverwrite"):
            raise AwsError(
                "InvalidChangeBatch",
                f"[Tried to create resource record set [name='{_full_name(view)}.', type='{view.value('type')}'] but "
                "it already exists]",
            )


def _record_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    found = []
    if inputs.get("type") not in (*_TYPES, UNKNOWN):
        found.append(Problem("type", f"expected one of {', '.join(sorted(_TYPES))}, got {inputs.get('type')!r}"))
    if inputs.get("aliases") and (inputs.get("records") or inputs.get("ttl")):
        found.append(Problem("aliases", "conflicts with records and ttl"))
    if not inputs.get("aliases") and not inputs.get("records"):
        found.append(Problem("records", "one of aliases, records must be given"))
    if inputs.get("records") and inputs.get("ttl") is None:
        found.append(Problem("ttl", "required together with records"))
    if any(inputs.get(name) for name in _ROUTING) and not inputs.get("setIdentifier"):
        found.append(Problem("setIdentifier", "a record with a routing policy needs an identifier"))
    return found


TYPES: dict[str, AwsType] = {
    ZONE: AwsType(
        service="Route 53",
        noun="HostedZone",
        label="Route53 Hosted Zone",
        cloudformation="AWS::Route53::HostedZone",
        id="Z{capitals20}",
        arn="route53:::hostedzone/{id}",
        renames={"comment": None, "vpcs": "VPCs", "tags": "HostedZoneTags"},
        defaults={"forceDestroy": False},
        computed=_zone_outputs,
        # Zones of one name may stand side by side.
        names=("zoneId",),
        missing=("NoSuchHostedZone", "No hosted zone found with ID: {id}"),
        deletion_rules=(_empty,),
        write_only=frozenset({"forceDestroy"}),
    ),
    RECORD: AwsType(
        service="Route 53",
        noun="ResourceRecordSets",
        label="Route53 Record",
        cloudformation=None,
        id="{zoneId}_{name}_{type}",
        autoname="",
        references={"zoneId": ZONE},
        computed=lambda view, id: {"fqdn": _full_name(view)},
        rules=(_record_rules,),
        value_rules=(_record_problems,),
        replaces=frozenset({"zoneId", "name", "setIdentifier"}),
        operations=dict.fromkeys(("create", "update", "delete"), "ChangeResourceRecordSets"),
        write_only=frozenset({"allowOverwrite"}),
    ),
}
