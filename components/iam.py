"""IAM policy documents and roles, as values that are written once and the same way everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

Conditions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Statement:
    """One ``Allow`` statement of a policy document.

    Attributes:
        sid: what the statement is for, in letters and digits.
        actions: such as ``logs:PutLogEvents``.
        resources: ARNs; ``*`` only where the action knows no resource, or in a resource's own policy.
        principal: who, in a resource's own policy or a trust policy: ``{"Service": …}`` or ``{"AWS": …}``.
        conditions: operator to condition key to value.
    """

    sid: str
    actions: Sequence[str]
    resources: Sequence[pulumi.Input[str]] = ()
    principal: Mapping[str, pulumi.Input[Any]] | None = None
    conditions: Mapping[str, Mapping[str, pulumi.Input[Any]]] | None = None
    effect: str = "Allow"

    def document(self) -> dict[str, Any]:
        """Return the statement in the shape of IAM's policy grammar."""
        statement: dict[str, Any] = {"Sid": self.sid, "Effect": self.effect}
        if self.principal is not None:
            statement["Principal"] = dict(self.principal)
        statement["Action"] = list(self.actions)
        if self.resources:
            statement["Resource"] = list(self.resources)
        if self.conditions:
            statement["Condition"] = {operator: dict(keys) for operator, keys in self.conditions.items()}
        return statement


def policy(*statements: Statement) -> pulumi.Output[str]:
    """Write a policy document as JSON (policy language version 2012-10-17)."""
    document = {"Version": "2012-10-17", "Statement": [statement.document() for statement in statements]}
    return pulumi.Output.json_dumps(document)


def service_trust(
    service: str,
    account_id: pulumi.Input[str] | None = None,
    source_arn: pulumi.Input[str] | None = None,
) -> pulumi.Output[str]:
    """Write the trust policy that lets an AWS service take a role.

    Args:
        service: its principal, such as ``monitoring.rds.amazonaws.com``.
        account_id: only on behalf of this account, against the confused deputy
            (https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html).
        source_arn: only on behalf of resources whose ARN is like this one.
    """
    conditions: dict[str, Mapping[str, pulumi.Input[Any]]] = {}
    if account_id is not None:
        conditions["StringEquals"] = {"aws:SourceAccount": account_id}
    if source_arn is not None:
        conditions["ArnLike"] = {"aws:SourceArn": source_arn}
    return policy(
        Statement(
            sid="ServiceMayAssume", actions=["sts:AssumeRole"], principal={"Service": service}, conditions=conditions
        )
    )


def role_with(
    name: str,
    description: str,
    trust: pulumi.Output[str],
    statements: Sequence[Statement],
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """Make a role with an inline policy, and return its ARN, known once the role can do its work.

    Args:
        name: name of the role and of its policy.
        description: whose role it is.
        trust: who may take it, as JSON.
        statements: what it may do; none: it gets no policy.
        parent: component that it belongs to.
    """
    own = pulumi.ResourceOptions(parent=parent)
    role = aws.iam.Role(name, description=description, assume_role_policy=trust, opts=own)
    if not statements:
        arn: pulumi.Output[str] = role.arn
        return arn
    rights = aws.iam.RolePolicy(name, role=role.name, policy=policy(*statements), opts=own)
    return pulumi.Output.all(role.arn, rights.id).apply(lambda values: str(values[0]))
