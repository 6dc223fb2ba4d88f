"""Whatever a program asks for, the rules answer: nothing they raise reaches the engine."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.catalogue import AREAS, rules_of
from tests.policies.harness import run_resources
from tests.policies.odd import stacks


@pytest.mark.parametrize("area", AREAS)
@settings(max_examples=40)
@given(data=st.data())
def test_no_input_makes_a_rule_fail(area: str, data: st.DataObject) -> None:
    drawn = data.draw(stacks(area))
    run_resources(drawn, rules=rules_of(area))
    run_resources(drawn, rules=rules_of(area), deployed=True)
