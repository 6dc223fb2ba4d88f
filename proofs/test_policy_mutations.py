"""Each rule broken in turn: its cases notice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from policies.catalogue import RULES
from policies.rules import Finding, Rule, Violation, of_each
from tests.policies.cases import CASES
from tests.policies.cases.model import Case
from tests.policies.harness import run


def blind(rule: Rule) -> Rule:
    """A rule that finds nothing."""
    return replace(rule, check=lambda _: ())


REFUSING_ALL = ("gcp-no-service-account-keys",)
"""The rules that no resource of their types can keep: one that refuses everything refuses other types, too."""


def deaf(rule: Rule) -> Rule:
    """A rule that refuses everything."""

    def refuse(seen: Any) -> Iterable[Finding]:
        return [Violation(each, "it", "is", "do") for each in (seen.resources if rule.of_stack else [seen])]

    types = ("*",) if rule.name in REFUSING_ALL else rule.types
    return replace(rule, check=refuse, types=types)


def silent(rule: Rule) -> Rule:
    """A rule that passes over what it cannot decide."""

    def known_alone(seen: Any) -> Iterable[Finding]:
        found = rule.check(seen) if rule.of_stack else of_each([seen], rule.check)  # type: ignore[arg-type]
        return [each for each in found if isinstance(each, Violation)]

    return replace(rule, check=known_alone)


def noticed(case: Case, rule: Rule) -> bool:
    """Say whether a case finds that a rule is not what it should be."""
    for deployed in (False, True):
        outcome = run(case, deployed=deployed, rules=[rule])
        refused = {key for key in case.resources if (rule.name, case.name(key)) in outcome.violations}
        open = {key for key in case.resources if any(f"{case.name(key)} (" in message for _, message in outcome.open)}
        waiting = set() if deployed else set(case.open)
        if refused != case.breaking - waiting or open != waiting:
            return True
    return False


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_that_finds_nothing_is_noticed(rule: Rule) -> None:
    assert any(noticed(case, blind(rule)) for case in CASES if case.rule == rule.name)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_that_refuses_everything_is_noticed(rule: Rule) -> None:
    assert any(noticed(case, deaf(rule)) for case in CASES if case.rule == rule.name)


WAITING = [rule for rule in RULES if any(case.open for case in CASES if case.rule == rule.name)]


@pytest.mark.parametrize("rule", WAITING, ids=lambda rule: rule.name)
def test_a_rule_that_is_silent_about_what_it_cannot_decide_is_noticed(rule: Rule) -> None:
    assert any(noticed(case, silent(rule)) for case in CASES if case.rule == rule.name)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_rules_as_they_are_are_not_noticed(rule: Rule) -> None:
    assert not any(noticed(case, rule) for case in CASES if case.rule == rule.name)
