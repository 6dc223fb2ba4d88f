"""pulumi-policy unpacks what it shows for each policy that is not disabled: those that would find nothing are."""

from __future__ import annotations

from collections.abc import Iterable

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import unknown_checking_proxy

from policies.catalogue import RULES
from policies.config import Settings
from policies.pack import Pack
from policies.rules import Environment
from tests.policies.harness import OPTIONS, TODAY, Outcome, hear, urn

VPC = "aws:ec2/vpc:Vpc"


def asked(policies: Iterable[Policy]) -> set[str]:
    return {policy.name for policy in policies if policy.enforcement_level is not EnforcementLevel.DISABLED}


def test_of_the_rules_of_the_whole_stack_those_are_asked_that_find_something() -> None:
    held = PolicyResource(
        VPC, unknown_checking_proxy({"id": "vpc-1"}), urn(VPC, "net"), "net", OPTIONS, None, None, [], {}
    )
    whole = StackValidationArgs([held])
    policies = Pack(Settings(required_tags=[]), RULES, Environment.PROD, TODAY).policies()
    first, *others, judge = (policy for policy in policies if isinstance(policy, StackValidationPolicy))
    all_of_them = asked(others)
    hear(first, whole, Outcome())
    assert asked(others) == {"aws-flow-log-per-vpc", "aws-default-security-group-closed"} - {first.name}
    hear(judge, whole, Outcome())
    assert asked(others) == all_of_them


def test_of_the_rules_of_one_resource_those_are_asked_that_find_something() -> None:
    database = "aws:rds/instance:Instance"
    given = unknown_checking_proxy({"publiclyAccessible": True, "storageEncrypted": True})
    args = ResourceValidationArgs(database, given, urn(database, "db"), "db", OPTIONS, None)
    policies = Pack(Settings(required_tags=[]), RULES, Environment.DEV, TODAY).policies()
    recorder, *others = (policy for policy in policies if isinstance(policy, ResourceValidationPolicy))
    hear(recorder, args, Outcome())
    assert "aws-database-not-public" in asked(others)
    assert "aws-database-encrypted" not in asked(others)
