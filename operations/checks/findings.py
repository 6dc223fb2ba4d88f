"""What a check has found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

Backend = TypeVar("Backend")

NOT_ASKED = 3
"""Exit code: what could be asked is well, and not all could be asked."""


class State(IntEnum):
    """How something is, from best to worst for whoever has to act."""

    OK = 0
    WARNING = 1
    UNKNOWN = 2
    FAILING = 3

    @property
    def word(self) -> str:
        """The state in small letters."""
        return self.name.lower()


class UnreachableError(Exception):
    """Somebody who knows cannot be asked; the message names the address and where it is set.

    Attributes:
        advice: how to reach it; empty where nobody knows.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


@dataclass(frozen=True)
class Finding:
    """What a check saw of one thing.

    Attributes:
        check: name of the check.
        state: how the thing is.
        saw: what was seen, in a sentence with its figures.
        advice: what to do; empty if nothing.
    """

    check: str
    state: State
    saw: str
    advice: str = ""

    def as_json(self) -> dict[str, str]:
        """Return it for machines."""
        return {"check": self.check, "state": self.state.word, "saw": self.saw, "advice": self.advice}


@dataclass(frozen=True)
class Seen:
    """What a look saw, before the check puts its name to it."""

    state: State
    saw: str
    advice: str = ""


@dataclass(frozen=True)
class Check(Generic[Backend]):
    """One thing to look at.

    Attributes:
        name: what it is called in front of people.
        look: looks at it; says nothing only if there is nothing to look at.
        wanted: whether there is such a thing at all.
    """

    name: str
    look: Callable[[Backend], Iterable[Seen]]
    wanted: Callable[[Backend], bool] = lambda _: True


def run(checks: Sequence[Check[Backend]], backend: Backend) -> Iterator[Finding]:
    """Do every check, whatever the one before it has met."""
    for check in checks:
        if not check.wanted(backend):
            continue
        try:
            seen = list(check.look(backend))
        except UnreachableError as error:
            seen = [Seen(State.UNKNOWN, str(error), error.advice)]
        if not seen:
            seen = [Seen(State.UNKNOWN, "nothing is there to look at")]
        yield from (Finding(check.name, each.state, each.saw, each.advice) for each in seen)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 0 if all is well, 1 if something needs somebody, 3 if all that could be seen is well and not all could."""
    states = {finding.state for finding in findings}
    if states & {State.FAILING, State.WARNING}:
        return 1
    return NOT_ASKED if State.UNKNOWN in states else 0


def judged(value: float, *, warning: float, failing: float) -> State:
    """Judge a value that is worse the higher it is."""
    if value >= failing:
        return State.FAILING
    return State.WARNING if value >= warning else State.OK


def share(value: float) -> str:
    """Write a share as a percentage."""
    return f"{value * 100:.3g} %"


def span(seconds: float) -> str:
    """Write a span of time in the largest unit of which it has two."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for name, unit in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * unit:
            return f"{seconds // unit:.0f} {name}"
    return f"{seconds:.3g} s"


def size(count: float) -> str:
    """Write a number of bytes in a binary unit."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} TiB"
