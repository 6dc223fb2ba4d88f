"""Every section of a stack file is optional, or its absence is refused before anything is registered."""

from __future__ import annotations

import pytest

from components.protection import KEEPS_DATA
from settings import SettingsError, load
from tests.unit.programs import STACKS, run_program, shipped, stack_config
from tests.unit.recording import Recording


def without_each_section(stack: str) -> dict[str, Recording | None]:
    """Run a shipped stack without each of its sections; None where the settings refuse that."""
    config = stack_config(stack)
    found: dict[str, Recording | None] = {}
    for section in config:
        others = {key: value for key, value in config.items() if key != section}
        try:
            load(others)
        except SettingsError:
            found[section] = None
        else:
            found[section] = run_program(stack, others)
    return found


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_runs_without_a_section_or_says_why_not(stack: str) -> None:
    runs = without_each_section(stack)
    assert len([section for section, run in runs.items() if run]) >= 4
    if stack == "prod":
        whole = shipped(stack)
        for section, run in runs.items():
            left = {resource.urn for resource in run.resources} if run else set()
            gone = [each for each in whole.resources if run and each.type in KEEPS_DATA and each.urn not in left]
            assert [each.urn for each in gone if not each.protect] == [], section
