"""The simulated AWS provider: one account, every Region, strict by the SDK's types and AWS's own schemas."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from pulumi.provider.experimental import provider as sdk

from sandbox.cloud.aws import control_plane, schemas
from sandbox.cloud.aws.catalog import CATALOG
from sandbox.cloud.aws.catalog.kubernetes import ADDON, CLUSTER
from sandbox.cloud.aws.invokes import INVOKES
from sandbox.cloud.aws.model import (
    ACCOUNT,
    PARTITION,
    AwsError,
    AwsType,
    View,
    fresh_uuid,
    hexadecimal,
    request_id,
    upper,
)
from sandbox.cloud.aws.references import check_references, users_of
from sandbox.cloud.aws.windows import held_back, with_pending
from sandbox.cloud.differences import Comparison
from sandbox.cloud.errors import CloudError
from sandbox.cloud.faults import NEVER_READY
from sandbox.cloud.naming import autoname
from sandbox.cloud.property_values import UNKNOWN, holds_unknown, plain_map, wrap_map
from sandbox.cloud.provider import Draft, SimulatedProvider
from sandbox.cloud.sdk_types import Problem, SdkType, sdk_type
from sandbox.cloud.store import IDENTIFYING, Resource
from sandbox.kubernetes import Cluster, ClusterError
from sandbox.toolchain import ToolchainError

OWNER = "__owner"
"""Input of a resource that AWS made by itself: the id of the one it belongs to."""

_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws|aws-managed|cloudfront)?:.+", re.DOTALL)
_DRAWN = re.compile(r"\{(?:hex|uuid|capitals)")
_ARN_NAMES = re.compile(r"(?:^arn|Arns?)$")
_CIDR_NAMES = re.compile(r"^(?:cidr|cidrBlocks?|destinationCidrBlock|cidrIpv4)$")
_CIDR6_NAMES = re.compile(r"(?:ipv6CidrBlocks?|destinationIpv6CidrBlock|cidrIpv6)$", re.IGNORECASE)
_TAG = re.compile(r"[\w\s.:/=+\-@]*")


class AwsProvider(SimulatedProvider):
    """One configured instance: its Region and default tags are its own, the account is everybody's."""

    package = "aws"

    def configured(self) -> None:
        self.default_region = self.config.get("region") or os.environ.get("AWS_REGION", "")
        if self.default_region is UNKNOWN:
            self.default_region = ""
        self.default_tags: dict[str, str] = dict((self.config.get("defaultTags") or {}).get("tags") or {})
        allowed = self.config.get("allowedAccountIds")
        if isinstance(allowed, list) and UNKNOWN not in allowed and ACCOUNT not in allowed:
            raise CloudError(f"AWS account ID not allowed: {ACCOUNT} (allowed: {', '.join(allowed)})")
        if ACCOUNT in self.config.get("forbiddenAccountIds", ()):
            raise CloudError(f"AWS account ID not allowed: {ACCOUNT} is forbidden")

    async def check_config(self, request: sdk.CheckRequest) -> sdk.CheckResponse:
        response = await super().check_config(request)
        region = plain_map(request.new_inputs).get("region")
        if isinstance(region, str) and region not in schemas.regions():
            failure = sdk.CheckFailure("region", f"invalid AWS Region: {region}")
            response.failures = [*(response.failures or ()), failure]
        return response

    def types(self) -> Iterable[str]:
        return CATALOG

    def account(self, inputs: Mapping[str, Any]) -> str:
        return ACCOUNT

    def region(self, kind: SdkType, inputs: Mapping[str, Any]) -> str:
        if "region" not in kind.inputs:
            return ""
        region = inputs.get("region") or self.default_region
        if not region:
            raise CloudError(f"{kind.token}: Missing Region: the provider is configured with none")
        return str(region)

    # Judged without the cloud's state

    def defaults(
        self, kind: SdkType, name: str, inputs: dict[str, Any], old: Mapping[str, Any], seed: bytes
    ) -> dict[str, Any]:
        type = aws_type(kind.token)
        property = type.autoname
        if (
            property not in kind.inputs
            or property in kind.required
            or property in inputs
            or f"{property}Prefix" in inputs
        ):
            return {}
        if property in old and property in old.get("__defaults", ()):
            return {property: old[property], "__defaults": [property]}
        generated = autoname(f"{type.autoname_start}{name}", seed, type.name_limit)
        return {property: generated.lower() if type.lowercase else generated, "__defaults": [property]}

    def problems(self, kind: SdkType, inputs: Mapping[str, Any]) -> list[Problem]:
        if not self.default_region and not inputs.get("region"):
            region = "us-east-1"
        else:
            region = self.region(kind, inputs) if inputs.get("region") is not UNKNOWN else self.default_region
        if region and region not in schemas.regions():
            return [Problem("region", f"invalid AWS Region: {region}")]
        type = aws_type(kind.token)
        given = {name: value for name, value in inputs.items() if not name.startswith("__")}
        found = list(_written_problems("", given))
        found += _tag_problems({**self.default_tags, **_known_map(given.get("tags"))}, folded=type.service == "IAM")
        for property, policy_kind in type.policies.items():
            if property in given:
                found += schemas.policy_problems(property, given[property], policy_kind)
        schema = self.schema(kind, region or "us-east-1")
        if schema is not None and not found:
            shaped = type.adapt(dict(given)) if type.adapt else given
            found += schema.problems(shaped, type.renames, type.extensions)
        for judge in type.value_rules:
            found += judge({**given, "region": region})
        return _once(found)

    def schema(self, kind: SdkType, region: str) -> schemas.ResourceSchema | None:
        """Return AWS's schema of a type in a Region, if there is one."""
        type = aws_type(kind.token)
        return schemas.resource_schema(type.cloudformation, region or "us-east-1") if type.cloudformation else None

    # Compared

    def comparison(self, kind: SdkType) -> Comparison:
        return _comparison(kind.token, self.default_region or "us-east-1")

    def implied(self, kind: SdkType, inputs: Mapping[str, Any]) -> dict[str, Any]:
        implied: dict[str, Any] = {}
        if "tagsAll" in kind.outputs:
            tags = inputs.get("tags") or {}
            implied["tagsAll"] = UNKNOWN if tags is UNKNOWN else {**self.default_tags, **tags}
        if "region" in kind.inputs:
            implied["region"] = inputs.get("region") or self.default_region or UNKNOWN
        return implied

    def added(self, kind: SdkType) -> Mapping[str, Sequence[str]]:
        return aws_type(kind.token).added

    # Made, changed and removed

    async def create(self, request: sdk.CreateRequest) -> sdk.CreateResponse:
        response = await super().create(request)
        name, token = response.resource_id, self.kind(request.type).token
        if not name or request.preview or token not in (CLUSTER, ADDON):
            return response
        try:
            if token == ADDON:
                # Active: what it brings is there.
                plane, addon = self._addon(name)
                await asyncio.to_thread(control_plane.bring_kinds, plane, addon)
                return response
            told = await asyncio.to_thread(control_plane.started, self.store.directory, name)
        except (ClusterError, ToolchainError) as error:
            raise CloudError(str(error)) from None
        stored = self.store.get(name, CLUSTER)
        self.store.put(replace(stored, outputs={**stored.outputs, **told}))
        return sdk.CreateResponse(name, {**response.properties, **wrap_map(told)})

    async def delete(self, request: sdk.DeleteRequest) -> None:
        if self.kind(request.type).token == ADDON:
            plane, addon = self._addon(request.resource_id)
            if plane.running:
                try:
                    await asyncio.to_thread(control_plane.remove_addon, plane, addon)
                except ClusterError as error:
                    raise CloudError(f"deleting EKS Add-On ({request.resource_id}): {error}") from None
        await super().delete(request)
        if self.kind(request.type).token == CLUSTER:
            plane = control_plane.control_plane(self.store.directory, request.resource_id)
            await asyncio.to_thread(plane.remove)

    def _addon(self, resource_id: str) -> tuple[Cluster, str]:
        """Return the cluster of an add-on, and the add-on's name."""
        cluster, _, addon = resource_id.partition(":")
        return control_plane.control_plane(self.store.directory, cluster), addon

    def make(self, draft: Draft) -> Resource:
        type = aws_type(draft.kind.token)
        view = View(self.store, draft.region, draft.name, draft.kind, draft.inputs, None)
        try:
            check_references(view, type)
            self._check_names(view, type)
            for rule in type.rules:
                rule(view)
            adopted = type.adopts(view) if type.adopts else None
            if adopted is not None:
                view = replace(view, existing=adopted)
                draft = replace(draft, inputs={**draft.inputs, **_owner(adopted)})
            made = self._settled(view, type, draft, adopted.id if adopted else "")
            if type.companions is not None and adopted is None:
                for companion in type.companions(view, made):
                    self.store.put(replace(companion, inputs={**companion.inputs, OWNER: made.id}))
        except AwsError as error:
            raise CloudError(self._told(type, "create", "", error)) from None
        return made

    def alter(self, resource: Resource, draft: Draft) -> Resource:
        type = aws_type(draft.kind.token)
        view = View(self.store, draft.region, draft.name, draft.kind, draft.inputs, resource)
        draft = replace(draft, inputs={**draft.inputs, **_owner(resource)})
        try:
            check_references(view, type)
            self._check_names(view, type)
            for rule in type.rules:
                rule(view)
            pending = held_back(resource, draft.inputs, type.waits)
            settled = self._settled(view, type, draft, resource.id)
            return self.store.put(with_pending(settled, resource, pending)) if pending else settled
        except AwsError as error:
            raise CloudError(self._told(type, "update", resource.id, error)) from None

    def destroy(self, resource: Resource) -> None:
        type = aws_type(resource.type)
        kind = self.kind(resource.type)
        if type.adopts is not None:
            self.store.put(replace(resource, name=""))
            return
        view = View(self.store, resource.region, resource.name, kind, resource.inputs, resource)
        try:
            for rule in type.deletion_rules:
                rule(view)
            if type.in_use is not None:
                users = users_of(view, type, resource)
                if users:
                    code, message = type.in_use
                    raise AwsError(code, message.format(id=resource.id, users=", ".join(users)))
        except AwsError as error:
            raise CloudError(self._told(type, "delete", resource.id, error)) from None
        for going in self.store.mentioning(resource.id, str(resource.outputs.get("arn"))):
            named_by = type.cascades.get(going.type)
            names_it = named_by and going.inputs.get(named_by) in (resource.id, resource.outputs.get("arn"))
            if going.inputs.get(OWNER) == resource.id or names_it:
                self.store.remove(going)
        self.store.remove(resource)

    def seen(self, resource: Resource) -> bool:
        type = aws_type(resource.type)
        try:
            return type.seen is None or type.seen(self.store, resource, self.caller)
        except AwsError as error:
            raise CloudError(self._told(type, "read", resource.id, error)) from None

    def look_up(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        if token not in INVOKES:
            return super().look_up(token, args)
        region = args.get("region") or self.default_region
        return INVOKES[token](self.store, region, dict(args))

    def refusal(self, draft: Draft | Resource, operation: str, kind: str) -> str:
        token = draft.type if isinstance(draft, Resource) else draft.kind.token
        resource_id = draft.id if isinstance(draft, Resource) else ""
        type = aws_type(token)
        if kind == NEVER_READY:
            return (
                f"waiting for {type.title} ({resource_id}) create: timeout while waiting for state to become "
                "'available' (last state: 'creating', timeout: 40m0s)"
            )
        errors = {
            "throttling": AwsError(
                "RequestLimitExceeded" if type.service == "EC2" else "Throttling", "Rate exceeded", 400
            ),
            "internal": AwsError("InternalFailure", "An internal error has occurred", 500),
        }
        return self._told(type, operation, resource_id, errors.get(kind, AwsError("ServiceException", kind)))

    def _settled(self, view: View, type: AwsType, draft: Draft, resource_id: str) -> Resource:
        given = {name: value for name, value in draft.inputs.items() if not name.startswith("__")}
        before = view.existing
        kept = {}
        if before is not None:
            dropped = set(before.inputs) - set(given)
            kept = {name: value for name, value in before.outputs.items() if name not in dropped}
        words = {
            "region": draft.region,
            "account": ACCOUNT,
            "partition": PARTITION,
            "hex": hexadecimal(),
            "hex16": hexadecimal(16),
            "uuid": fresh_uuid(),
            "capitals": upper(26),
            "capitals20": upper(20),
            "hex6": hexadecimal(6),
        }
        prefixed = f"{type.autoname}Prefix"
        if type.autoname not in given and prefixed in given:
            given[type.autoname] = kept.get(type.autoname) or f"{given[prefixed]}{hexadecimal(26)}"
        if type.words is not None:
            words |= type.words(view)
        named = {**type.defaults, **kept, **given, **words}
        resource_id = resource_id or type.id.format_map(named)
        outputs = {**type.defaults, **kept, **given, **self.implied(draft.kind, draft.inputs)}
        if type.computed is not None:
            outputs |= type.computed(view, resource_id)
        # A name may change, and the ARN with it; what was drawn once stays.
        if type.arn and not (outputs.get("arn") and _DRAWN.search(type.arn)):
            outputs["arn"] = f"arn:{PARTITION}:" + type.arn.format_map({**named, **outputs, "id": resource_id})
        if "ownerId" in draft.kind.outputs:
            outputs["ownerId"] = ACCOUNT
        number = before.number if before else 0
        if not number and not type.revisions:
            # What has no name of its own, such as a bucket's policy, is simply written anew.
            number = next((r.number for r in self.store.find(resource_id, draft.kind.token) if view.is_peer(r)), 0)
        return self.stored(draft, resource_id, outputs, number)

    def existing(self, kind: SdkType, resource_id: str, known: Mapping[str, Any]) -> Resource | None:
        if aws_type(kind.token).revisions and known.get("arn"):
            found = self.store.identified(known["arn"])
            return next((resource for resource in found if resource.type == kind.token), None)
        return super().existing(kind, resource_id, known)

    def _check_names(self, view: View, type: AwsType) -> None:
        names = type.names or ((type.autoname,) if type.autoname in view.kind.inputs else ())
        wanted = [view.value(name) for name in names]
        if not names or wanted[0] is None:
            return
        if type.names_everywhere:
            others = [r for r in self.store.list("aws", view.kind.token) if not view.is_self(r)]
        elif names[0] in IDENTIFYING:
            others = [r for r in self.store.identified(wanted[0]) if view.is_peer(r)]
        else:
            others = view.all(view.kind.token)
        for other in others:
            if [other.outputs.get(name) for name in names] == wanted:
                raise AwsError(type.taken, type.taken_text.format(name=wanted[0], noun=type.noun), 409)

    def _told(self, type: AwsType, verb: str, resource_id: str, error: AwsError) -> str:
        operation = type.operations.get(verb) or f"{_OPERATION[verb]}{type.noun}"
        subject = f"{type.title} ({resource_id})" if resource_id else type.title
        return (
            f"{_GERUND[verb]} {subject}: operation error {type.service}: {operation}, https response error "
            f"StatusCode: {error.status}, RequestID: {request_id()}, api error {error.code}: {error.message}"
        )


_OPERATION = {"create": "Create", "read": "Describe", "update": "Modify", "delete": "Delete"}
_GERUND = {"create": "creating", "read": "reading", "update": "updating", "delete": "deleting"}


@cache
def aws_type(token: str) -> AwsType:
    """Return what is known of a type; for one without an entry, what its name tells."""
    if token in CATALOG:
        return CATALOG[token]
    module, class_name = token.split(":")[1].split("/")[0], token.split(":")[2]
    folded = f"aws::{module}::{class_name}".lower()
    known = {name.lower(): name for name in schemas.resource_types("us-east-1")}
    tail = f"{module}:{{region}}:{{account}}:{class_name.lower()}/{{id}}"
    return AwsType(service=module.upper(), noun=class_name, cloudformation=known.get(folded), arn=tail)


@cache
def _comparison(token: str, region: str) -> Comparison:
    kind = sdk_type(token)
    type = aws_type(token)
    schema = schemas.resource_schema(type.cloudformation, region) if type.cloudformation else None
    if kind is None:
        raise CloudError(f"unrecognized resource type {token!r}")
    replacing = set(kind.replacing) | set(type.replaces)
    unordered = set()
    for name in kind.inputs:
        target = schema.property_name(name, type.renames) if schema else None
        if schema is None or target is None:
            continue
        if target in schema.create_only:
            replacing.add(name)
        fragment = schema.properties.get(target, {})
        if fragment.get("insertionOrder") is False or fragment.get("uniqueItems"):
            unordered.add(name)
    named = {type.autoname, f"{type.autoname}Prefix"} & set(kind.inputs)
    return Comparison(
        replacing=frozenset((replacing | named | {"region"}) - set(type.in_place)),
        unordered=frozenset(unordered),
        documents=frozenset(type.policies) | type.documents,
        defaults={name: value for name, value in type.defaults.items() if name in kind.inputs},
        write_only=type.write_only,
        delete_first=type.delete_first,
        name=type.autoname,
    )


def _owner(resource: Resource) -> dict[str, Any]:
    return {OWNER: resource.inputs[OWNER]} if OWNER in resource.inputs else {}


def _known_map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _once(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


def _tag_problems(tags: Mapping[str, Any], *, folded: bool) -> Iterator[Problem]:
    """Judge tags (https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html).

    Args:
        tags: key to value.
        folded: whether the service compares keys without case, as IAM does
            (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html).
    """
    if folded and len({key.lower() for key in tags}) < len(tags):
        text = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        yield Problem("tags", f"InvalidInput: {text}")
    if len(tags) > 50:
        yield Problem("tags", f"a resource has at most 50 tags, these are {len(tags)}")
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            yield Problem(f"tags.{key}", "the prefix aws: is reserved for AWS")
        if not 1 <= len(key) <= 128 or not _TAG.fullmatch(key):
            yield Problem(f"tags.{key}", "a tag's key has 1 to 128 letters, digits, spaces or _.:/=+-@")
        if isinstance(value, str) and (len(value) > 256 or not _TAG.fullmatch(value)):
            yield Problem(f"tags.{key}", "a tag's value has up to 256 letters, digits, spaces or _.:/=+-@")


def _written_problems(path: str, value: Any, name: str = "") -> Iterator[Problem]:
    """Judge what an input's name promises: an ARN, an IPv4 or an IPv6 block."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key not in ("tags", "tagsAll"):
                yield from _written_problems(f"{path}.{key}" if path else key, item, key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _written_problems(f"{path}[{index}]", item, name)
    elif not isinstance(value, str) or holds_unknown(value) or not value:
        return
    elif _ARN_NAMES.search(name) and value != "*" and not _ARN.fullmatch(value):
        yield Problem(path, f"{value!r} is an invalid ARN: an ARN is arn:partition:service:region:account:resource")
    elif _CIDR6_NAMES.search(name):
        yield from _block_problem(path, value, ipaddress.IPv6Network, "IPv6")
    elif _CIDR_NAMES.search(name):
        yield from _block_problem(path, value, ipaddress.IPv4Network, "IPv4")


def _block_problem(path: str, value: str, network: Any, family: str) -> Iterator[Problem]:
    try:
        network(value)
    except ValueError as error:
        yield Problem(path, f"{value!r} is not a valid {family} CIDR block: {error}")
