"""Cases run through the pack as pulumi-policy runs it, without an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.policy import PolicyCustomTimeouts
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from policies.catalogue import RULES
from policies.config import Settings
from policies.pack import Pack
from policies.rules import Environment, Rule
from tests.policies.cases.model import Case, Later, Made, Ref, referred

TODAY = date(2026, 11, 23)
OPTIONS = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [], None)


@dataclass
class Outcome:
    """What the policies said.

    Attributes:
        violations: policy and logical name of each violation; the name is empty where none is given.
        messages: what each said.
        open: policy and what it could not decide.
    """

    violations: set[tuple[str, str]] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)
    open: list[tuple[str, str]] = field(default_factory=list)


def urn(type: str, name: str) -> str:
    return f"urn:pulumi:prod::cases::{type}::{name}"


def run(
    case: Case,
    *,
    deployed: bool,
    rules: Iterable[Rule] = RULES,
    settings: Settings | None = None,
    environment: Environment = Environment.PROD,
) -> Outcome:
    """Run the pack's policies over a case, before or after its deployment."""
    inputs = {key: resolved(made.properties, case, key, deployed) for key, made in case.resources.items()}
    dependencies = {key: references(made, case) for key, made in case.resources.items()}
    listed = [(made.type, case.name(key), inputs[key], dependencies[key]) for key, made in case.resources.items()]
    return run_resources(listed, deployed=deployed, rules=rules, settings=settings, environment=environment)


def run_resources(
    listed: Iterable[tuple[str, str, dict[str, Any], Mapping[str, list[str]]]],
    *,
    deployed: bool = False,
    rules: Iterable[Rule] = RULES,
    settings: Settings | None = None,
    environment: Environment = Environment.PROD,
) -> Outcome:
    """Run the pack's policies over type, name, inputs and dependencies of some resources."""
    outcome = Outcome()
    policies = Pack(settings or Settings(), rules, environment, TODAY).policies()
    held: dict[str, PolicyResource] = {}
    depends: dict[str, Mapping[str, list[str]]] = {}
    for type, name, given, needs in listed:
        args = ResourceValidationArgs(type, unknown_checking_proxy(given), urn(type, name), name, OPTIONS, None)
        for policy in policies:
            if isinstance(policy, ResourceValidationPolicy):
                hear(policy, args, outcome)
        made = {"id": f"id-of-{name}", "arn": f"arn:of:{name}"} if deployed else {"id": UNKNOWN_STRING_VALUE}
        outputs = unknown_checking_proxy({**made, **given})
        held[args.urn] = PolicyResource(type, outputs, args.urn, name, OPTIONS, None, None, [], {})
        depends[args.urn] = needs
    for key, resource in held.items():
        resource.property_dependencies = {at: [held[u] for u in urns] for at, urns in depends[key].items()}
    whole = StackValidationArgs(list(held.values()))
    for policy in policies:
        if isinstance(policy, StackValidationPolicy):
            hear(policy, whole, outcome)
    return outcome


def hear(policy: Any, args: Any, outcome: Outcome) -> None:
    """Run one policy as the servicer of pulumi-policy does."""

    def report(message: str, about: str | None = None) -> None:
        outcome.violations.add((policy.name, (about or "").rsplit("::", 1)[-1]))
        outcome.messages.append(message)

    if policy.enforcement_level is EnforcementLevel.DISABLED:
        return
    try:
        policy.validate(args, report)
    except UnknownValueError as error:
        outcome.open.append((policy.name, error.message))


def resolved(value: Any, case: Case, key: str, deployed: bool) -> Any:
    """Return a value as the engine shows it, before or after the deployment."""
    if isinstance(value, Ref):
        name = case.name(value.resource)
        made: Any = {"id": f"id-of-{name}", "arn": f"arn:of:{name}"}.get(value.output, f"{value.output}-of-{name}")
        if "." in value.output:
            made = case.resources[value.resource].properties
            for part in value.output.split("."):
                made = made[part]
        return made if deployed else UNKNOWN_STRING_VALUE
    if isinstance(value, Later):
        return resolved(value.value, case, key, deployed) if deployed else UNKNOWN_STRING_VALUE
    if isinstance(value, Mapping):
        return {name: resolved(each, case, key, deployed) for name, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, case, key, deployed) for each in value]
    return value


def references(made: Made, case: Case) -> dict[str, list[str]]:
    """Return the URNs that each property of a resource was computed from."""
    return {
        at: [urn(case.resources[ref.resource].type, case.name(ref.resource)) for ref in refs]
        for at, value in made.properties.items()
        if (refs := referred(value))
    }
