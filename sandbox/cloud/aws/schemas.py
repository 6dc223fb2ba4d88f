"""AWS's own resource schemas, as cfn-lint ships them, applied to inputs in Pulumi's shape.

The files are read as data; cfn-lint itself, slow to import, is not. Sources: CloudFormation's resource schemas
(https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schemas.html) and cfn-lint's extensions
to them (engine versions and instance classes by Region, policy grammar).
"""

from __future__ import annotations

import ast
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import regex  # type: ignore[import-untyped]
from jsonschema import Draft201909Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT201909

from sandbox.cloud.aws.grants import void_grants
from sandbox.cloud.property_values import UNKNOWN, holds_unknown
from sandbox.cloud.sdk_types import Problem

Path_ = tuple[str | int, ...]


@cache
def _schemas() -> Path:
    spec = find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("cfn-lint is not installed; its AWS schemas are what the simulated AWS goes by")
    return Path(spec.origin).parent / "data" / "schemas"


@cache
def _read(path: str) -> Any:
    return json.loads((_schemas() / path).read_bytes())


@cache
def regions() -> tuple[str, ...]:
    """List the Regions that the schemas know."""
    return tuple(sorted(p.stem for p in (_schemas() / "providers").glob("*-*.json")))


@cache
def resource_types(region: str) -> frozenset[str]:
    """List the CloudFormation types of a Region."""
    return frozenset(_read(f"providers/{region}.json"))


@cache
def availability_zones(region: str) -> tuple[str, ...]:
    """List the availability zones of a Region by name."""
    source = (_schemas().parents[1] / "helpers.py").read_text()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "AVAILABILITY_ZONES":
            zones: dict[str, list[str]] = ast.literal_eval(node.value)
            return tuple(sorted(zones.get(region, ())))
    raise LookupError("cfn-lint's list of availability zones has moved")


@cache
def resource_schema(type: str, region: str) -> ResourceSchema | None:
    """Return AWS's schema of a CloudFormation type in a Region; None if the Region has no such type."""
    digest = _read(f"providers/{region}.json").get(type)
    return _schema_of(type, digest, region) if digest else None


@cache
def _schema_of(type: str, digest: str, region: str) -> ResourceSchema:
    return ResourceSchema(type, region, _read(f"resources/{digest}.json"))


@cache
def extension(name: str, region: str | None = None) -> Any:
    """Return a validator of one of cfn-lint's extensions, such as ``aws_rds_dbinstance/engine_version``.

    `region` picks the part of an extension that is written by Region; others ignore it.
    """
    content = extension_content(name)
    by_region = region is not None and "us-east-1" in content
    return Validator(content.get(region, {}) if by_region else content, format_checker=FORMATS)


def extension_content(name: str) -> Any:
    """Return one of cfn-lint's extensions as it is written."""
    return _read(f"extensions/{name}.json")


class ResourceSchema:
    """The schema of one type in one Region."""

    def __init__(self, type: str, region: str, content: Mapping[str, Any]) -> None:
        self.type = type
        self.region = region
        self.content = content
        self.properties: Mapping[str, Any] = content["properties"]

    @cached_property
    def create_only(self) -> frozenset[str]:
        """Paths (``A/B``) of properties that cannot change once a resource exists."""
        return frozenset(p.removeprefix("/properties/") for p in self.content.get("createOnlyProperties", ()))

    @cached_property
    def _validator(self) -> Any:
        kept = {k: v for k, v in self.content.items() if k not in ("required", "additionalProperties")}
        return TranslatedValidator(kept, format_checker=FORMATS)

    def property_name(self, name: str, renames: Mapping[str, str | None]) -> str | None:
        """Return the schema's name of an input; None if it has none."""
        if name in renames:
            return renames[name]
        return _match(name, self.properties)

    def problems(
        self,
        inputs: Mapping[str, Any],
        renames: Mapping[str, str | None],
        extensions: Iterable[tuple[str, str]] = (),
    ) -> list[Problem]:
        """Judge plain inputs by the schema and by extensions (file, property or none); `UNKNOWN` values pass."""
        converted, origin = self.convert(inputs, renames)
        found: list[Problem] = []
        for error in self._validator.iter_errors(converted):
            if error.validator not in _OVER_SEVERAL or len(error.absolute_path) <= 1:
                found.extend(_told(error, origin))
        for name, property in extensions:
            part = converted.get(property) if property else converted
            for error in extension(name, self.region).iter_errors(part) if part is not None else ():
                error.path.extendleft([property] if property else [])
                found.extend(_told(error, origin))
        return found

    def convert(
        self, inputs: Mapping[str, Any], renames: Mapping[str, str | None]
    ) -> tuple[dict[str, Any], dict[Path_, str]]:
        """Bring inputs into the schema's shape; return it with the input's path for each path in it."""
        origin: dict[Path_, str] = {(): ""}
        converted: dict[str, Any] = {}
        for name, value in inputs.items():
            target = self.property_name(name, renames)
            if target is None or name.startswith("__") or value is None:
                continue
            path = tuple(target.split("/"))
            fragment: Any = self.content
            for part in path:
                fragment = self._resolved(fragment).get("properties", {}).get(part, {})
            origin[path] = name
            holder = converted
            for part in path[:-1]:
                holder = holder.setdefault(part, {})
            holder[path[-1]] = self._converted(value, fragment, path, name, origin)
        return converted, origin

    def _resolved(self, fragment: Any) -> Any:
        while isinstance(fragment, dict) and "$ref" in fragment:
            target: Any = self.content
            for part in fragment["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            fragment = target
        return fragment

    def _converted(self, value: Any, fragment: Any, path: Path_, name: str, origin: dict[Path_, str]) -> Any:
        fragment = self._resolved(fragment)
        if value is UNKNOWN or not isinstance(fragment, dict):
            return value
        kinds = _kinds(fragment)
        if isinstance(value, dict) and "array" in kinds and set(_item_names(self, fragment)) >= {"Key", "Value"}:
            tags = [{"Key": key, "Value": item} for key, item in value.items()]
            origin.update({(*path, i): f"{name}.{key}" for i, key in enumerate(value)})
            return tags
        if isinstance(value, dict) and "array" in kinds:
            origin[*path, 0] = name
            return [self._converted(value, fragment.get("items", {}), (*path, 0), name, origin)]
        if isinstance(value, list) and len(value) == 1 and "object" in kinds and "array" not in kinds:
            return self._converted(value[0], fragment, path, f"{name}[0]", origin)
        if isinstance(value, list):
            for index in range(len(value)):
                origin[*path, index] = f"{name}[{index}]"
            items = fragment.get("items", {})
            return [self._converted(item, items, (*path, i), f"{name}[{i}]", origin) for i, item in enumerate(value)]
        if isinstance(value, dict):
            known = fragment.get("properties") or {}
            if not known:
                return value
            converted = {}
            for key, item in value.items():
                target = _match(key, known)
                if target is None or item is None:
                    continue
                origin[*path, target] = f"{name}.{key}"
                converted[target] = self._converted(item, known[target], (*path, target), f"{name}.{key}", origin)
            return converted
        return _scalar(value, kinds)


def _item_names(schema: ResourceSchema, fragment: Mapping[str, Any]) -> Mapping[str, Any]:
    names: Mapping[str, Any] = schema._resolved(fragment.get("items", {})).get("properties", {})
    return names


def _kinds(fragment: Mapping[str, Any]) -> set[str]:
    kinds = fragment.get("type", ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _scalar(value: Any, kinds: set[str]) -> Any:
    """Write a scalar as the schema's type has it, if it can be."""
    if isinstance(value, str) and "string" not in kinds:
        if "boolean" in kinds and value in ("true", "false"):
            return value == "true"
        if kinds & {"integer", "number"}:
            try:
                return int(value)
            except ValueError:
                return value
        if "object" in kinds:
            try:
                return json.loads(value)
            except ValueError:
                return value
    if kinds == {"string"} and not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


@cache
def _folded(name: str) -> str:
    return "".join(c for c in name if c.isalnum()).lower()


def _match(name: str, known: Mapping[str, Any]) -> str | None:
    """Find a property whose name differs by capitals, or by singular and plural."""
    by_name = _folded_names(tuple(known))
    folded = _folded(name)
    for candidate in (folded, f"{folded}s", folded.removesuffix("s"), folded.removesuffix("ies") + "y"):
        if candidate in by_name:
            return by_name[candidate]
    return None


@cache
def _folded_names(names: tuple[str, ...]) -> Mapping[str, str]:
    return {_folded(name): name for name in names}


# What the schemas say beyond JSON Schema, and how unknown values pass


def _passing_unknown(keyword: str, check: Any) -> Any:
    whole = keyword in ("oneOf", "not", "if", "uniqueItems", "const", "enum", "dependentExcluded", "uniqueKeys")

    def checked(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if instance is UNKNOWN or (whole and holds_unknown(instance)):
            return
        yield from check(validator, value, instance, schema) or ()

    return checked


def _dependent_required(_: Any, needs: Mapping[str, list[str]], instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name, others in needs.items():
            for missing in [other for other in others if name in instance and other not in instance]:
                yield ValidationError(f"{missing} is required together with {name}", path=[name])


def _dependent_excluded(_: Any, bans: Mapping[str, list[str]], instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name, others in bans.items():
            for other in others:
                if name in instance and other in instance and name < other:
                    yield ValidationError(f"{name} conflicts with {other}: give one of them", path=[name])


def _required_xor(_: Any, names: list[str], instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        given = [name for name in names if name in instance]
        if len([name for name in given if instance[name] is not UNKNOWN]) > 1:
            yield ValidationError(f"only one of {', '.join(names)} may be given, not {' and '.join(given)}")
        elif not given:
            yield ValidationError(f"one of {', '.join(names)} must be given")


def _required_or(_: Any, names: list[str], instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and not any(name in instance for name in names):
        yield ValidationError(f"at least one of {', '.join(names)} must be given")


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _compiled(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match the pattern {pattern}")


@cache
def _compiled(pattern: str) -> Any:
    try:
        return regex.compile(pattern)
    except regex.error:
        return regex.compile("")


def _enum_any_case(_: Any, allowed: list[Any], instance: Any, __: Any) -> Iterator[ValidationError]:
    if str(instance).lower() not in [str(value).lower() for value in allowed]:
        yield ValidationError(f"{instance!r} is not one of {_listed(allowed)}")


def _enum(_: Any, allowed: list[Any], instance: Any, __: Any) -> Iterator[ValidationError]:
    if instance not in allowed and str(instance) not in map(str, allowed):
        yield ValidationError(f"{instance!r} is not one of {_listed(allowed)}")


def _unique_keys(_: Any, keys: list[str], instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, list):
        seen: set[tuple[str, ...]] = set()
        for item in instance:
            key = tuple(json.dumps(item.get(k)) for k in keys) if isinstance(item, dict) else ()
            if key and "null" not in key and key in seen:
                yield ValidationError(f"{', '.join(keys)} {', '.join(key)} occurs twice")
            seen.add(key)


def _written(keyword: str) -> Any:
    """Judge a number that is written as text by what it says."""
    check = Draft201909Validator.VALIDATORS[keyword]

    def judge(validator: Any, bound: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        digits = isinstance(instance, str) and instance.isdigit()
        yield from check(validator, bound, int(instance) if digits else instance, schema) or ()

    return judge


def _listed(values: list[Any], most: int = 40) -> str:
    shown = ", ".join(map(str, values[:most]))
    return f"{shown}, and {len(values) - most} more" if len(values) > most else shown


_OWN_KEYWORDS = {
    "dependentRequired": _dependent_required,
    "dependentExcluded": _dependent_excluded,
    "requiredXor": _required_xor,
    "requiredOr": _required_or,
    "pattern": _pattern,
    "enum": _enum,
    "enumCaseInsensitive": _enum_any_case,
    "uniqueKeys": _unique_keys,
    **{keyword: _written(keyword) for keyword in ("maximum", "minimum", "multipleOf")},
}

FORMATS = FormatChecker(formats=())


@FORMATS.checks("ipv4-network", raises=ValueError)
def _ipv4_network(value: object) -> bool:
    return not isinstance(value, str) or bool(ipaddress.IPv4Network(value))


@FORMATS.checks("ipv6-network", raises=ValueError)
def _ipv6_network(value: object) -> bool:
    return not isinstance(value, str) or bool(ipaddress.IPv6Network(value))


_FORMAT_PATTERNS = {
    "AWS::EC2::VPC.Id": r"^vpc-[0-9a-f]{8,17}$",
    "AWS::EC2::Subnet.Id": r"^subnet-[0-9a-f]{8,17}$",
    "AWS::EC2::SecurityGroup.Id": r"^sg-[0-9a-f]{8,17}$",
    "AWS::EC2::Image.Id": r"^ami-[0-9a-f]{8,17}$",
    "AWS::IAM::Role.Arn": r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$",
}


def _check_format(name: str, pattern: str) -> None:
    FORMATS.checks(name)(lambda value: not isinstance(value, str) or bool(_compiled(pattern).search(value)))


for _name, _expression in _FORMAT_PATTERNS.items():
    _check_format(_name, _expression)

_RELEVANT = {**Draft201909Validator.VALIDATORS, **_OWN_KEYWORDS}

Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft201909Validator,
    validators={keyword: _passing_unknown(keyword, check) for keyword, check in _RELEVANT.items()},
)
"""JSON Schema 2019-09 with AWS's further keywords; a value that is unknown satisfies everything."""


TranslatedValidator: Any = extend(  # type: ignore[no-untyped-call]
    Validator, validators={"required": None, "oneOf": Validator.VALIDATORS["anyOf"]}
)
"""The same for inputs that came from another shape: what has no counterpart there cannot be missed here.

The SDK's own types say what is required.
"""

_OVER_SEVERAL = ("dependentRequired", "requiredOr", "requiredXor")
"""Keywords over several properties: inside objects, not all of them need have a counterpart."""


def _told(error: ValidationError, origin: Mapping[Path_, str]) -> Iterator[Problem]:
    """Word an error in the terms of the inputs."""
    if error.validator in ("anyOf", "oneOf") and error.context:
        deepest = max(error.context, key=lambda inner: len(inner.absolute_path))
        if len(deepest.absolute_path) > len(error.absolute_path):
            yield from _told(deepest, origin)
            return
    path = tuple(error.absolute_path)
    known = path
    while known not in origin:
        known = known[:-1]
    names = {str(p[-1]): name.split(".")[-1] for p, name in origin.items() if p}
    text = error.message
    if error.validator == "format":
        text = (
            f"{error.instance!r} is not a valid {_FORMAT_TITLES.get(str(error.validator_value), error.validator_value)}"
        )
    elif error.validator == "required":
        text = text.replace(" is a required property", " is required")
    yield Problem(origin[known], regex.sub(r"[A-Z]\w+", lambda m: names.get(m[0], m[0]), text))


_FORMAT_TITLES = {
    "ipv4-network": "IPv4 CIDR block",
    "ipv6-network": "IPv6 CIDR block",
    "AWS::EC2::VPC.Id": "VPC id",
    "AWS::EC2::Subnet.Id": "subnet id",
    "AWS::EC2::SecurityGroup.Id": "security group id",
    "AWS::EC2::Image.Id": "AMI id",
    "AWS::IAM::Role.Arn": "ARN of an IAM role",
}


# Policy documents


@dataclass(frozen=True)
class _PolicyGrammar:
    identity: Any
    trust: Any
    resource: Any


@cache
def _grammar() -> _PolicyGrammar:
    registry: Registry[Any] = Registry().with_resource(
        "policy", DRAFT201909.create_resource(_read("other/iam/policy.json"))
    )
    made = {
        kind: Validator(_read(f"other/iam/policy_{kind}.json"), registry=registry)
        for kind in ("identity", "trust", "resource")
    }
    return _PolicyGrammar(**made)


def policy_problems(name: str, document: Any, kind: str) -> list[Problem]:
    """Judge a policy document (JSON text, or the object itself) of a kind: ``identity``, ``trust`` or ``resource``."""
    if document is UNKNOWN:
        return []
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError as error:
            return [Problem(name, f"contains an invalid JSON policy: {error}")]
    if not isinstance(document, dict):
        return [Problem(name, "contains an invalid JSON policy: a policy document is an object")]
    found = []
    for outer in getattr(_grammar(), kind).iter_errors(document):
        deepest = outer
        while deepest.context:
            deepest = max(deepest.context, key=lambda inner: len(inner.absolute_path))
        where = "/".join(map(str, deepest.absolute_path))
        found.append(Problem(name, f"MalformedPolicyDocument: {where or 'the document'}: {deepest.message}"))
    if kind == "identity" and not found:
        found += [Problem(name, reason) for reason in void_grants(document)]
    return found
