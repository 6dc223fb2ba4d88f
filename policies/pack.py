"""Rules as policies of CrossGuard: what they find is reported, what they cannot decide yet is said."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from policies.config import Settings
from policies.exemptions import Exemptions, home
from policies.resources import Resource, Stack
from policies.rules import Environment, Finding, Open, Rule, Violation, of_each
from policies.values import UndecidedError, plain

RECORDER = "inputs-recorded"
EXEMPTIONS = "exemptions-in-force"


class NotDecidedError(UnknownValueError):
    """What pulumi-policy takes as the sign that a policy waits for a value: it tells, and stops no preview."""

    def __init__(self, opens: Sequence[Open]) -> None:
        super().__init__(UNKNOWN_STRING_VALUE, [])
        self.message = "not decided before the deployment: " + "; ".join(map(str, opens))


class _Types(threading.local):
    """The type of the resource that this thread's request is about, once the recorder has seen it."""

    now: str | None = None


class _ForSomeTypes(ResourceValidationPolicy):
    """A policy that says of other types that it does not apply, before pulumi-policy unpacks the resource for it.

    A pack has scores of policies, and each would otherwise have every resource of the stack unpacked for itself.
    """

    def __init__(self, rule: Rule, check: ResourceValidation, level: EnforcementLevel, types: _Types) -> None:
        super().__init__(rule.name, rule.title, check, level)
        self._rule = rule
        self._types = types

    def has_validation(self) -> bool:
        return self._types.now is None or self._rule.looks_at(self._types.now)


class Pack:
    """The policies of one run of the engine on one stack.

    Policies of a whole stack are shown what providers made, in which much is unknown at a preview that nobody asked
    for. So each resource's inputs are remembered while the engine goes through them.
    """

    def __init__(self, settings: Settings, rules: Iterable[Rule], environment: Environment | None, today: date) -> None:
        self._settings = settings
        self._rules = list(rules)
        self._environment = environment
        self._exemptions = Exemptions(settings.exemptions, today)
        self._types = _Types()
        self._recorded: dict[str, dict[str, Any]] = {}

    def policies(self) -> list[Policy]:
        """List the policies in the order in which each run follows them: the recorder first, the judge last."""
        recorder = ResourceValidationPolicy(
            RECORDER,
            "What each resource was asked to be is known to the rules that look at several",
            self._record,
            EnforcementLevel.ADVISORY,
        )
        judge = StackValidationPolicy(
            EXEMPTIONS, "Every exemption is in force and needed", self._judge, EnforcementLevel.MANDATORY
        )
        return [recorder, *map(self._policy, self._rules), judge]

    def level(self, rule: Rule, urn: str = "") -> EnforcementLevel:
        """Return the level of a rule: in the environment that is known, else in a resource's, else production's."""
        environment = self._environment or (self._settings.environment(home(urn)[1]) if urn else Environment.PROD)
        changed = self._settings.levels.get(environment, {}).get(rule.name)
        return EnforcementLevel(changed) if changed else rule.levels[environment]

    def _policy(self, rule: Rule) -> Policy:
        if rule.of_stack:
            return StackValidationPolicy(
                rule.name,
                rule.title,
                lambda args, report: self._report(rule, rule.check(self._stack(rule, args)), report),  # type: ignore[arg-type]
                self.level(rule),
            )
        return _ForSomeTypes(
            rule, lambda args, report: self._look_at(rule, args, report), self.level(rule), self._types
        )

    def _record(self, args: ResourceValidationArgs, _: ReportViolation) -> None:
        self._types.now = args.resource_type
        self._recorded[args.urn] = plain(args.props)

    def _look_at(self, rule: Rule, args: ResourceValidationArgs, report: ReportViolation) -> None:
        if not rule.looks_at(args.resource_type):
            return
        inputs = self._recorded.get(args.urn)
        resource = Resource(
            args.urn,
            args.resource_type,
            args.name,
            plain(args.props) if inputs is None else inputs,
            settings=self._settings,
        )
        self._report(rule, of_each([resource], rule.check), report)  # type: ignore[arg-type]

    def _stack(self, rule: Rule, args: StackValidationArgs) -> Stack:
        return Stack(
            tuple(self._seen(each) for each in args.resources if rule.looks_at(each.resource_type)), self._settings
        )

    def _seen(self, resource: PolicyResource) -> Resource:
        outputs: Mapping[str, Any] = plain(resource.props)
        return Resource(
            resource.urn,
            resource.resource_type,
            resource.name,
            self._recorded.get(resource.urn, outputs),
            outputs,
            {key: tuple(each.urn for each in found) for key, found in resource.property_dependencies.items()},
            settings=self._settings,
        )

    def _report(self, rule: Rule, found: Iterable[Finding], report: ReportViolation) -> None:
        opens = []
        for finding in found:
            if isinstance(finding, UndecidedError):
                continue
            # Levels had to be said before the stack was known; what is off there is passed over at least.
            if self.level(rule, finding.resource.urn) is EnforcementLevel.DISABLED:
                continue
            self._exemptions.meet(finding.resource.urn)
            if isinstance(finding, Violation):
                if not self._exemptions.cover(rule.name, finding.resource.name):
                    report(str(finding), finding.resource.urn)
            else:
                self._exemptions.leave_open(rule.name, finding.resource.name)
                opens.append(finding)
        if opens:
            raise NotDecidedError(opens)

    def _judge(self, args: StackValidationArgs, report: ReportViolation) -> None:
        for resource in args.resources[:1]:
            self._exemptions.meet(resource.urn)
        for problem in self._exemptions.problems():
            report(problem, None)
