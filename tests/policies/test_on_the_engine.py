"""Every case on the real engine, which runs the pack as it does for any program."""

from __future__ import annotations

import pytest

from policies.catalogue import RULES
from sandbox.workspace import Sandbox
from tests.policies.cases import CASES
from tests.policies.cases.model import Case
from tests.policies.engine import Said, checkout, preview

PROGRAM = """
from tests.policies.cases import CASES
from tests.policies.program import make

make([CASES[place] for place in {places}])
"""

OF_THE_WHOLE_STACK = ("databases-backed-up-to-two-clouds",)
"""Rules that one resource keeps for every other: each of their cases is a stack by itself."""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """Preview all cases, in as few programs as they can stand together in."""
    alone = [place for place, case in enumerate(CASES) if case.rule in OF_THE_WHOLE_STACK]
    together = [place for place in range(len(CASES)) if place not in alone]
    all_said = Said()
    for places in (together, *([place] for place in alone)):
        directory, program = tmp_path_factory.mktemp("cases"), PROGRAM.format(places=places)
        with Sandbox(directory / "sandbox", checkout=checkout(directory / "checkout", program, "prod")) as sandbox:
            heard = preview(sandbox, "prod")
        all_said.violations |= heard.violations
        all_said.advice += heard.advice
        all_said.error = all_said.error or heard.error
    return all_said


def expected(rule: str) -> set[str]:
    return {case.name(key) for case in CASES if case.rule == rule for key in case.breaking - case.open}


def own_resources(rule: str) -> set[str]:
    return {case.name(key) for case in CASES if case.rule == rule for key in case.resources}


def test_the_program_is_refused_for_its_policies_alone(said: Said) -> None:
    assert "error: preview failed" in said.error or "policy" in said.error.lower(), said.error[-4000:]
    assert "Traceback" not in said.error


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_the_engine_refuses_what_breaks_the_rule_and_nothing_else(said: Said, rule: str) -> None:
    refused = {name for policy, name in said.violations if policy == rule} & own_resources(rule)
    assert refused == expected(rule)


OPEN = [case for case in CASES if case.open]


@pytest.mark.parametrize("case", OPEN, ids=[f"{case.rule}: {case.title}" for case in OPEN])
def test_the_engine_shows_what_a_preview_cannot_decide(said: Said, case: Case) -> None:
    notes = [message for policy, message in said.advice if policy == case.rule]
    assert [key for key in case.open if not any(f"{case.name(key)} (" in note for note in notes)] == []
