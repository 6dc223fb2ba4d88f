"""Five thousand odd resources and more for the rules of each area: none makes a rule fail."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.catalogue import AREAS, rules_of
from tests.policies.harness import run_resources
from tests.policies.odd import stacks

EACH = 3
"""Resources of one stack, at least."""


@pytest.mark.parametrize("area", AREAS)
@settings(max_examples=5001 // EACH, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_input_makes_a_rule_fail(area: str, data: st.DataObject) -> None:
    run_resources(data.draw(stacks(area, EACH)), rules=rules_of(area))
