"""Rules as policies of CrossGuard: what they find is reported, what they cannot decide yet is said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
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
from policies.secrecy import hidden, masked, secret_texts
from policies.values import UndecidedError, plain

RECORDER = "inputs-recorded"
EXEMPTIONS = "exemptions-in-force"


class NotDecidedError(UnknownValueError):
    """What pulumi-policy takes as the sign that a policy waits for a value: it tells, and stops no preview."""

    def __init__(self, opens: Sequence[Open]) -> None:
        super().__init__(UNKNOWN_STRING_VALUE, [])
        self.message = "not decided before the deployment: " + "; ".join(map(str, opens))


class _Shown(threading.local):
    """What the request of this thread is about.

    Attributes:
        resource: the resource, once the recorder has seen it.
        stack: the resources of the stack, once one of its policies has seen them.
    """

    resource: Resource | None = None
    stack: tuple[Resource, ...] | None = None

    def nothing(self) -> None:
        """Forget it."""
        self.resource = self.stack = None


class _WithSomethingToSay(list[Policy]):
    """Policies, of which each request goes through those alone that have something to say.

    pulumi-policy unpacks a resource, or all resources of the stack, anew for each policy that it comes to. What the
    first one was shown is enough to see which others find anything; of those that it does not come to, the engine is
    told no violation, as of those that find none.
    """

    def __init__(self, policies: Iterable[Policy], speaks: Callable[[Policy], bool], ended: Callable[[], None]) -> None:
        super().__init__(policies)
        self._speaks = speaks
        self._ended = ended

    def __iter__(self) -> Iterator[Policy]:
        try:
            for policy in super().__iter__():
                if self._speaks(policy):
                    yield policy
        finally:
            self._ended()


class Pack:
    """The policies of one run of the engine on one stack.

    Policies of a whole stack are shown what providers made, in which much is unknown at a preview that nobody asked
    for. So each resource's inputs are remembered while the engine goes through them.
    """

    def __init__(self, settings: Settings, rules: Iterable[Rule], environment: Environment | None, today: date) -> None:
        self._settings = settings
        self._rules = {rule.name: rule for rule in rules}
        self._environment = environment
        self._exemptions = Exemptions(settings.exemptions, today)
        self._shown = _Shown()
        self._recorded: dict[str, dict[str, Any]] = {}
        self._secrets: set[str] = set()

    def policies(self) -> list[Policy]:
        """List the policies in the order in which each run follows them: the recorder first, the judge last."""
        recorder = ResourceValidationPolicy(
            RECORDER,
            "What each resource was asked to be is known to the rules that look at several",
            self._record,
            # The one level at which the engine shows what is secret; it changes nothing.
            EnforcementLevel.REMEDIATE,
            remediate=self._learn_secrets,
        )
        judge = StackValidationPolicy(
            EXEMPTIONS, "Every exemption is in force and needed", self._judge, EnforcementLevel.MANDATORY
        )
        policies = [recorder, *map(self._policy, self._rules.values()), judge]
        return _WithSomethingToSay(policies, self._speaks, self._shown.nothing)

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
                lambda args, report: self._look_at_all(rule, args, report),
                self.level(rule),
            )
        return ResourceValidationPolicy(
            rule.name,
            rule.title,
            lambda args, report: self._look_at(rule, args, report),
            self.level(rule),
        )

    def _speaks(self, policy: Policy) -> bool:
        """Say whether a policy finds anything in what is shown; as long as that is unknown, it may."""
        rule, shown = self._rules.get(policy.name), self._shown
        if rule and rule.of_stack:
            return shown.stack is None or _any(self._of_all(rule, shown.stack))
        if rule:
            return shown.resource is None or _any(self._of_one(rule, shown.resource))
        return policy.name != EXEMPTIONS or shown.stack is None or _any(self._exemptions.problems())

    def _learn_secrets(self, args: ResourceValidationArgs) -> None:
        self._secrets |= secret_texts(args.props)

    def _record(self, args: ResourceValidationArgs, _: ReportViolation) -> None:
        self._recorded[args.urn] = hidden(plain(args.props), self._secrets)
        self._shown.resource = self._resource(args)

    def _resource(self, args: ResourceValidationArgs) -> Resource:
        inputs = self._recorded.get(args.urn)
        given = plain(args.props) if inputs is None else inputs
        return Resource(args.urn, args.resource_type, args.name, given, settings=self._settings)

    def _look_at(self, rule: Rule, args: ResourceValidationArgs, report: ReportViolation) -> None:
        self._report(rule, self._of_one(rule, self._resource(args)), report)

    def _of_one(self, rule: Rule, resource: Resource) -> Iterable[Finding]:
        return of_each([resource], rule.check) if rule.looks_at(resource.type) else ()  # type: ignore[arg-type]

    def _look_at_all(self, rule: Rule, args: StackValidationArgs, report: ReportViolation) -> None:
        if self._shown.stack is None:
            self._shown.stack = tuple(map(self._seen, args.resources))
        self._report(rule, self._of_all(rule, self._shown.stack), report)

    def _of_all(self, rule: Rule, resources: Iterable[Resource]) -> Iterable[Finding]:
        looked_at = tuple(each for each in resources if rule.looks_at(each.type))
        return rule.check(Stack(looked_at, self._settings))  # type: ignore[arg-type]

    def _seen(self, resource: PolicyResource) -> Resource:
        self._exemptions.meet(resource.urn)
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
                    report(masked(str(finding), self._secrets), finding.resource.urn)
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


def _any(found: Iterable[object]) -> bool:
    """Say whether anything is found."""
    return any(True for _ in found)
