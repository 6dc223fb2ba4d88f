"""How a resource as it is compares with the one that is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.provider.experimental import provider as sdk

from sandbox.cloud.property_values import UNKNOWN, holds_unknown

_KINDS = {
    ("add", False): sdk.PropertyDiffKind.ADD,
    ("add", True): sdk.PropertyDiffKind.ADD_REPLACE,
    ("delete", False): sdk.PropertyDiffKind.DELETE,
    ("delete", True): sdk.PropertyDiffKind.DELETE_REPLACE,
    ("update", False): sdk.PropertyDiffKind.UPDATE,
    ("update", True): sdk.PropertyDiffKind.UPDATE_REPLACE,
}


MAPS = frozenset({"labels", "tags"})
"""Properties whose keys are the user's own: one more is a change."""


@dataclass(frozen=True)
class Comparison:
    """How two states of one type are compared.

    Attributes:
        replacing: paths (``a.b``) of properties that cannot change in place.
        unordered: top-level lists whose order means nothing.
        documents: top-level strings that hold JSON, compared by what they say.
        defaults: what a property is while nobody sets it; a departure from it is a change too.
        write_only: properties that the cloud never tells, compared with the last inputs alone.
        delete_first: whether a replacement can be made only after the old resource is gone; so it is too where both
            bear the same name.
        name: the input that holds a resource's name.
    """

    replacing: frozenset[str]
    unordered: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    write_only: frozenset[str] = frozenset()
    delete_first: bool = False
    name: str = "name"


def differences(
    comparison: Comparison, state: Mapping[str, Any], old_inputs: Mapping[str, Any], new_inputs: Mapping[str, Any]
) -> sdk.DiffResponse:
    """Compare the inputs that are asked for with the state; removed inputs are those that only `old_inputs` has."""
    detailed: dict[str, sdk.PropertyDiff] = {}
    for name in sorted({*new_inputs, *old_inputs, *comparison.defaults}):
        if name.startswith("__"):
            continue
        for path, verb in _of_property(comparison, name, state, old_inputs, new_inputs):
            replaces = any(path == r or path.startswith((f"{r}.", f"{r}[")) for r in map(str, comparison.replacing))
            replaces = replaces or _without_indexes(path) in comparison.replacing
            detailed[path] = sdk.PropertyDiff(_KINDS[verb, replaces], input_diff=name in new_inputs)
    replaces_ = sorted(path for path, diff in detailed.items() if diff.kind.name.endswith("_REPLACE"))
    return sdk.DiffResponse(
        changes=bool(detailed),
        replaces=replaces_,
        diffs=sorted({path.split(".")[0].split("[")[0] for path in detailed}),
        detailed_diff=detailed,
        delete_before_replace=bool(replaces_)
        and (comparison.delete_first or _same_name(comparison.name, old_inputs, new_inputs)),
    )


def _same_name(name: str, old_inputs: Mapping[str, Any], new_inputs: Mapping[str, Any]) -> bool:
    """Tell whether the program itself names the resource, as before; a generated name changes with a replacement."""
    generated = name in new_inputs.get("__defaults", ())
    return name in new_inputs and not generated and old_inputs.get(name) == new_inputs[name]


def _of_property(
    comparison: Comparison,
    name: str,
    state: Mapping[str, Any],
    old_inputs: Mapping[str, Any],
    new_inputs: Mapping[str, Any],
) -> Iterator[tuple[str, str]]:
    known = old_inputs if name in comparison.write_only else {**old_inputs, **state}
    if name not in new_inputs:
        if name in comparison.defaults:
            if known.get(name, comparison.defaults[name]) != comparison.defaults[name]:
                yield name, "update"
        elif name in old_inputs and state.get(name) is not None:
            yield name, "delete"
        return
    new, old = new_inputs[name], known.get(name)
    if old is None:
        yield name, "add"
    elif name in comparison.documents:
        if new is UNKNOWN or _document(new) != _document(old):
            yield name, "update"
    elif name in comparison.unordered and isinstance(new, list) and isinstance(old, list):
        if holds_unknown(new) or not _same_items(name, old, new):
            yield name, "update"
    else:
        yield from _of_values(name, old, new, old_inputs.get(name))


def _of_values(path: str, old: Any, new: Any, last: Any) -> Iterator[tuple[str, str]]:
    """Compare values; an object may hold more than was asked for, which the cloud filled in."""
    if isinstance(new, dict) and isinstance(old, dict):
        for key, value in new.items():
            if key in old:
                yield from _of_values(f"{path}.{key}", old[key], value, (last or {}).get(key))
            else:
                yield f"{path}.{key}", "add"
        for key in sorted(set(last or {}) - set(new)):
            if key in old:
                yield f"{path}.{key}", "delete"
        if last is not None and last == new:
            # Keys that neither the last inputs nor the new ones name came from elsewhere: by hand.
            for key in sorted(set(old) - set(new)):
                if path in MAPS:
                    yield f"{path}.{key}", "delete"
    elif isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        for index, (old_item, new_item) in enumerate(zip(old, new, strict=True)):
            last_item = last[index] if isinstance(last, list) and index < len(last) else None
            yield from _of_values(f"{path}[{index}]", old_item, new_item, last_item)
    elif _scalar(new) != _scalar(old):
        yield path, "update"


def _same_items(path: str, old: list[Any], new: list[Any]) -> bool:
    """Tell whether each item is there, in whatever order; objects may hold more than was asked for."""
    if sorted(map(_key, new)) == sorted(map(_key, old)):
        return True
    left = list(old)
    for item in new:
        match = next((candidate for candidate in left if not any(_of_values(path, candidate, item, None))), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _scalar(value: Any) -> Any:
    """Numbers and booleans may come in their written form."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


def _document(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else str(_scalar(value))


def _without_indexes(path: str) -> str:
    return ".".join(part.split("[")[0] for part in path.split("."))
