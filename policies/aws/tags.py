"""Whose a resource is."""

from __future__ import annotations

from collections.abc import Iterator

from policies.resources import Resource, Stack
from policies.rules import Finding, of_each, stack_rule, unless
from policies.values import UNKNOWN, UndecidedError


@stack_rule(
    "aws-required-tags",
    "Every resource that takes tags has those that are required",
    "Well-Architected COST03",
    "FSBP Tag controls",
    types=("aws:*",),
)
def required_tags(stack: Stack) -> Iterator[Finding]:
    def check(resource: Resource) -> Iterator[Finding]:
        # The provider puts its default tags into tagsAll, which only resources that take tags have.
        every, own = resource.outputs.get("tagsAll"), resource.inputs.get("tags")
        if every is None and own is None:
            return
        if UNKNOWN in (every, own) and not isinstance(every, dict):
            raise UndecidedError("tags")
        had = {**(own if isinstance(own, dict) else {}), **(every if isinstance(every, dict) else {})}
        missing = [tag for tag in stack.settings.required_tags if tag not in had]
        yield from unless(
            not missing,
            resource,
            "tags",
            "add them to the default_tags of the provider",
            f"lack {', '.join(missing)}",
        )

    yield from of_each(stack.resources, check)
