"""The values of properties as the engine's events tell them: found, shown to people, and summed up by a digest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from pulumi.runtime.rpc import UNKNOWN

MASK = "[secret]"
"""What the engine's events say instead of a secret value: whether that has changed, they do not tell."""

LATER = "(known once deployed)"
"""What people read for a value that the engine does not know yet."""

LONGEST, AROUND = 100, 20
"""Characters of a value that are shown, and of what comes before the first difference of longer ones."""

DEFAULTS = "__defaults"
"""Where providers note which properties nobody has given: a name is then drawn anew at each preview."""

AUTONAMED = "pulumi.com/autonamed"
"""The annotation by which the Kubernetes provider says the same."""

_STEP = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')


class _Absent:
    """What stands where a property has no value."""


ABSENT = _Absent()


def at(values: Any, path: str) -> Any:
    """Return the value at a path of the engine, such as ``ingress[0].ports`` or ``tags["a.b"]``; else `ABSENT`."""
    for name, index, quoted in _STEP.findall(path):
        if index:
            found = isinstance(values, list) and int(index) < len(values)
            values = values[int(index)] if found else ABSENT
        else:
            values = values.get(name or quoted, ABSENT) if isinstance(values, Mapping) else ABSENT
    return values


def shown(before: Any, after: Any) -> tuple[str, str]:
    """Return two values as people read them side by side: of long ones the part in which they differ."""
    old, new = _text(before), _text(after)
    if max(len(old), len(new)) <= LONGEST:
        return old, new
    pairs = enumerate(zip(old, new, strict=False))
    same = next((place for place, (one, other) in pairs if one != other), min(len(old), len(new)))
    start = max(0, same - AROUND)
    return _part(old, start), _part(new, start)


def _part(text: str, start: int) -> str:
    end = start + LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"


def _text(value: Any) -> str:
    if value is ABSENT:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return " ".join(text.replace(UNKNOWN, LATER).split())


def digest(inputs: Mapping[str, Any]) -> str:
    """Sum up what a resource is asked to be: the same for two previews of the same, without names that are drawn."""
    text = json.dumps(_asked(inputs), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _asked(value: Any) -> Any:
    if isinstance(value, list):
        return [_asked(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    drawn = {DEFAULTS, *(value.get(DEFAULTS) or ())}
    if AUTONAMED in (value.get("annotations") or {}):
        drawn.add("name")
    return {key: _asked(each) for key, each in value.items() if key not in drawn}
