"""Policy documents, parsed as IAM reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from policies.values import UndecidedError, Value


@dataclass(frozen=True)
class Statement:
    """One statement of a policy document."""

    value: Value

    @property
    def allows(self) -> bool:
        return self.value["Effect"].text == "Allow"

    @property
    def actions(self) -> list[str]:
        return [each.text.lower() for each in self.value["Action"].one_or_many]

    @property
    def all_but(self) -> list[str]:
        return [each.text for each in self.value["NotAction"].one_or_many]

    @property
    def resources(self) -> list[Value]:
        return self.value["Resource"].one_or_many

    @property
    def conditions(self) -> dict[str, dict[str, Value]]:
        """Operator to key (in lower case) to value."""
        return {
            operator: {key.lower(): value for key, value in keys.fields.items()}
            for operator, keys in self.value["Condition"].fields.items()
        }

    def grants(self, action: str) -> bool:
        """Say whether the actions include one, such as ``kms:decrypt``."""
        return any(fnmatchcase(action, pattern) for pattern in self.actions)

    @property
    def for_anybody(self) -> bool:
        """Whether its principal is everybody."""
        principal = self.value["Principal"]
        given = principal.fields.values() if principal.fields else [principal]
        return any(each.text == "*" for many in given for each in many.one_or_many)

    @property
    def condition_keys(self) -> set[str]:
        return {key for keys in self.conditions.values() for key in keys}


def statements(document: Value) -> Iterator[Statement]:
    """List the statements of a document, given as JSON or as an object; raises UndecidedError if it is unknown."""
    for value in document.document["Statement"].one_or_many:
        yield Statement(value)


def known_resources(statement: Statement) -> Iterator[str]:
    """List the resources whose names are known."""
    for each in statement.resources:
        try:
            yield each.text
        except UndecidedError:
            continue


LIMITING = (
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
)
"""Condition keys that say who it may be, so that everybody is no longer everybody."""


def open_to_anybody(found: Iterable[Statement]) -> list[Statement]:
    """List the statements that allow everybody something, with nothing that says who."""
    return [each for each in found if each.allows and each.for_anybody and not each.condition_keys & set(LIMITING)]
