"""Exemptions hold where and as long as they say, and are refused when they do not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from policies.config import Exemption, Settings
from policies.pack import EXEMPTIONS
from tests.policies.cases import CASES
from tests.policies.cases.model import Case
from tests.policies.harness import TODAY, Outcome, run

RULE = "aws-database-not-public"


def case(title: str) -> Case:
    return next(
        each for each in CASES if (each.rule, each.title, bool(each.breaking)) == (RULE, title, title != "good")
    )


def exempt(what: Case, *, deployed: bool = True, until: date = TODAY, stack: str = "cases/prod") -> Outcome:
    exemption = Exemption(
        stack=stack,
        resource=what.name("database"),
        rule=RULE,
        reason="It is a test of the rules",
        owner="platform",
        expires=until,
    )
    return run(what, deployed=deployed, settings=Settings(exemptions=[exemption]))


def test_an_exemption_covers_its_resource_until_its_last_day() -> None:
    outcome = exempt(case("0"))
    assert (RULE, case("0").name("database")) not in outcome.violations
    assert (EXEMPTIONS, "") not in outcome.violations


def test_an_expired_exemption_covers_nothing_and_is_refused() -> None:
    outcome = exempt(case("0"), until=TODAY - timedelta(days=1))
    assert (RULE, case("0").name("database")) in outcome.violations
    assert any("has expired" in message for message in outcome.messages)


def test_an_exemption_that_is_not_needed_is_refused() -> None:
    assert any("is not used" in message for message in exempt(case("good")).messages)


def test_an_exemption_is_not_called_unused_while_its_rule_is_undecided() -> None:
    assert (EXEMPTIONS, "") not in exempt(case("later"), deployed=False).violations


def test_an_exemption_of_another_stack_is_not_looked_at() -> None:
    outcome = exempt(case("0"), stack="cases/dev")
    assert (RULE, case("0").name("database")) in outcome.violations
    assert (EXEMPTIONS, "") not in outcome.violations


@pytest.mark.parametrize("pattern", ["cases/*", "*/prod"])
def test_a_pattern_names_several_stacks(pattern: str) -> None:
    assert (RULE, case("0").name("database")) not in exempt(case("0"), stack=pattern).violations
