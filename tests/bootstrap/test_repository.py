"""The settings of the repository on GitHub, on recording mocks."""

from __future__ import annotations

import json
import runpy
from functools import cache
from typing import Any

import pytest
import yaml

from bootstrap.inputs import load_github
from bootstrap.pipelines import TASKS
from bootstrap.repository import GATE
from settings import SettingsError
from tests.bootstrap.roles import ENVIRONMENTS, texts
from tests.delivery.test_workflows import WORKFLOWS, jobs, workflow
from tests.unit.programs import ROOT
from tests.unit.recording import Recording, record

DIRECTORY = ROOT / "bootstrap" / "github"


def config(**changes: Any) -> dict[str, str]:
    document = yaml.safe_load((DIRECTORY / "Pulumi.github.yaml").read_text())["config"]
    return texts({**document, **{f"auterity-bootstrap-github:{key}": value for key, value in changes.items()}})


@cache
def made(changes: str = "{}") -> Recording:
    program = str(DIRECTORY / "__main__.py")
    given = config(**json.loads(changes))
    return record(lambda: runpy.run_path(program, run_name="__main__"), stack="github", config=given)


def environments() -> dict[str, dict[str, Any]]:
    found = made().of_type("github:index/repositoryEnvironment:RepositoryEnvironment")
    return {each.inputs["environment"]: dict(each.inputs) for each in found}


def variables(environment: str) -> dict[str, str]:
    found = made().of_type("github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable")
    return {e.inputs["variableName"]: e.inputs["value"] for e in found if e.inputs["environment"] == environment}


def test_each_task_of_each_stack_has_an_environment() -> None:
    assert set(environments()) == set(ENVIRONMENTS)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_changes_or_reads_secrets_is_done_by_main_alone(environment: str) -> None:
    found = made().of_type("github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy")
    admitted = [each.inputs["branchPattern"] for each in found if each.inputs["environment"] == environment]
    assert admitted == ([] if environment.startswith("preview-") else ["main"])
    assert ("deploymentBranchPolicy" in environments()[environment]) is bool(admitted)


def test_production_is_approved_by_somebody_else_and_nobody_passes_by() -> None:
    for name, found in environments().items():
        assert found["canAdminsBypass"] is False
        assert bool(found.get("reviewers")) is found["preventSelfReview"] is (name == "prod")
    assert environments()["prod"]["reviewers"] == [{"teams": [1000001]}]


def test_every_variable_of_the_workflows_is_set_where_it_is_read() -> None:
    # RUNNER is the repository's; the image's job is in dev's environment.
    for task in TASKS:
        names = {"AWS_REGION", "PULUMI_BACKEND", "GCP_IDENTITY_PROVIDER"}
        names |= {f"AWS_{task.upper()}_ROLE", f"GCP_{task.upper()}_ACCOUNT"}
        assert set(variables("prod" if task == "deploy" else f"{task}-prod")) == names
    read = set()
    for path in WORKFLOWS:
        text = path.read_text()
        read |= {part.split(" ")[0].split("}")[0].strip() for part in text.split("vars.")[1:]}
    known = {name for each in ENVIRONMENTS for name in variables(each)}
    assert {each.strip() for each in (name.splitlines()[0] for name in read)} == known | {"RUNNER"}


def test_a_variable_names_the_role_that_the_account_s_bootstrap_makes() -> None:
    assert variables("drift-prod")["AWS_DRIFT_ROLE"] == "arn:aws:iam::123456789012:role/pipeline-drift-prod"
    assert variables("dev")["AWS_DEPLOY_ROLE"] == "arn:aws:iam::111111111111:role/pipeline-dev"
    assert variables("preview-dev")["GCP_PREVIEW_ACCOUNT"] == "preview-dev@auterity-backups.iam.gserviceaccount.com"


def test_main_takes_what_the_gate_and_the_code_s_owners_have_passed() -> None:
    rules = made().only("github:index/repositoryRuleset:RepositoryRuleset").inputs
    assert rules["enforcement"] == "active"
    assert "bypassActors" not in rules
    wanted = rules["rules"]["requiredStatusChecks"]["requiredChecks"]
    assert [each["context"] for each in wanted] == [GATE]
    assert rules["rules"]["pullRequest"]["requireCodeOwnerReview"] is True
    # The name of a job is the name of its check.
    assert workflow("preview")["gate"]["name"] == GATE
    assert [name for path in WORKFLOWS for name, job in jobs(path).items() if job.get("name") == GATE] == ["gate"]


def test_a_runner_is_named_where_there_is_one() -> None:
    assert made().of_type("github:index/actionsVariable:ActionsVariable") == []
    found = made(json.dumps({"runner": "fixed-address"})).only("github:index/actionsVariable:ActionsVariable")
    assert found.inputs["value"] == "fixed-address"


@pytest.mark.parametrize(
    ("key", "value"),
    [("repository", "name"), ("reviewers", []), ("reviewers", [1, 2, 3, 4, 5, 6, 7]), ("reviewed", ["staging"])],
)
def test_a_wrong_input_is_named(key: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=key):
        load_github(config(**{key: value}))
