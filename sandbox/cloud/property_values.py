"""Between the engine's property values and plain Python values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final

import pulumi
from pulumi.provider.experimental.property_value import Computed, PropertyValue, ResourceReference
from pulumi.runtime import rpc

Properties = Mapping[str, PropertyValue]


class _Unknown(Enum):
    UNKNOWN = "unknown until it is made"

    def __repr__(self) -> str:
        return self.value


UNKNOWN: Final = _Unknown.UNKNOWN
"""Stands for a value that is known only once something else exists."""


def plain(value: PropertyValue) -> Any:
    """Return the bare value: whole numbers as int, secrets bared, unknown ones as `UNKNOWN`, assets as they are."""
    bare = value.value
    if isinstance(bare, float):
        return int(bare) if bare.is_integer() else bare
    if isinstance(bare, str):
        # The SDK leaves the wire's mark of an unknown value as it is, in both directions.
        return UNKNOWN if bare == rpc.UNKNOWN else bare
    if bare is None or isinstance(bare, bool):
        return bare
    if isinstance(bare, Mapping):
        return {key: plain(item) for key, item in bare.items()}
    if isinstance(bare, Sequence):
        return [plain(item) for item in bare if isinstance(item, PropertyValue)]
    if isinstance(bare, Computed):
        return UNKNOWN
    if isinstance(bare, ResourceReference):
        return UNKNOWN if bare.resource_id is None else plain(bare.resource_id)
    if isinstance(bare, pulumi.StringAsset):
        return {"text": bare.text}
    return {"path": getattr(bare, "path", "") or getattr(bare, "uri", "")}


def plain_map(values: Properties) -> dict[str, Any]:
    """Return the bare values of named properties; nulls, which mean 'not given', are left out."""
    return {name: plain(value) for name, value in values.items() if value.value is not None}


def wrap(value: Any) -> PropertyValue:
    """Return a plain value as a property value."""
    if value is UNKNOWN:
        return PropertyValue(rpc.UNKNOWN)
    if isinstance(value, bool) or value is None or isinstance(value, (str, float)):
        return PropertyValue(value)
    if isinstance(value, int):
        return PropertyValue(float(value))
    if isinstance(value, Mapping):
        return PropertyValue({key: wrap(item) for key, item in value.items()})
    return PropertyValue([wrap(item) for item in value])


def wrap_map(values: Mapping[str, Any], *like: Properties) -> dict[str, PropertyValue]:
    """Return plain values as properties that are secret wherever the same property is secret in one of `like`.

    A value that equals the one in `like` is taken over as it stands, so that secrets keep their place inside it.
    """
    wrapped = {}
    for name, value in values.items():
        result: PropertyValue | None = None
        for known in like:
            original = known.get(name)
            if original is None or not original.contains_secret():
                continue
            result = original if plain(original) == value else wrap(value).with_secret(True)
            break
        wrapped[name] = wrap(value) if result is None else result
    return wrapped


def holds_unknown(value: Any) -> bool:
    """Tell whether a plain value is unknown, or holds an unknown one."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Mapping):
        return any(holds_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(holds_unknown(item) for item in value)
    return False


def strings(value: Any) -> Iterable[str]:
    """Yield every string inside a plain value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
