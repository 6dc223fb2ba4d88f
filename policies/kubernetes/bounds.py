"""What a namespace gives to containers that do not say what they need, and plain text that anybody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.credentials import looks_like
from policies.kubernetes.objects import CONFIG_MAP, LIMIT_RANGE, NAMESPACE, WORKLOADS, containers, namespace_of
from policies.resources import Resource, Stack
from policies.rules import Finding, Violation, each_rule, resource_rule, unless
from policies.values import UndecidedError, Value, each

FACTORS = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18} | {
    f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)
}
"""Suffixes of quantities (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)."""


def quantity(value: Value) -> float | None:
    """Return a quantity such as ``256Mi`` or ``50m``; None for what is none. Raises UndecidedError."""
    if value.number is not None:
        return value.number
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)([A-Za-z]*)", value.text)
    return float(found[1]) * FACTORS[found[2]] if found and found[2] in FACTORS else None


@each_rule(
    "kubernetes-limit-range-fits",
    "No container asks for more than the limit that its namespace gives to those without one",
    "Kubernetes: Limit Ranges",
    "NSA C-0270, C-0271",
    of=LIMIT_RANGE,
    beside=WORKLOADS + NAMESPACE,
)
def limit_range_fits(stack: Stack, bounds: Resource) -> Iterator[Finding]:
    of_containers = [one["default"] for one in bounds.at("spec.limits").items if one["type"].text == "Container"]
    here = namespace_of(stack, bounds)

    def check(workload: Resource) -> Iterator[Finding]:
        if namespace_of(stack, workload) != here:
            return
        for one in containers(workload):
            for default in of_containers:
                for name, given in default.fields.items():
                    yield from too_much(one.value, name, given, workload)

    def too_much(container: Value, name: str, given: Value, workload: Resource) -> Iterator[Violation]:
        asked, limit = quantity(container["resources"]["requests"][name]), quantity(given)
        if container["resources"]["limits"][name].given or asked is None or limit is None:
            return
        whose = f"is {given.text}, less than {container['name'].text} of {workload.name} asks for"
        yield from unless(asked <= limit, bounds, given, "raise it, or give the container a limit", whose)

    for workload in stack.of(WORKLOADS):
        try:
            yield from check(workload)
        except UndecidedError:
            continue


@resource_rule(
    "kubernetes-config-map-no-secrets",
    "No ConfigMap holds a password in a URL, or a private key",
    "NSA C-0012",
    "CIS Kubernetes 1.12 5.4.1",
    types=CONFIG_MAP,
)
def config_map_no_secrets(resource: Resource) -> Iterator[Finding]:
    def check(value: Value) -> Iterator[Violation]:
        what = "" if value.unknown else looks_like(value.text)
        yield from unless(not what, resource, value, "mount it from a Secret", f"has {what}")

    if not resource["data"].unknown:
        yield from each(resource["data"].fields.values(), check)
