"""pulumi-policy unpacks what it shows for each policy that it comes to: it comes to those alone that find something.

Its own servicer is asked as the engine asks it, which tells it every policy's level first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel, Policy, ResourceValidationPolicy, StackValidationPolicy
from pulumi_policy.policy import _PolicyAnalyzerServicer

from policies.catalogue import RULES
from policies.config import Exemption, Settings
from policies.pack import EXEMPTIONS, RECORDER, Pack
from policies.rules import Environment
from tests.policies.harness import TODAY, urn

VPC = "aws:ec2/vpc:Vpc"
DATABASE = "aws:rds/instance:Instance"
PASSWORD = "random:index/randomPassword:RandomPassword"


class Asked:
    """The pack as the engine has it, and which of its policies were shown something since that was last read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *exemptions: Exemption) -> None:
        self._names: list[str] = []
        for kind in (ResourceValidationPolicy, StackValidationPolicy):
            monkeypatch.setattr(kind, "validate", self._noting(kind.validate))
        settings = Settings(required_tags=[], exemptions=list(exemptions))
        policies = Pack(settings, RULES, Environment.PROD, TODAY).policies()
        self.engine = cast(Any, _PolicyAnalyzerServicer("pack", "0.0.1", policies, EnforcementLevel.MANDATORY))
        levels = analyzer_pb2.ConfigureAnalyzerRequest()
        for policy in self.engine.GetAnalyzerInfo(None, None).policies:
            levels.policyConfig[policy.name].enforcementLevel = policy.enforcementLevel
        self.engine.Configure(levels, None)

    def _noting(self, validate: Callable[..., Any]) -> Callable[..., Any]:
        def noting(policy: Policy, *given: Any) -> Any:
            self._names.append(policy.name)
            return validate(policy, *given)

        return noting

    def names(self) -> Iterator[str]:
        while self._names:
            yield self._names.pop(0)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(monkeypatch)


def shown(type: str, name: str, **properties: Any) -> dict[str, Any]:
    given = struct_pb2.Struct()
    given.update(properties)
    return {"type": type, "name": name, "urn": urn(type, name), "properties": given}


def test_of_the_rules_of_the_whole_stack_those_are_asked_that_find_something(asked: Asked) -> None:
    network = shown(VPC, "net", id="vpc-1")
    asked.engine.Analyze(analyzer_pb2.AnalyzeRequest(**network), None)
    assert set(asked.names()) == {RECORDER}
    request = analyzer_pb2.AnalyzeStackRequest(resources=[analyzer_pb2.AnalyzerResource(**network)])
    first = next(rule.name for rule in RULES if rule.of_stack)
    for _ in range(2):
        found = asked.engine.AnalyzeStack(request, None)
        breaks = {"aws-flow-log-per-vpc", "aws-default-security-group-closed"}
        assert {each.policyName for each in found.diagnostics} == breaks
        assert list(asked.names()) == sorted({first} | breaks, key=[rule.name for rule in RULES].index)


def test_of_the_rules_of_one_resource_those_are_asked_that_find_something(asked: Asked) -> None:
    given = shown(DATABASE, "db", publiclyAccessible=True, storageEncrypted=True)
    found = asked.engine.Analyze(analyzer_pb2.AnalyzeRequest(**given), None)
    names = list(asked.names())
    assert names[0] == RECORDER
    assert "aws-database-not-public" in names
    assert "aws-database-encrypted" not in names
    assert {each.policyName for each in found.diagnostics} == set(names[1:])


def test_exemptions_are_judged_where_one_has_a_problem_alone(asked: Asked) -> None:
    request = analyzer_pb2.AnalyzeStackRequest(resources=[analyzer_pb2.AnalyzerResource(**shown(DATABASE, "db"))])
    asked.engine.AnalyzeStack(request, None)
    assert EXEMPTIONS not in asked.names()


def test_an_exemption_that_nothing_needs_is_told_also_where_the_stack_alone_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unused = Exemption(
        stack="cases/*",
        resource="gone",
        rule="aws-database-encrypted",
        reason="It was there once.",
        owner="platform",
        expires=TODAY,
    )
    asked = Asked(monkeypatch, unused)
    request = analyzer_pb2.AnalyzeStackRequest(resources=[analyzer_pb2.AnalyzerResource(**shown(PASSWORD, "password"))])
    found = asked.engine.AnalyzeStack(request, None)
    assert [each.message for each in found.diagnostics if each.policyName == EXEMPTIONS]
