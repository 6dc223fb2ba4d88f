"""A wrong stack file on the real engine."""

from __future__ import annotations

import pytest
from pulumi import automation

from sandbox.workspace import Sandbox
from tests.sandbox import lifecycle


@pytest.fixture(scope="module")
def refusal(module_sandbox: Sandbox) -> str:
    """Preview dev with three wrong keys and return what the engine says."""
    stack = module_sandbox.stack("dev")
    lifecycle.set_path(stack, "network.az_count", "9")
    lifecycle.set_path(stack, "network.nat", "perhaps")
    lifecycle.set_path(stack, "network.colour", "blue")
    with pytest.raises(automation.CommandError) as caught:
        lifecycle.up(stack)
    return str(caught.value)


@pytest.mark.parametrize("key", ["network.az_count", "network.nat", "network.colour"])
def test_the_one_error_names_every_wrong_key(refusal: str, key: str) -> None:
    assert f"auterity:{key}:" in refusal


def test_the_error_is_no_traceback(refusal: str) -> None:
    assert "Traceback" not in refusal


def test_nothing_is_added_to_the_one_error(refusal: str) -> None:
    assert refusal.count("error:") == refusal.count("error: The stack's configuration has 3 problems")


def test_nothing_was_registered(refusal: str, module_sandbox: Sandbox) -> None:
    assert refusal
    state = lifecycle.exported(module_sandbox, "dev")
    assert [resource["type"] for resource in state.get("resources", [])] in ([], ["pulumi:pulumi:Stack"])
    assert list(module_sandbox.cloud.store.list()) == []
