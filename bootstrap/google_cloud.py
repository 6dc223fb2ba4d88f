"""Who of the pipelines is who in Google Cloud: a service account for each environment, without any key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from bootstrap.pipelines import ISSUER, TASKS, Task, environment, subject

APIS = ("cloudkms", "cloudresourcemanager", "iam", "iamcredentials", "storage", "sts")
"""What has to be switched on in the project."""

LOGGED = ("cloudkms", "storage")
"""Services of which every access is logged (https://cloud.google.com/logging/docs/audit/configure-data-access)."""

READS = (
    "cloudkms.cryptoKeys.get",
    "cloudkms.cryptoKeys.getIamPolicy",
    "cloudkms.keyRings.get",
    "iam.workloadIdentityPoolProviders.get",
    "iam.workloadIdentityPools.get",
    "resourcemanager.projects.get",
    "storage.buckets.get",
    "storage.buckets.getIamPolicy",
)
CHANGES = (
    "cloudkms.cryptoKeyVersions.destroy",
    "cloudkms.cryptoKeyVersions.list",
    "cloudkms.cryptoKeys.create",
    "cloudkms.cryptoKeys.setIamPolicy",
    "cloudkms.cryptoKeys.update",
    "cloudkms.keyRings.create",
    "iam.workloadIdentityPoolProviders.create",
    "iam.workloadIdentityPoolProviders.delete",
    "iam.workloadIdentityPoolProviders.update",
    "iam.workloadIdentityPools.create",
    "iam.workloadIdentityPools.delete",
    "iam.workloadIdentityPools.update",
    "storage.buckets.create",
    "storage.buckets.delete",
    "storage.buckets.setIamPolicy",
    "storage.buckets.update",
)
PERMISSIONS: Mapping[Task, Sequence[str]] = {"preview": READS, "drift": READS, "deploy": (*READS, *CHANGES)}
"""What a pipeline does to the backups' bucket, its key and who may reach it; to no object in it
(https://cloud.google.com/iam/docs/permissions-reference).
"""


@dataclass(frozen=True)
class GooglePipelinesArgs:
    """Whose pipelines they are, and where they work.

    Attributes:
        project: id of the project.
        repository: the repository on GitHub as its tokens name it.
        stacks: names of the stacks.
    """

    project: str
    repository: str
    stacks: Sequence[str]


class GooglePipelines(pulumi.ComponentResource):
    """GitHub as an identity provider, and for each stack a service account for each task."""

    provider: pulumi.Output[str]
    """Resource name of the workload identity provider."""

    accounts: dict[str, pulumi.Output[str]]
    """Environment of GitHub to the e-mail address of the service account for it."""

    def __init__(self, name: str, args: GooglePipelinesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:bootstrap:GooglePipelines", name, None, opts)
        on = [
            gcp.projects.Service(
                f"{name}-{api}",
                project=args.project,
                service=f"{api}.googleapis.com",
                # Others may use it when this stack no longer does.
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for api in APIS
        ]
        for api in LOGGED:
            # Who reads backups leaves a trace that no role of a stack can switch off; Google logs no read by default.
            gcp.projects.IAMAuditConfig(
                f"{name}-{api}",
                project=args.project,
                service=f"{api}.googleapis.com",
                audit_log_configs=[
                    gcp.projects.IAMAuditConfigAuditLogConfigArgs(log_type=kind)
                    for kind in ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
                ],
                opts=pulumi.ResourceOptions(parent=self, depends_on=on),
            )
        self._name, self._args = name, args
        self._own = pulumi.ResourceOptions(parent=self, depends_on=on)
        pool = gcp.iam.WorkloadIdentityPool(
            name,
            project=args.project,
            workload_identity_pool_id="github",
            display_name="Pipelines on GitHub",
            opts=self._own,
        )
        subjects = [subject(args.repository, task, stack) for stack in args.stacks for task in TASKS]
        provider = gcp.iam.WorkloadIdentityPoolProvider(
            name,
            project=args.project,
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="github",
            oidc=gcp.iam.WorkloadIdentityPoolProviderOidcArgs(issuer_uri=f"https://{ISSUER}"),
            attribute_mapping={"google.subject": "assertion.sub"},
            # The issuer is the same for everybody on GitHub.
            attribute_condition=" || ".join(f"assertion.sub == '{one}'" for one in subjects),
            opts=self._own,
        )
        self.provider = provider.name
        self.accounts = {}
        for task in TASKS:
            role = gcp.projects.IAMCustomRole(
                f"{name}-{task}",
                project=args.project,
                role_id=f"auterityPipeline{task.title()}",
                title=f"Auterity: {task}",
                permissions=list(PERMISSIONS[task]),
                opts=self._own,
            )
            for stack in args.stacks:
                self.accounts[environment(task, stack)] = self._account(task, stack, role, pool)
        self.register_outputs({"provider": self.provider, "accounts": self.accounts})

    def _account(
        self, task: Task, stack: str, role: gcp.projects.IAMCustomRole, pool: gcp.iam.WorkloadIdentityPool
    ) -> pulumi.Output[str]:
        logical = f"{self._name}-{task}-{stack}"
        account = gcp.serviceaccount.Account(
            logical,
            project=self._args.project,
            account_id=f"{task}-{stack}",
            display_name=f"Pipelines: {task} of {stack}",
            opts=self._own,
        )
        one = subject(self._args.repository, task, stack)
        gcp.serviceaccount.IAMMember(
            logical,
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=pulumi.Output.concat("principal://iam.googleapis.com/", pool.name, "/subject/", one),
            opts=self._own,
        )
        gcp.projects.IAMMember(
            logical, project=self._args.project, role=role.name, member=account.member, opts=self._own
        )
        return account.email
