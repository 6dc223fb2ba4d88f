"""The stacks as resources of the Pulumi Kubernetes Operator."""

from __future__ import annotations

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


def test_production_waits_for_dev() -> None:
    spec = resource("prod", "Stack")["spec"]
    assert [each["name"] for each in spec["prerequisites"]] == [resource("dev", "Stack")["metadata"]["name"]]


@pytest.mark.parametrize("stack", STACKS)
def test_no_field_is_set_that_the_operator_of_this_version_refuses(stack: str) -> None:
    # ValidateStack of v2.9.0, operator/internal/controller/pulumi/migration.go.
    assert "expectNoRefreshChanges" not in resource(stack, "Stack")["spec"]


@pytest.mark.parametrize("stack", STACKS)
def test_a_private_repository_can_be_read(stack: str) -> None:
    app = resource(stack, "Stack")["spec"]["gitAuth"]["githubApp"]
    assert set(app) == {"appID", "installationID", "privateKey"}
    assert {each["type"] for each in app.values()} == {"Secret"}
    assert {each["secret"]["name"] for each in app.values()} == {"auterity-repository"}
