"""The stacks as resources of the Pulumi Kubernetes Operator."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STACKS = ("dev", "prod")


def resource(stack: str, kind: str) -> dict[str, Any]:
    """Return the one resource of a kind in a stack's file."""
    documents = yaml.safe_load_all((ROOT / "deploy" / "operator" / f"{stack}.yaml").read_text())
    [found] = [each for each in documents if each["kind"] == kind]
    return dict(found)


@pytest.mark.parametrize("stack", STACKS)
def test_each_stack_has_a_resource_that_deletes_nothing_with_itself(stack: str) -> None:
    spec = resource(stack, "Stack")["spec"]
    assert spec["stack"] == f"organization/auterity/{stack}"
    assert spec["destroyOnFinalize"] is False
    assert spec["serviceAccountName"] == resource(stack, "ServiceAccount")["metadata"]["name"]


@pytest.mark.parametrize("stack", STACKS)
def test_the_engine_is_the_one_that_the_program_is_locked_to(stack: str) -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    [version] = [each.partition("==")[2] for each in dependencies if each.startswith("pulumi==")]
    image = resource(stack, "Stack")["spec"]["workspaceTemplate"]["spec"]["image"]
    assert image == f"pulumi/pulumi:{version}-nonroot"


def test_production_waits_for_dev_and_stops_at_what_was_changed_by_hand() -> None:
    spec = resource("prod", "Stack")["spec"]
    assert [each["name"] for each in spec["prerequisites"]] == [resource("dev", "Stack")["metadata"]["name"]]
    assert spec["refresh"] is spec["expectNoRefreshChanges"] is True
