"""What the roles of a stack may do at most, whatever a deployment writes into them."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from bootstrap.state import State
from components.account import AwsAccount
from components.iam import Statement, policy

NAME = "auterity-boundary"
"""Name of the policy; stack files say it (``aws.permissions_boundary``)."""

IDENTITIES = (
    "account:*",
    "iam:Add*ToGroup",
    "iam:Add*ToOpenIDConnectProvider",
    "iam:Attach*",
    "iam:ChangePassword",
    "iam:Create*Provider",
    "iam:CreateAccessKey",
    "iam:CreateAccountAlias",
    "iam:CreateGroup",
    "iam:CreateLoginProfile",
    "iam:CreatePolicy*",
    "iam:CreateRole",
    "iam:CreateServiceSpecificCredential",
    "iam:CreateUser",
    "iam:CreateVirtualMFADevice",
    "iam:DeactivateMFADevice",
    "iam:Delete*PermissionsBoundary",
    "iam:Delete*Policy*",
    "iam:Delete*Provider",
    "iam:DeleteRole",
    "iam:DeleteUser",
    "iam:Detach*",
    "iam:Put*",
    "iam:ResetServiceSpecificCredential",
    "iam:SetDefaultPolicyVersion",
    "iam:Update*",
    "iam:Upload*",
    "identitystore:*",
    "organizations:*",
    "sso:*",
)
"""What makes, changes or lends identities. Nodes of EKS need instance profiles: these hand out a role that is bound."""


class Boundary(pulumi.ComponentResource):
    """The permissions boundary of every role that a deployment makes: it allows nothing by itself, and denies what
    would lead out of the stack.
    """

    arn: pulumi.Output[str]
    """ARN of the policy."""

    def __init__(
        self, name: str, account: AwsAccount, state: State, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("auterity:bootstrap:Boundary", name, None, opts)
        pipelines = [account.arn("iam", "role/pipeline-*", region="")]
        made = aws.iam.Policy(
            f"{name}-boundary",
            name=NAME,
            description="What the platform's roles may do at most",
            policy=policy(
                Statement(sid="WhatTheirPoliciesSay", actions=["*"], resources=["*"]),
                Statement(sid="NoIdentities", effect="Deny", actions=IDENTITIES, resources=["*"]),
                Statement(
                    sid="NoPipelines", effect="Deny", actions=["iam:PassRole", "sts:AssumeRole"], resources=pipelines
                ),
                *state.out_of_reach(),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = made.arn
        self.register_outputs({"arn": self.arn})
