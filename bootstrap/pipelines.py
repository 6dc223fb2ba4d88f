"""Who of the pipelines is who in AWS: a role for each of GitHub's environments, taken without any key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from bootstrap.rights import BOUND_ROLES, CHANGES, PASSED_TO, READS, ROLES
from bootstrap.state import State
from components.account import AwsAccount
from components.iam import Statement, policy
from settings import PROJECT

ISSUER = "token.actions.githubusercontent.com"
"""Whose tokens the pipelines show (https://docs.github.com/en/actions/reference/security/oidc)."""

AUDIENCE = "sts.amazonaws.com"
"""For whom aws-actions/configure-aws-credentials asks them to be made."""

HANDED_KEYS = ("backup", "ecr", "elasticache", "mq", "rds", "secretsmanager")
"""Services to which a deployment hands keys of its stack, and which use them in its name."""

Task = Literal["preview", "drift", "deploy"]

TASKS: tuple[Task, ...] = ("preview", "drift", "deploy")
"""A preview reads for anybody who opens a pull request; a look for drift, which is main's alone, reads secrets, too."""

SESSION_SECONDS: dict[Task, int] = {"preview": 3600, "drift": 3600, "deploy": 9000}
"""Seconds for which credentials may be asked at most. A job's have to outlive it: an engine that loses them in the
middle of a deployment can neither record what it has made nor give its lock back. An hour is the least that IAM knows.
"""

DOES: dict[Task, str] = {"preview": "Previews", "drift": "Looks for drift in", "deploy": "Deploys"}


def environment(task: Task, stack: str) -> str:
    """Return the environment of GitHub in which a pipeline does a task, as the workflows name it."""
    return stack if task == "deploy" else f"{task}-{stack}"


def subject(repository: str, task: Task, stack: str) -> str:
    """Return the one subject that a token for a task has.

    The repository stands in it by its names, or with the ids of owner and repository (``owner@1/name@2``): GitHub
    writes them for each that was made, renamed or transferred since 15 July 2026, or has opted in
    (https://docs.github.com/en/actions/concepts/security/openid-connect).
    """
    return f"repo:{repository}:environment:{environment(task, stack)}"


@dataclass(frozen=True)
class PipelinesArgs:
    """Whose pipelines they are, and what they work on.

    Attributes:
        account: the AWS account.
        repository: the repository on GitHub as its tokens name it.
        stacks: names of the stacks.
        state: where their state is.
        boundary_arn: ARN of the permissions boundary of every role that they make.
        disposable: stacks that a pipeline may take down with all objects in their buckets.
    """

    account: AwsAccount
    repository: str
    stacks: Sequence[str]
    state: State
    boundary_arn: pulumi.Input[str]
    disposable: Sequence[str] = ()


class Pipelines(pulumi.ComponentResource):
    """GitHub as an identity provider, and for each stack a role for each task."""

    roles: dict[str, pulumi.Output[str]]
    """Environment of GitHub to the ARN of the role for it."""

    def __init__(self, name: str, args: PipelinesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("auterity:bootstrap:Pipelines", name, None, opts)
        self._own = pulumi.ResourceOptions(parent=self)
        # AWS knows the issuer's certificate by its own list of authorities: no thumbprint.
        provider = aws.iam.OpenIdConnectProvider(
            name, url=f"https://{ISSUER}", client_id_lists=[AUDIENCE], opts=self._own
        )
        reads = aws.iam.Policy(
            f"{name}-reads",
            description="How the platform's resources are looked at, and not into",
            policy=policy(*on_all(READS)),
            opts=self._own,
        )
        changes = aws.iam.Policy(
            f"{name}-changes",
            description="What the platform is made of, except for roles",
            policy=policy(*on_all(CHANGES)),
            opts=self._own,
        )
        self.roles = {
            environment(task, stack): self._role(
                f"pipeline-{environment(task, stack)}", task, stack, args, provider, reads, changes
            )
            for stack in args.stacks
            for task in TASKS
        }
        self.register_outputs({"roles": self.roles})

    def _role(
        self,
        name: str,
        task: Task,
        stack: str,
        args: PipelinesArgs,
        provider: aws.iam.OpenIdConnectProvider,
        reads: aws.iam.Policy,
        changes: aws.iam.Policy,
    ) -> pulumi.Output[str]:
        role = aws.iam.Role(
            name,
            # A name that does not change: the variables of the repository hold it.
            name=name,
            description=f"{DOES[task]} {stack} from {args.repository}",
            assume_role_policy=policy(trust(provider.arn, subject(args.repository, task, stack))),
            max_session_duration=SESSION_SECONDS[task],
            opts=self._own,
        )
        attached = {"reads": reads.arn}
        own: Sequence[Statement]
        if task == "preview":
            own = args.state.reading(stack)
        elif task == "drift":
            own = (*args.state.reading(stack), reads_secrets(args.account, stack))
        else:
            attached["changes"] = changes.arn
            roles = on_roles(args.account, stack, args.boundary_arn)
            own = (*args.state.writing(stack), *roles, reads_secrets(args.account, stack))
            own = (*own, *empties(args.account, stack)) if stack in args.disposable else own
        for purpose, arn in attached.items():
            aws.iam.RolePolicyAttachment(f"{name}-{purpose}", role=role.name, policy_arn=arn, opts=self._own)
        aws.iam.RolePolicy(name, role=role.name, policy=policy(*own), opts=self._own)
        if task != "preview":
            # By itself, as it is the one that is exempt from a rule.
            keys = policy(uses_keys(args.account, task))
            aws.iam.RolePolicy(f"{name}-keys", role=role.name, policy=keys, opts=self._own)
        return role.arn


def trust(provider_arn: pulumi.Output[str], one: str) -> Statement:
    """Let tokens for one subject take a role: compared whole, so that no other repository's or branch's fits."""
    return Statement(
        sid="Pipeline",
        actions=["sts:AssumeRoleWithWebIdentity"],
        principal={"Federated": provider_arn},
        conditions={"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": one}},
    )


def on_all(table: Mapping[str, Sequence[str]]) -> list[Statement]:
    """Let a pipeline do what a table says, a statement for each service.

    On all resources: what a deployment makes has no ARN yet. Accounts are what separates stacks.
    """
    return [
        Statement(
            sid=service.title().replace("-", ""), actions=[f"{service}:{each}" for each in actions], resources=["*"]
        )
        for service, actions in table.items()
    ]


def on_roles(account: AwsAccount, stack: str, boundary_arn: pulumi.Input[str]) -> list[Statement]:
    """Let a deployment change the roles of its own stack: not its own role, no other stack's, and none unbound.

    Without a boundary, who may make a role may make an administrator, and hand it to a machine of its own
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html).
    """
    own = [account.arn("iam", f"role/{PROJECT}-{stack}-*", region="")]
    return [
        Statement(sid="OwnRoles", actions=[f"iam:{each}" for each in ROLES], resources=own),
        Statement(
            sid="BoundRoles",
            actions=[f"iam:{each}" for each in BOUND_ROLES],
            resources=own,
            conditions={"StringEquals": {"iam:PermissionsBoundary": boundary_arn}},
        ),
        Statement(
            sid="HandedRoles",
            actions=["iam:PassRole"],
            resources=own,
            conditions={"StringEquals": {"iam:PassedToService": list(PASSED_TO)}},
        ),
        Statement(
            sid="RolesOfServices",
            actions=["iam:CreateServiceLinkedRole"],
            resources=[account.arn("iam", "role/aws-service-role/*", region="")],
        ),
        Statement(
            sid="NoAdministrators",
            effect="Deny",
            actions=["iam:AttachRolePolicy"],
            resources=["*"],
            conditions={
                "ArnLike": {
                    "iam:PolicyARN": [
                        f"arn:*:iam::aws:policy/{each}" for each in ("AdministratorAccess*", "IAM*", "PowerUserAccess")
                    ]
                }
            },
        ),
    ]


def empties(account: AwsAccount, stack: str) -> list[Statement]:
    """Let a deployment delete what is kept in the buckets of its own stack, as the provider's ``force_destroy`` does.

    Source: ``emptyBucket`` of https://github.com/hashicorp/terraform-provider-aws, internal/service/s3.
    """
    bucket = pulumi.Output.format("arn:{0}:s3:::{1}-{2}-*", account.partition, PROJECT, stack)
    return [
        Statement(sid="ListVersions", actions=["s3:ListBucketVersions"], resources=[bucket]),
        Statement(
            sid="DeleteObjects",
            actions=["s3:DeleteObject", "s3:DeleteObjectVersion"],
            resources=[pulumi.Output.concat(bucket, "/*")],
        ),
    ]


def reads_secrets(account: AwsAccount, stack: str) -> Statement:
    """Let a pipeline read the secrets that the stack itself makes: the provider reads what it has written."""
    return Statement(
        sid="OwnSecrets",
        actions=["secretsmanager:GetSecretValue"],
        resources=[account.arn("secretsmanager", f"secret:{PROJECT}-{stack}/*")],
    )


def uses_keys(account: AwsAccount, task: Task) -> Statement:
    """Let a pipeline use keys through the services that it hands them to, and not by itself.

    The keys of a stack have no ARN before they are made, and what a key's aliases and tags allow may count only minutes
    later; through which service a call comes counts from the first one. What of a service a pipeline may touch, its
    other rights say: of secrets those of its own stack.

    Sources: https://docs.aws.amazon.com/kms/latest/developerguide/abac.html,
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service.
    """
    changing = ("kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*") if task == "deploy" else ()
    through = [f"{service}.*.amazonaws.com" for service in (HANDED_KEYS if task == "deploy" else ("secretsmanager",))]
    return Statement(
        sid="KeysOfServices",
        actions=["kms:Decrypt", *changing],
        resources=[account.arn("kms", "key/*", region="*")],
        conditions={"StringLike": {"kms:ViaService": through}},
    )
