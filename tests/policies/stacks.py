"""The real stacks with some lines changed, for the pack to find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi


@dataclass(frozen=True)
class Line:
    """A changed line: a property of a resource that the program makes.

    Attributes:
        rule: the rule that it breaks.
        type: the type token of the resource.
        path: the argument, as the SDK for Python names it, dotted; numbers are places in lists.
        value: what it becomes.
        name: end of the resource's logical name; every resource of the type without it.
        about: end of the logical name of the resource that is refused for it, where it is another one.
    """

    rule: str
    type: str
    path: str
    value: Any
    name: str = ""
    about: str = ""


def change(lines: Iterable[Line]) -> None:
    """Change lines of the program that runs next."""
    changed = list(lines)

    def transform(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        fitting = [line for line in changed if line.type == args.type_ and args.name.endswith(line.name)]
        if not fitting:
            return None
        for line in fitting:
            put(args.props, line.path.split("."), line.value)
        return pulumi.ResourceTransformationResult(args.props, args.opts)

    pulumi.runtime.register_stack_transformation(transform)


def put(holder: Any, path: list[str], value: Any) -> None:
    """Set what lies at a path through arguments, dictionaries and lists."""
    first, *rest = path
    key: Any = int(first) if isinstance(holder, list) else first
    if rest:
        inner = holder[key] if isinstance(holder, (list, Mapping)) else getattr(holder, key)
        put(inner, rest, value)
    elif isinstance(holder, (list, dict)):
        holder[key] = value
    else:
        setattr(holder, key, value)
