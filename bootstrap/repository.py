"""How the repository on GitHub lets its pipelines deploy: environments, their variables, and the rules of main."""

from __future__ import annotations

import pulumi
import pulumi_github as github

from bootstrap.inputs import GithubBootstrapSettings
from bootstrap.pipelines import TASKS, Task, environment

GATE = "gate"
"""The check that stands for all others of a pull request, as .github/workflows/preview.yml names it."""

ACTIONS_APP = 15368
"""Id of the app that reports the checks of workflows, so that no other can report one of this name
(https://api.github.com/apps/github-actions).
"""


class Repository(pulumi.ComponentResource):
    """For each stack an environment for each task, who approves there, what its jobs know; and the rules of main."""

    def __init__(
        self, name: str, settings: GithubBootstrapSettings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("auterity:bootstrap:Repository", name, None, opts)
        self._settings = settings
        self._repository = settings.repository.partition("/")[2]
        self._own = pulumi.ResourceOptions(parent=self)
        for stack in settings.stacks:
            for task in TASKS:
                self._environment(task, stack)
        if settings.runner:
            github.ActionsVariable(
                f"{name}-runner",
                repository=self._repository,
                variable_name="RUNNER",
                value=settings.runner,
                opts=self._own,
            )
        self._rules(name)
        # What a job may do is what it asks for; what it runs is what somebody has read.
        github.WorkflowRepositoryPermissions(
            name,
            repository=self._repository,
            default_workflow_permissions="read",
            can_approve_pull_request_reviews=False,
            opts=self._own,
        )
        github.ActionsRepositoryPermissions(
            name,
            repository=self._repository,
            enabled=True,
            allowed_actions="all",
            sha_pinning_required=True,
            opts=self._own,
        )
        self.register_outputs({})

    def _environment(self, task: Task, stack: str) -> None:
        named = environment(task, stack)
        # A preview is of any branch: its role reads.
        main_alone = task != "preview"
        reviewed = task == "deploy" and stack in self._settings.reviewed
        made = github.RepositoryEnvironment(
            named,
            repository=self._repository,
            environment=named,
            can_admins_bypass=False,
            prevent_self_review=reviewed,
            reviewers=[github.RepositoryEnvironmentReviewerArgs(teams=list(self._settings.reviewers))]
            if reviewed
            else None,
            deployment_branch_policy=github.RepositoryEnvironmentDeploymentBranchPolicyArgs(
                protected_branches=False, custom_branch_policies=True
            )
            if main_alone
            else None,
            opts=self._own,
        )
        within = pulumi.ResourceOptions(parent=self, depends_on=[made])
        if main_alone:
            github.RepositoryEnvironmentDeploymentPolicy(
                f"{named}-main",
                repository=self._repository,
                environment=made.environment,
                branch_pattern="main",
                opts=within,
            )
        for variable, value in self.variables(task, stack).items():
            github.ActionsEnvironmentVariable(
                f"{named}-{variable}",
                repository=self._repository,
                environment=made.environment,
                variable_name=variable,
                value=value,
                opts=within,
            )

    def variables(self, task: Task, stack: str) -> dict[str, str]:
        """Return what the workflows know of a stack; roles and accounts have names that do not change."""
        account, google = self._settings.stacks[stack], self._settings.google
        found = {
            "AWS_REGION": account.region,
            "PULUMI_BACKEND": account.backend,
            f"AWS_{task.upper()}_ROLE": f"arn:aws:iam::{account.account_id}:role/pipeline-{environment(task, stack)}",
        }
        if google:
            found["GCP_IDENTITY_PROVIDER"] = google.identity_provider
            found[f"GCP_{task.upper()}_ACCOUNT"] = f"{task}-{stack}@{google.project}.iam.gserviceaccount.com"
        return found

    def _rules(self, name: str) -> None:
        github.RepositoryRuleset(
            f"{name}-main",
            name="main",
            repository=self._repository,
            target="branch",
            enforcement="active",
            conditions=github.RepositoryRulesetConditionsArgs(
                ref_name=github.RepositoryRulesetConditionsRefNameArgs(includes=["~DEFAULT_BRANCH"], excludes=[])
            ),
            rules=github.RepositoryRulesetRulesArgs(
                deletion=True,
                non_fast_forward=True,
                pull_request=github.RepositoryRulesetRulesPullRequestArgs(
                    required_approving_review_count=1,
                    require_code_owner_review=True,
                    require_last_push_approval=True,
                    dismiss_stale_reviews_on_push=True,
                    required_review_thread_resolution=True,
                ),
                required_status_checks=github.RepositoryRulesetRulesRequiredStatusChecksArgs(
                    strict_required_status_checks_policy=True,
                    required_checks=[
                        github.RepositoryRulesetRulesRequiredStatusChecksRequiredCheckArgs(
                            context=GATE, integration_id=ACTIONS_APP
                        )
                    ],
                ),
            ),
            opts=self._own,
        )
