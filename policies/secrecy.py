"""Values that a program keeps secret, and messages that do not give them away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, serialize_properties

MASK = "[secret]"
"""What the engine itself says instead of a secret value."""

SHORTEST = 4
"""Characters of a text that is looked for in messages: a shorter one is part of too many words."""


class Hidden(str):
    """A text that rules can judge, and that shows as what it is not, wherever it is written out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        return format(MASK, specification)


def secret_texts(properties: Mapping[str, Any]) -> set[str]:
    """List the texts in properties, as a remediation is shown them, that the program keeps secret."""
    return set(_marked(serialize_properties(properties)))


def hidden(value: Any, secrets: set[str]) -> Any:
    """Copy a value, with each text that is secret as one that does not show."""
    if isinstance(value, dict):
        return {key: hidden(each, secrets) for key, each in value.items()}
    if isinstance(value, list):
        return [hidden(each, secrets) for each in value]
    return Hidden(value) if isinstance(value, str) and value in secrets else value


def masked(message: str, secrets: set[str]) -> str:
    """Take out of a message what is secret, the longest first, as one text may be part of another."""
    for text in sorted(secrets, key=len, reverse=True):
        if len(text) >= SHORTEST:
            message = message.replace(text, MASK).replace(repr(text)[1:-1], MASK)
    return message


def _marked(wire: Any) -> Iterator[str]:
    if isinstance(wire, Mapping):
        if wire.get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG:
            yield from _texts(wire.get("value"))
        else:
            for each in wire.values():
                yield from _marked(each)
    elif isinstance(wire, Sequence) and not isinstance(wire, str):
        for each in wire:
            yield from _marked(each)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _texts(each)
