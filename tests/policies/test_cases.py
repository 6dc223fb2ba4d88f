"""Each rule finds what breaks it and nothing else, before the deployment and after it."""

from __future__ import annotations

import pytest

from policies.catalogue import RULES
from tests.policies.cases import CASES
from tests.policies.cases.model import Case
from tests.policies.harness import run

NAMES = [f"{case.rule}: {'breaks' if case.breaking else 'keeps'}: {case.title}" for case in CASES]


def found(case: Case, *, deployed: bool) -> set[str]:
    outcome = run(case, deployed=deployed)
    return {key for key in case.resources if (case.rule, case.name(key)) in outcome.violations}


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_deployed_case_is_judged_as_it_says(case: Case) -> None:
    assert found(case, deployed=True) == case.breaking


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_preview_finds_what_is_known(case: Case) -> None:
    assert found(case, deployed=False) == case.breaking - case.open


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_preview_says_what_it_cannot_decide(case: Case) -> None:
    said = [message for rule, message in run(case, deployed=False).open if rule == case.rule]
    undecided = {key for key in case.resources if any(f"{case.name(key)} (" in message for message in said)}
    assert undecided == case.open


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_nothing_is_left_open_once_it_is_deployed(case: Case) -> None:
    assert [message for rule, message in run(case, deployed=True).open if rule == case.rule] == []


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_every_rule_has_a_case_that_breaks_it_and_one_that_keeps_it(rule: str) -> None:
    assert {bool(case.breaking) for case in CASES if case.rule == rule} == {True, False}


def test_no_two_cases_share_a_name() -> None:
    assert len({(case.rule, case.title, bool(case.breaking)) for case in CASES}) == len(CASES)


def test_a_message_names_resource_property_value_and_remedy() -> None:
    case = next(case for case in CASES if case.rule == "aws-database-not-public" and case.breaking)
    (message,) = [m for m in run(case, deployed=True).messages if "publiclyAccessible" in m]
    assert message == (
        f"{case.name('database')} (aws:rds/instance:Instance): publiclyAccessible is True. To mend it: set it to false."
    )
