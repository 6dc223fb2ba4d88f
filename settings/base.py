"""What every settings model shares: strictness, and errors that say which key, what was given and what is allowed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator

DESCRIBED = "PULUMI_CONFIG" not in os.environ
"""Whether fields know what they are for. It is read from the sources, in half of the time that this package takes to
load; the engine's program, to which this variable hands the configuration, asks no field for it.
"""


@dataclass(frozen=True)
class Problem:
    """One rule that a stack's settings break.

    Attributes:
        key: the path below the section that reports it, such as ``flow_logs.enabled``; empty for the section itself.
        given: the value that was found.
        allowed: what would be accepted, as the end of a sentence.
    """

    key: str
    given: object
    allowed: str


class BrokenRulesError(ValueError):
    """Rules across several keys of one section that do not hold; pydantic carries it to the loader."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p.key}: {p.given!r} given, allowed: {p.allowed}" for p in problems))


class Settings(BaseModel):
    """Base of every settings model: frozen, complete (no unknown keys), and checked across its keys by `problems`."""

    # A section's validator is part of its stack's: made by itself, too, it would only cost time.
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=DESCRIBED, defer_build=True)

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong between keys that are each right by themselves."""
        return iter(())

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        problems = list(self.problems())
        if problems:
            raise BrokenRulesError(problems)
        return self


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number, not a boolean")
    return value


NUMBER = BeforeValidator(_no_boolean)
"""Marks a choice of numbers: to Python `False` equals 0 and `True` equals 1, to a stack file they do not."""


@dataclass(frozen=True)
class ProductionRule(AfterValidator):
    """What a field accepts in an environment called ``prod``.

    Attributes:
        allowed: what is accepted, as the end of a sentence.
    """

    allowed: str = ""


def in_production(required: object, why: str) -> ProductionRule:
    """Make a field accept only `required` in an environment called ``prod``.

    It is a field's own rule and not one of the whole stack, so that it is reported together with every other wrong key.
    The environment comes from the validation context that `settings.load` sets.
    """

    shown = str(required).lower() if isinstance(required, bool) else repr(required)
    allowed = f"only {shown} in prod, because {why}"

    def check(value: Any, info: ValidationInfo) -> Any:
        if (info.context or {}).get("environment") == "prod" and value != required:
            raise BrokenRulesError([Problem("", value, allowed)])
        return value

    return ProductionRule(check, allowed)


def at_least_in_production(minimum: int, why: str) -> ProductionRule:
    """Make a number accept nothing below `minimum` in an environment called ``prod`` (see `in_production`)."""
    allowed = f"{minimum} or more in prod, because {why}"

    def check(value: int, info: ValidationInfo) -> int:
        if (info.context or {}).get("environment") == "prod" and value < minimum:
            raise BrokenRulesError([Problem("", value, allowed)])
        return value

    return ProductionRule(check, allowed)
