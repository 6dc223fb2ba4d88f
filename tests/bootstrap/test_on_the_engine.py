"""The bootstrap of an account on the real engine in the sandbox, under the policy pack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pulumi import automation

from sandbox.workspace import Sandbox
from tests.policies.engine import ROOT, Said, preview

PROJECTS = {
    "account-dev": ROOT / "bootstrap",
    "account-prod": ROOT / "bootstrap",
    "google": ROOT / "bootstrap" / "google",
    "github": ROOT / "bootstrap" / "github",
}
"""Stack to the directory of its project."""


@dataclass(frozen=True)
class Life:
    """What was said of the stack in turn."""

    stack: str
    before: Said
    made: automation.UpResult
    after: Said
    again: dict[str, int]


@pytest.fixture(scope="module", params=PROJECTS)
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    name = str(request.param)
    with Sandbox(tmp_path_factory.mktemp("sandbox"), checkout=PROJECTS[name]) as sandbox:
        before = preview(sandbox, name)
        stack = sandbox.stack(name)
        made = stack.up()
        again = {str(kind): count for kind, count in stack.preview().change_summary.items()}
        yield Life(name, before, made, preview(sandbox, name), again)


def test_no_rule_is_broken_before_the_deployment(life: Life) -> None:
    assert (life.before.violations, life.before.error) == (set(), "")


def test_no_rule_is_broken_by_what_is_known_after_it(life: Life) -> None:
    assert (life.after.violations, life.after.error) == (set(), "")


def test_it_is_deployed_once(life: Life) -> None:
    assert set(life.again) == {"same"}


def test_the_outputs_are_what_the_variables_of_the_workflows_take(life: Life) -> None:
    outputs = {name: output.value for name, output in life.made.outputs.items()}
    if life.stack == "github":
        # It takes the outputs of the others.
        assert outputs == {}
        return
    stacks = ["dev", "prod"] if life.stack == "google" else [life.stack.removeprefix("account-")]
    environments = {f"{task}{stack}" for stack in stacks for task in ("", "preview-", "drift-")}
    if life.stack == "google":
        assert set(outputs["gcp_accounts"]) == environments
        assert outputs["GCP_IDENTITY_PROVIDER"].endswith("/workloadIdentityPools/github/providers/github")
    else:
        assert set(outputs["aws_roles"]) == environments
        assert outputs["aws_roles"][stacks[0]] == f"arn:aws:iam::123456789012:role/pipeline-{stacks[0]}"
        assert outputs["PULUMI_BACKEND"].startswith("s3://auterity-bootstrap-")
