"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from pulumi_policy import EnforcementLevel

from policies.values import UndecidedError, Value

if TYPE_CHECKING:
    from policies.resources import Resource, Stack


class Environment(StrEnum):
    """Where a stack is used; what is allowed depends on it."""

    LOCAL = "local"
    DEV = "dev"
    PROD = "prod"


Levels = Mapping[Environment, EnforcementLevel]

SECURITY: Levels = MappingProxyType(
    {
        Environment.LOCAL: EnforcementLevel.ADVISORY,
        Environment.DEV: EnforcementLevel.MANDATORY,
        Environment.PROD: EnforcementLevel.MANDATORY,
    }
)
"""What an attacker can use is refused wherever others can reach it; a laptop is told."""

DURABILITY: Levels = MappingProxyType(
    {
        Environment.LOCAL: EnforcementLevel.DISABLED,
        Environment.DEV: EnforcementLevel.DISABLED,
        Environment.PROD: EnforcementLevel.MANDATORY,
    }
)
"""What keeps data and service costs money and forbids to throw a stack away: production alone needs it."""


@dataclass(frozen=True)
class Violation:
    """One thing that breaks a rule.

    Attributes:
        resource: what breaks it.
        property: the dotted path of the property, or the name of what is missing.
        has: what it has, as the end of "property …".
        mend: how to mend it, as an instruction.
    """

    resource: Resource
    property: str
    has: str
    mend: str

    def __str__(self) -> str:
        return f"{self.resource.name} ({self.resource.type}): {self.property} {self.has}. To mend it: {self.mend}."


@dataclass(frozen=True)
class Open:
    """A rule that could not be decided for a resource, and why."""

    resource: Resource
    reason: str

    def __str__(self) -> str:
        return f"{self.resource.name} ({self.resource.type}): {self.reason}"


Finding = Violation | Open | UndecidedError
"""What a check yields; UndecidedError stands for Open where the check is of one resource."""

ResourceCheck = Callable[["Resource"], Iterable[Finding]]
StackCheck = Callable[["Stack"], Iterable[Finding]]
BesideCheck = Callable[["Stack", "Resource"], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """One rule of the pack.

    Attributes:
        name: the stable name, by which levels and exemptions refer to it.
        title: what holds where the rule is kept.
        standards: the clauses it enforces.
        types: the type tokens that it looks at, with ``*`` for any part.
        levels: the enforcement level in each environment.
        check: the function; of one resource, or of the whole stack.
        of_stack: whether it looks at the stack as a whole.
    """

    name: str
    title: str
    standards: tuple[str, ...]
    types: tuple[str, ...]
    levels: Levels
    check: ResourceCheck | StackCheck
    of_stack: bool

    def looks_at(self, type: str) -> bool:
        """Say whether the rule looks at resources of a type."""
        return fits(type, self.types)


@cache
def fits(type: str, patterns: tuple[str, ...]) -> bool:
    """Say whether a type token is one of some, which may be patterns."""
    return type in patterns or any("*" in pattern and fnmatchcase(type, pattern) for pattern in patterns)


def resource_rule(
    name: str, title: str, *standards: str, types: tuple[str, ...], levels: Levels = SECURITY
) -> Callable[[ResourceCheck], Rule]:
    """Make a check of one resource a rule."""
    return lambda check: Rule(name, title, standards, types, levels, check, of_stack=False)


def stack_rule(
    name: str, title: str, *standards: str, types: tuple[str, ...], levels: Levels = SECURITY
) -> Callable[[StackCheck], Rule]:
    """Make a check of the whole stack a rule; `types` are all the types that it needs to see."""
    return lambda check: Rule(name, title, standards, types, levels, check, of_stack=True)


def each_rule(
    name: str,
    title: str,
    *standards: str,
    of: tuple[str, ...],
    beside: tuple[str, ...],
    levels: Levels = SECURITY,
) -> Callable[[BesideCheck], Rule]:
    """Make a check of one resource, with the stack around it, a rule of each of some types.

    Args:
        name: as in `Rule`.
        title: as in `Rule`.
        standards: as in `Rule`.
        of: the types that are checked.
        beside: the other types that the check needs to see.
        levels: as in `Rule`.
    """

    def make(check: BesideCheck) -> Rule:
        def of_all(stack: Stack) -> Iterator[Finding]:
            yield from of_each(stack.of(of), lambda resource: check(stack, resource))

        return Rule(name, title, standards, of + beside, levels, of_all, of_stack=True)

    return make


def property_rule(
    name: str,
    title: str,
    *standards: str,
    types: tuple[str, ...],
    path: str,
    holds: Callable[[Value], bool],
    mend: str,
    levels: Levels = SECURITY,
) -> Rule:
    """Make a rule of one property: `holds` judges the value at the dotted `path`."""

    def check(resource: Resource) -> Iterator[Finding]:
        value = resource.at(path)
        yield from unless(holds(value), resource, value, mend)

    return Rule(name, title, standards, types, levels, check, of_stack=False)


def is_true(value: Value) -> bool:
    """Say whether a value is there and true. Raises UndecidedError."""
    return value.flag is True


def not_true(value: Value) -> bool:
    """Say whether a value is absent or false. Raises UndecidedError."""
    return value.flag is not True


def not_false(value: Value) -> bool:
    """Say whether a value is absent or true. Raises UndecidedError."""
    return value.flag is not False


def is_given(value: Value) -> bool:
    """Say whether the program gives a value, known or not."""
    return value.given


def unless(holds: bool, resource: Resource, value: Value | str, mend: str, has: str = "") -> Iterator[Violation]:
    """Yield one violation unless `holds`; what a property has is said by its value."""
    if not holds:
        path = value if isinstance(value, str) else value.path
        yield Violation(resource, path, has or ("is not there" if isinstance(value, str) else shown(value)), mend)


def of_each(resources: Iterable[Resource], check: ResourceCheck) -> Iterator[Violation | Open]:
    """Check every resource; one that cannot be decided keeps none of the others from it."""
    for resource in resources:
        try:
            for finding in check(resource):
                yield Open(resource, str(finding)) if isinstance(finding, UndecidedError) else finding
        except UndecidedError as undecided:
            yield Open(resource, str(undecided))


def shown(value: Value) -> str:
    """Say what a value is, as the end of a sentence that begins with its path."""
    if value.raw is None:
        return "is not set"
    return f"is {value.raw!r}" if not isinstance(value.raw, (dict, list)) else f"is {str(value.raw)[:80]}"
