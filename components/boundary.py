"""The permissions boundary of a stack's roles."""

from __future__ import annotations

import pulumi

ROLE = "aws:iam/role:Role"


def bound_roles(policy_arn: pulumi.Input[str]) -> None:
    """Give every role that the program makes from here on a permissions boundary.

    For the whole stack, not role by role, so that none is made without: the pipelines' rights refuse such a role
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html).

    Args:
        policy_arn: ARN of the managed policy that is the boundary.
    """

    def bound(made: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if made.type_ != ROLE:
            return None
        return pulumi.ResourceTransformationResult({**made.props, "permissions_boundary": policy_arn}, made.opts)

    pulumi.runtime.register_stack_transformation(bound)
