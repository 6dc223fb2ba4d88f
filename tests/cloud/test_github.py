"""The simulated GitHub refuses what GitHub refuses."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cloud.errors import CloudError
from sandbox.cloud.github import ENVIRONMENT, ENVIRONMENT_VARIABLE, POLICY
from sandbox.cloud.server import Cloud
from tests.cloud.hands import Hands, Refused

WHERE = {"repository": "infrastructure", "environment": "prod"}


@pytest.fixture
def github(cloud: Cloud) -> Hands:
    return Hands(cloud, "github")


def test_an_environment_is_there_once(github: Hands) -> None:
    github.create(ENVIRONMENT, "prod", **WHERE)
    with pytest.raises(CloudError, match="already exists: infrastructure:prod"):
        github.create(ENVIRONMENT, "again", **WHERE)


def test_a_variable_is_in_an_environment_that_there_is(github: Hands) -> None:
    variable: dict[str, Any] = {**WHERE, "variableName": "AWS_REGION", "value": "us-east-1"}
    with pytest.raises(CloudError, match="404 Not Found: environment infrastructure:prod"):
        github.create(ENVIRONMENT_VARIABLE, "region", **variable)
    github.create(ENVIRONMENT, "prod", **WHERE)
    assert github.create(ENVIRONMENT_VARIABLE, "region", **variable)["value"] == "us-east-1"


def test_a_branch_is_admitted_where_branches_are_named(github: Hands) -> None:
    github.create(ENVIRONMENT, "prod", **WHERE)
    with pytest.raises(CloudError, match="no custom branch policies"):
        github.create(POLICY, "main", **WHERE, branchPattern="main")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"reviewers": [{"teams": [1, 2, 3, 4, 5, 6, 7]}]}, "at most 6"),
        ({"deploymentBranchPolicy": {"protectedBranches": True, "customBranchPolicies": True}}, "are the same"),
    ],
)
def test_what_github_refuses_is_refused(github: Hands, given: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        github.create(ENVIRONMENT, "prod", **WHERE, **given)
