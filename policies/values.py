"""Property values as a rule reads them: of any shape, and perhaps not known before the deployment."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pulumi_policy.proxy import UnknownValueError

Item = TypeVar("Item")
Found = TypeVar("Found")


class Unknown:
    """Stands for a value that the engine does not know yet."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()


class UndecidedError(Exception):
    """A rule needs a value that is not known yet.

    Attributes:
        path: the property, dotted.
        reason: what stands in the way.
    """

    def __init__(self, path: str, reason: str = "is not known before the deployment") -> None:
        super().__init__(f"{path} {reason}")
        self.path = path
        self.reason = reason


class Value:
    """A property's value and its path.

    Every reading method takes what it asks for and treats any other shape as absent, so that no input makes a rule
    raise anything but UndecidedError, which says that the decision needs a value that is not known yet.
    """

    __slots__ = ("path", "raw")

    def __init__(self, raw: Any, path: str = "") -> None:
        self.raw = raw
        self.path = path

    def __getitem__(self, key: str | int) -> Value:
        path = f"{self.path}[{key}]" if isinstance(key, int) else f"{self.path}.{key}".lstrip(".")
        if self.raw is UNKNOWN:
            return Value(UNKNOWN, path)
        if isinstance(key, str) and isinstance(self.raw, dict):
            return Value(self.raw.get(key), path)
        if isinstance(key, int) and isinstance(self.raw, list) and -len(self.raw) <= key < len(self.raw):
            return Value(self.raw[key], path)
        return Value(None, path)

    def at(self, dotted: str) -> Value:
        """Walk down a path like ``spec.template.spec``."""
        here = self
        for key in dotted.split("."):
            here = here[key]
        return here

    @property
    def unknown(self) -> bool:
        return self.raw is UNKNOWN

    @property
    def given(self) -> bool:
        """Whether the program gave a value at all; one that is not known yet is given."""
        return self.raw is not None and self.raw not in ("", [], {})

    def _known(self) -> Any:
        if self.raw is UNKNOWN:
            raise UndecidedError(self.path)
        return self.raw

    @property
    def text(self) -> str:
        """The text, else an empty one. Raises UndecidedError."""
        raw = self._known()
        return raw if isinstance(raw, str) else ""

    @property
    def number(self) -> float | None:
        """The number, also of a text that is one, else nothing. Raises UndecidedError."""
        raw = self._known()
        if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
            return None
        try:
            number = float(raw)
        except (ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None

    @property
    def flag(self) -> bool | None:
        """Whether it is true, also of the texts "true" and "false", else nothing. Raises UndecidedError."""
        raw = self._known()
        if isinstance(raw, str):
            return {"true": True, "false": False}.get(raw.lower())
        return raw if isinstance(raw, bool) else None

    @property
    def items(self) -> list[Value]:
        """The elements of a list, none of anything else. Raises UndecidedError."""
        raw = self._known()
        return [Value(item, f"{self.path}[{index}]") for index, item in enumerate(raw)] if isinstance(raw, list) else []

    @property
    def one_or_many(self) -> list[Value]:
        """The elements of a list, or what is given itself: as in policy documents. Raises UndecidedError."""
        raw = self._known()
        return self.items if isinstance(raw, list) else [self] if raw is not None else []

    @property
    def fields(self) -> dict[str, Value]:
        """The fields of an object, none of anything else. Raises UndecidedError."""
        raw = self._known()
        return {key: Value(value, f"{self.path}.{key}") for key, value in raw.items()} if isinstance(raw, dict) else {}

    @property
    def document(self) -> Value:
        """The value that a JSON text describes; an object is taken as it is. Raises UndecidedError."""
        raw = self._known()
        if not isinstance(raw, str):
            return self
        try:
            return Value(json.loads(raw), self.path)
        except (ValueError, RecursionError):
            return Value(None, self.path)


def plain(proxied: Any) -> Any:
    """Copy what a policy is handed into dicts and lists, with UNKNOWN where reading a value is refused."""
    if isinstance(proxied, Mapping):
        return {str(key): _entry(proxied, key) for key in proxied}
    if isinstance(proxied, Sequence) and not isinstance(proxied, (str, bytes)):
        return [_entry(proxied, index) for index in range(len(proxied))]
    return proxied


def _entry(container: Any, key: Any) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def each(items: Iterable[Item], check: Callable[[Item], Iterable[Found]]) -> Iterator[Found | UndecidedError]:
    """Check every item; one that cannot be decided keeps none of the others from it."""
    for item in items:
        try:
            yield from check(item)
        except UndecidedError as undecided:
            yield undecided
