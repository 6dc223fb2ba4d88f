"""The bootstrap of an account on the real engine in the sandbox, under the policy pack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pulumi import automation

from sandbox.workspace import Sandbox
from tests.policies.engine import ROOT, Said, preview

STACK = "account"


@dataclass(frozen=True)
class Life:
    """What was said of the stack in turn."""

    before: Said
    made: automation.UpResult
    after: Said
    again: dict[str, int]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with Sandbox(tmp_path_factory.mktemp("sandbox"), checkout=ROOT / "bootstrap") as sandbox:
        before = preview(sandbox, STACK)
        stack = sandbox.stack(STACK)
        made = stack.up()
        again = {str(kind): count for kind, count in stack.preview().change_summary.items()}
        yield Life(before, made, preview(sandbox, STACK), again)


def test_no_rule_is_broken_before_the_deployment(life: Life) -> None:
    assert (life.before.violations, life.before.error) == (set(), "")


def test_no_rule_is_broken_by_what_is_known_after_it(life: Life) -> None:
    assert (life.after.violations, life.after.error) == (set(), "")


def test_it_is_deployed_once(life: Life) -> None:
    assert set(life.again) == {"same"}


def test_the_outputs_are_what_the_variables_of_the_workflows_take(life: Life) -> None:
    outputs = {name: output.value for name, output in life.made.outputs.items()}
    environments = {"dev", "prod", "preview-dev", "preview-prod", "drift-dev", "drift-prod"}
    assert set(outputs["aws_roles"]) == set(outputs["gcp_accounts"]) == environments
    assert outputs["aws_roles"]["prod"] == "arn:aws:iam::123456789012:role/pipeline-prod"
    providers = {outputs[name] for name in ("secrets_provider", "secrets_provider_dev", "secrets_provider_prod")}
    assert len(providers) == 3
    assert all(each.startswith("awskms:///arn:aws:kms:us-east-1:") for each in providers)
    assert outputs["PULUMI_BACKEND"].startswith("s3://auterity-bootstrap-")
