"""What the installed Pulumi SDKs say of resource types: their inputs, outputs, and what a change of them replaces.

An SDK registers each of its types with the Pulumi runtime and describes inputs by classes; that description is the
provider's own schema, so nothing here lists a type or a property by hand.
"""

from __future__ import annotations

import collections.abc
import enum
import importlib.metadata
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pulumi import Archive, Asset, _types
from pulumi.runtime import rpc

from sandbox.cloud.property_values import UNKNOWN

_REPLACES = re.compile(
    r"forces? (?:a |the )?(?:new|creation of a new) resource|forces? replacement|forces? resource recreation"
    r"|force resource recreation|forces? (?:a )?(?:destroy|recreation)"
    r"|chang(?:ing|es to) (?:this|it|the)[^.]{0,60}(?:will |would )?(?:always )?"
    r"(?:force|result in|cause|trigger)[^.]{0,30}(?:new resource|replace|re-?creat)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Problem:
    """Something wrong with an input: the property's path, as the engine writes it, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class SdkType:
    """One resource type as its SDK describes it; all names are those on the wire.

    Attributes:
        token: such as ``aws:ec2/vpc:Vpc``.
        inputs: input property to its Python type.
        required: inputs that must be given.
        outputs: every property that the resource has once it exists.
        replacing: inputs that the documentation says cannot change in place.
    """

    token: str
    inputs: Mapping[str, Any]
    required: frozenset[str]
    outputs: frozenset[str]
    replacing: frozenset[str]

    def problems(self, given: Mapping[str, Any]) -> list[Problem]:
        """Judge plain inputs: unknown names, missing ones, wrong types, at any depth. Unknown values pass."""
        return list(_object_problems("", given, self.inputs, self.required))


def sdk_version(package: str) -> str:
    """Return the version of the installed SDK of a provider package."""
    return importlib.metadata.version(f"pulumi-{package}")


@cache
def sdk_type(token: str) -> SdkType | None:
    """Find a resource type in the installed SDKs; None if they have none of that name."""
    resource = _resource_class(token)
    if resource is None:
        return None
    module = inspect.getmodule(resource)
    # Where an input type of another resource has taken the name, the SDK calls the arguments InitArgs.
    candidates = (getattr(module, f"{resource.__name__}{end}", None) for end in ("InitArgs", "Args"))
    arguments = next(found for found in candidates if found is not None and found.__module__ == resource.__module__)
    inputs, required = _described(arguments)
    return SdkType(
        token=token,
        inputs=inputs,
        required=required,
        outputs=frozenset(_types.resource_types(resource)) - {"id", "urn"},
        replacing=_replacing(arguments),
    )


def _resource_class(token: str) -> type | None:
    package, module_name, _ = token.split(":")
    try:
        importlib.import_module(f"pulumi_{package}")
    except ModuleNotFoundError:
        return None
    if package == "pulumi":
        return None
    module = rpc.get_resource_module(package, module_name, "")
    if module is None or token not in module.mod_info["classes"]:  # type: ignore[attr-defined]
        return None
    home = importlib.import_module(module.mod_info["fqn"])  # type: ignore[attr-defined]
    found: type = getattr(home, module.mod_info["classes"][token])  # type: ignore[attr-defined]
    return found


@cache
def provider_type(package: str) -> SdkType:
    """Describe the configuration of a package's provider."""
    home = importlib.import_module(f"pulumi_{package}")
    inputs, required = _described(home.ProviderArgs)
    return SdkType(f"pulumi:providers:{package}", inputs, required, frozenset(inputs), frozenset())


@cache
def _described(arguments: type) -> tuple[Mapping[str, Any], frozenset[str]]:
    """Return an Args class's wire names with their types, and those without a default."""
    wire = _types.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments.__init__).parameters  # type: ignore[misc]
    required = frozenset(
        wire[name] for name in wire if name in parameters and parameters[name].default is inspect.Parameter.empty
    )
    return _types.input_type_types(arguments), required


def _replacing(arguments: type) -> frozenset[str]:
    wire = _types.input_type_py_to_pulumi_names(arguments)
    documentation = inspect.getdoc(arguments.__init__) or ""  # type: ignore[misc]
    parts = re.split(r":param [^:]*?(\w+): ", documentation)
    return frozenset(
        wire[name]
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
        if name in wire and _REPLACES.search(text)
    )


def _object_problems(
    path: str, given: Mapping[str, Any], known: Mapping[str, Any], required: frozenset[str]
) -> Iterator[Problem]:
    for name in sorted(set(given) - set(known)):
        if not name.startswith("__"):
            yield Problem(_join(path, name), f"unknown property; known are {', '.join(sorted(known))}")
    for name in sorted(required - set(given)):
        yield Problem(_join(path, name), "a required property is missing")
    for name, value in given.items():
        if name in known:
            yield from _value_problems(_join(path, name), value, known[name])


def _value_problems(path: str, value: Any, expected: Any) -> Iterator[Problem]:
    if value is UNKNOWN or value is None:
        return
    expected = _types.unwrap_type(expected)
    origin = typing.get_origin(expected)
    if origin in (typing.Union, types.UnionType):
        yield from _union_problems(path, value, typing.get_args(expected))
    elif origin in (collections.abc.Sequence, list):
        if not isinstance(value, list):
            yield Problem(path, f"expected a list, got {_kind(value)}")
        else:
            (item_type,) = typing.get_args(expected)
            for index, item in enumerate(value):
                yield from _value_problems(f"{path}[{index}]", item, item_type)
    elif origin in (collections.abc.Mapping, dict):
        if not isinstance(value, dict):
            yield Problem(path, f"expected a map, got {_kind(value)}")
        else:
            for key, item in value.items():
                yield from _value_problems(_join(path, key), item, typing.get_args(expected)[1])
    elif isinstance(expected, type) and _types.is_input_type(expected):
        if not isinstance(value, dict):
            yield Problem(path, f"expected an object, got {_kind(value)}")
        else:
            known, required = _described(expected)
            yield from _object_problems(path, value, known, required)
    elif isinstance(expected, type):
        yield from _scalar_problems(path, value, expected)


def _union_problems(path: str, value: Any, options: tuple[Any, ...]) -> Iterator[Problem]:
    wanted = [option for option in options if option is not type(None) and not _is_plumbing(option)]
    answers = [list(_value_problems(path, value, option)) for option in wanted]
    if answers and all(answers):
        yield from min(answers, key=len)


def _is_plumbing(option: Any) -> bool:
    """Tell the ways to hand a value over later (Output, Awaitable) from the value's own type."""
    name = getattr(typing.get_origin(option) or option, "__name__", "")
    return name in ("Output", "Awaitable", "ForwardRef") or isinstance(option, typing.ForwardRef)


def _scalar_problems(path: str, value: Any, expected: type) -> Iterator[Problem]:
    if issubclass(expected, enum.Enum):
        # SDK enums of these packages are documentation: the provider takes any string.
        expected = str
    if expected in (Asset, Archive) or expected is object:
        return
    # The engine carries numbers and booleans; providers read their written form too.
    right = {
        str: isinstance(value, (str, int, float)),
        bool: isinstance(value, bool) or value in ("true", "false"),
        int: (isinstance(value, int) and not isinstance(value, bool)) or _is_written(int, value),
        float: (isinstance(value, (int, float)) and not isinstance(value, bool)) or _is_written(float, value),
    }
    names = {str: "a string", bool: "a boolean", int: "a whole number", float: "a number"}
    if expected in right and not right[expected]:
        yield Problem(path, f"expected {names[expected]}, got {_kind(value)}")


def _is_written(kind: type[int] | type[float], value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        kind(value)
    except ValueError:
        return False
    return True


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the string {value!r}"
    return "a list" if isinstance(value, list) else "an object"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
