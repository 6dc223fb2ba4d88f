"""The resources of a stack, and which of them refers to which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from policies.config import Settings
from policies.rules import fits
from policies.values import UNKNOWN, UndecidedError, Value

IDENTITY = ("id", "arn", "name", "bucket", "identifier", "keyId", "roleName")
"""The outputs by which other resources refer to one."""


@dataclass(frozen=True, eq=False)
class Resource:
    """A resource as the program asks for it.

    Attributes:
        urn: Pulumi's name of it.
        type: the type token.
        name: the logical name.
        inputs: what the program gave, unknown where it is not known yet.
        outputs: what the provider made of it; in a preview much of it is unknown that nobody gave.
        dependencies: the URNs that each property was computed from.
        settings: the pack's settings.
    """

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parent: str = ""
    settings: Settings = field(default_factory=Settings)

    def __getitem__(self, key: str) -> Value:
        return Value(self.inputs.get(key), key)

    def at(self, dotted: str) -> Value:
        """Walk down a path of the inputs."""
        first, _, rest = dotted.partition(".")
        return self[first].at(rest) if rest else self[first]


@dataclass(frozen=True, eq=False)
class Stack:
    """All resources of a stack."""

    resources: tuple[Resource, ...]
    settings: Settings = field(default_factory=Settings)

    @cached_property
    def _by_urn(self) -> dict[str, Resource]:
        return {resource.urn: resource for resource in self.resources}

    def named(self, urns: Iterable[str]) -> list[Resource]:
        """List the resources of some URNs that the rule looks at."""
        return [self._by_urn[urn] for urn in urns if urn in self._by_urn]

    @cached_property
    def _by_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            found[resource.type].append(resource)
        return found

    @cached_property
    def _by_identity(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            for key in IDENTITY:
                for text in {resource.outputs.get(key), resource.inputs.get(key)} if _plain(resource, key) else ():
                    if isinstance(text, str) and text:
                        found[text].append(resource)
        return found

    def of(self, types: tuple[str, ...]) -> list[Resource]:
        """List the resources of some types, which may be patterns."""
        return [resource for type, found in self._by_type.items() if fits(type, types) for resource in found]

    def targets(self, source: Resource, key: str, types: tuple[str, ...]) -> list[Resource]:
        """List the resources of some types that a property was computed from, else those whose names it holds."""
        computed = self.named(source.dependencies.get(key, ()))
        found = [resource for resource in computed if fits(resource.type, types)]
        return found or [
            resource
            for text in texts(source.inputs.get(key))
            for resource in self._by_identity.get(text, [])
            if fits(resource.type, types)
        ]

    def companions(self, owner: Resource, types: tuple[str, ...], key: str) -> list[Resource]:
        """List the resources of some types whose property `key` refers to `owner`.

        Raises UndecidedError if there is none, yet one refers to what is not known.
        """
        referrers = self._referrers(types, key)
        found = list(referrers.to.get(owner.urn, ()))
        found += [other for other in referrers.unresolved if _same_name(owner, other, key)]
        lost = next((other.name for other in reversed(referrers.unresolved) if other not in found), "")
        if not found and lost:
            raise UndecidedError(f"{lost}.{key}", "is not known yet and might refer to it")
        return found

    def _referrers(self, types: tuple[str, ...], key: str) -> _Referrers:
        """Look up once for all owners which resources of some types refer to which by a property."""
        known = self._known_referrers.get((types, key))
        if known is None:
            known = self._known_referrers[(types, key)] = _Referrers()
            for other in self.of(types):
                targets = {target.urn for target in self.targets(other, key, ("*",))}
                for urn in targets:
                    known.to.setdefault(urn, []).append(other)
                if not targets and holds_unknown(other.inputs.get(key)):
                    known.unresolved.append(other)
        return known

    @cached_property
    def _known_referrers(self) -> dict[tuple[tuple[str, ...], str], _Referrers]:
        return {}


@dataclass
class _Referrers:
    """Which resources refer to which: by the URN of what they refer to, and those of which it is not known yet."""

    to: dict[str, list[Resource]] = field(default_factory=dict)
    unresolved: list[Resource] = field(default_factory=list)


def _same_name(owner: Resource, other: Resource, key: str) -> bool:
    """Say whether a property is computed from what the owner's own name is computed from, both unknown yet."""
    mine = set(other.dependencies.get(key, ()))
    return any(
        named and named <= mine and owner.inputs.get(identity) is UNKNOWN
        for identity in IDENTITY
        if (named := set(owner.dependencies.get(identity, ())))
    )


def holds_unknown(raw: Any) -> bool:
    """Say whether any part of a value is unknown."""
    if isinstance(raw, (dict, list)):
        return any(map(holds_unknown, raw.values() if isinstance(raw, dict) else raw))
    return raw is UNKNOWN


def texts(raw: Any) -> list[str]:
    """List the texts in a value, at any depth."""
    if isinstance(raw, (dict, list)):
        return [text for part in (raw.values() if isinstance(raw, dict) else raw) for text in texts(part)]
    return [raw] if isinstance(raw, str) else []


def _plain(resource: Resource, key: str) -> bool:
    return all(isinstance(held.get(key), (str, type(None))) for held in (resource.outputs, resource.inputs))
