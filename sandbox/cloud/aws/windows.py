"""Maintenance windows: what was asked for and waits, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.cloud.store import Resource, Store

PENDING = "__pending"
"""Input of a resource that holds what waits for its window: property to value."""


def held_back(resource: Resource, asked: Mapping[str, Any], waits: frozenset[str]) -> dict[str, Any]:
    """Return what of a change waits for the resource's next window: property to the value that was asked for.

    Args:
        resource: as it is.
        asked: the inputs of the change.
        waits: the inputs that wait unless ``applyImmediately`` is true.
    """
    if asked.get("applyImmediately") is True:
        return {}
    return {
        name: asked[name] for name in waits if name in asked and resource.outputs.get(name) not in (None, asked[name])
    }


def with_pending(changed: Resource, before: Resource, pending: Mapping[str, Any]) -> Resource:
    """Return a changed resource as AWS shows it until the window: the values of before, and what waits."""
    shown = {name: before.outputs[name] for name in pending}
    inputs = {**changed.inputs, PENDING: dict(pending)}
    return replace(changed, inputs=inputs, outputs={**changed.outputs, **shown})


def pass_windows(store: Store) -> Sequence[Resource]:
    """Let the maintenance windows of all resources pass; return those that have changed."""
    changed = []
    with store.transaction():
        for resource in store.list("aws"):
            pending = resource.inputs.get(PENDING)
            if pending:
                inputs = {name: value for name, value in resource.inputs.items() if name != PENDING}
                outputs = {**resource.outputs, **pending}
                changed.append(store.put(replace(resource, inputs=inputs, outputs=outputs)))
    return changed
