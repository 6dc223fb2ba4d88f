"""The simulated GitHub: the settings of a repository, as far as the bootstrap makes them.

Sources: https://docs.github.com/en/rest/deployments/environments, https://docs.github.com/en/rest/actions/variables,
https://docs.github.com/en/rest/repos/rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloud.errors import CloudError
from sandbox.cloud.provider import Draft, SimulatedProvider
from sandbox.cloud.sdk_types import Problem, SdkType
from sandbox.cloud.store import Resource

ENVIRONMENT = "github:index/repositoryEnvironment:RepositoryEnvironment"
POLICY = "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy"
VARIABLE = "github:index/actionsVariable:ActionsVariable"
ENVIRONMENT_VARIABLE = "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable"
RULESET = "github:index/repositoryRuleset:RepositoryRuleset"
ACTIONS = "github:index/actionsRepositoryPermissions:ActionsRepositoryPermissions"
WORKFLOWS = "github:index/workflowRepositoryPermissions:WorkflowRepositoryPermissions"

IDENTIFIED_BY: Mapping[str, tuple[str, ...]] = {
    ENVIRONMENT: ("repository", "environment"),
    POLICY: ("repository", "environment", "branchPattern"),
    VARIABLE: ("repository", "variableName"),
    ENVIRONMENT_VARIABLE: ("repository", "environment", "variableName"),
    RULESET: ("repository", "name"),
    ACTIONS: ("repository",),
    WORKFLOWS: ("repository",),
}
"""What there is once: the inputs by which GitHub tells one from the other."""

MOST_REVIEWERS = 6


class GithubProvider(SimulatedProvider):
    """Keeps the settings of repositories; repositories themselves are there, whatever they are called."""

    package = "github"

    def problems(self, kind: SdkType, inputs: Mapping[str, Any]) -> list[Problem]:
        """Judge what GitHub's API refuses by itself."""
        if kind.token not in IDENTIFIED_BY:
            return [Problem("", f"the simulated GitHub cannot make a {kind.token}")]
        found = []
        for each in inputs.get("reviewers") or ():
            if isinstance(each, Mapping):
                named = [*(each.get("teams") or ()), *(each.get("users") or ())]
                if len(named) > MOST_REVIEWERS:
                    found.append(Problem("reviewers", f"at most {MOST_REVIEWERS} are allowed, got {len(named)}"))
        policy = inputs.get("deploymentBranchPolicy")
        if isinstance(policy, Mapping) and policy.get("protectedBranches") == policy.get("customBranchPolicies"):
            found.append(Problem("deploymentBranchPolicy", "protectedBranches and customBranchPolicies are the same"))
        return found

    def make(self, draft: Draft) -> Resource:
        """Keep a setting, for an environment that there is."""
        id = ":".join(str(draft.inputs.get(each, "")) for each in IDENTIFIED_BY[draft.kind.token])
        if self.store.find(id, draft.kind.token):
            raise CloudError(f"422 already exists: {id}")
        if draft.kind.token in (POLICY, ENVIRONMENT_VARIABLE):
            self._in_environment(draft)
        return self.stored(draft, id, dict(draft.inputs))

    def alter(self, resource: Resource, draft: Draft) -> Resource:
        """Keep another value of a setting."""
        return self.stored(draft, resource.id, {**resource.outputs, **draft.inputs}, resource.number)

    def destroy(self, resource: Resource) -> None:
        """Forget a setting."""
        self.store.remove(resource)

    def _in_environment(self, draft: Draft) -> None:
        where = f"{draft.inputs['repository']}:{draft.inputs['environment']}"
        found = self.store.find(where, ENVIRONMENT)
        if not found:
            raise CloudError(f"404 Not Found: environment {where}")
        policy = found[0].outputs.get("deploymentBranchPolicy") or {}
        if draft.kind.token == POLICY and not policy.get("customBranchPolicies"):
            raise CloudError(f"404 Not Found: environment {where} has no custom branch policies")
