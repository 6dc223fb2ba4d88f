"""Rights that an identity's policy grants in vain.

IAM takes such a policy; whoever relies on it is refused later, or never notices. Which resources an action takes is
from AWS' Service Authorization Reference, as cfn-lint ships it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def void_grants(document: Mapping[str, Any]) -> Iterator[str]:
    """Tell of each action that a document allows on resources on which AWS never allows it."""
    for statement in _many(document.get("Statement", [])):
        if not isinstance(statement, Mapping) or statement.get("Effect") != "Allow":
            continue
        resources = [str(each) for each in _many(statement.get("Resource", "*"))]
        if any(set(each) <= {"*"} for each in resources):
            continue
        for written in _many(statement.get("Action", [])):
            reasons = [_reason(service, action, resources) for service, action in _actions(str(written))]
            # A pattern grants what it can.
            if reasons and all(reasons):
                yield f"{written} on {', '.join(resources)} grants nothing: {reasons[0]}"


def _reason(service: str, action: str, resources: list[str]) -> str:
    """Return why an action is not granted on any of some resources; empty if it is."""
    known = _specification()[service]
    types = known["Actions"][action].get("Resources") or []
    if not types:
        return "it takes no resource but *"
    formats = [form for type in types for form in known["Resources"].get(type, {}).get("ARNFormats", [])]
    if not formats or any(_meet(resource, form) for resource in resources for form in formats):
        return ""
    return f"it takes the ARN of {' or '.join(types)}"


def _meet(resource: str, form: str) -> bool:
    """Tell whether a pattern of ARNs and the form of a type's ARNs may mean the same, by what both begin with."""
    wanted, given = form.split(":", 5), resource.split(":", 5)
    if len(given) < 6 or len(wanted) < 6:
        return True
    if not fnmatchcase(wanted[2], given[2]):
        return False
    fixed, begun = (re.split(r"\.\*|\$\{|[*?]", text, maxsplit=1)[0] for text in (wanted[5], given[5]))
    return fixed.startswith(begun) or begun.startswith(fixed)


def _actions(written: str) -> list[tuple[str, str]]:
    """List the actions that a pattern stands for, of the services that are known."""
    service, _, name = written.lower().partition(":")
    known = _specification().get(service)
    return [(service, action) for action in known["Actions"] if fnmatchcase(action, name)] if known else []


@cache
def _specification() -> Mapping[str, Any]:
    spec = find_spec("cfnlint")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "data" / "AdditionalSpecs" / "Policies.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
