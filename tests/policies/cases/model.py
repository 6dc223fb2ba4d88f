"""What a case is: some resources, and which of them break one rule."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ref:
    """An output of another resource of the case, which a preview does not know."""

    resource: str
    output: str = "id"


@dataclass(frozen=True)
class Later:
    """A value that only the deployment knows."""

    value: Any


@dataclass(frozen=True)
class Made:
    """A resource of a case."""

    type: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """Some resources that stand for themselves.

    Attributes:
        rule: the rule that the case is about.
        title: what is special about it.
        resources: key to resource, in the order in which they are made.
        breaking: the keys of the resources that break the rule once all values are known.
        open: the keys of those for which a preview cannot decide it.
    """

    rule: str
    title: str
    resources: Mapping[str, Made]
    breaking: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()

    def name(self, key: str) -> str:
        """Return the logical name of a resource: short, since physical names are made from it."""
        return f"{'b' if self.breaking else 'k'}{zlib.crc32(f'{self.rule}/{self.title}'.encode()):08x}-{key}"


def breaks(rule: str, title: str, /, *keys: str, open: tuple[str, ...] = (), **resources: Made) -> Case:
    """Make a case in which `keys` (else all resources) break the rule."""
    return Case(rule, title, resources, frozenset(keys or resources), frozenset(open))


def keeps(rule: str, title: str, /, *, open: tuple[str, ...] = (), **resources: Made) -> Case:
    """Make a case that keeps the rule."""
    return Case(rule, title, resources, frozenset(), frozenset(open))


def referred(value: Any) -> list[Ref]:
    """List the references in a value, at any depth."""
    if isinstance(value, Ref):
        return [value]
    if isinstance(value, Later):
        return referred(value.value)
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [found for each in inside for found in referred(each)]
