"""Exemptions in force, and those that should go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase

from policies.config import Exemption


class Exemptions:
    """The exemptions of one stack on one day; remembers which were needed.

    Which stack it is, the resources' URNs say: the engine tells it to no pack in Python before.
    """

    def __init__(self, exemptions: Iterable[Exemption], today: date) -> None:
        self._all = list(exemptions)
        self._held: list[Exemption] = []
        self._stack = ""
        self._today = today
        self._needed: set[Exemption] = set()
        self._open: set[Exemption] = set()

    def meet(self, urn: str) -> None:
        """Learn from a resource's URN which stack it is."""
        if not self._stack:
            project, stack = home(urn)
            self._stack = f"{project}/{stack}"
            self._held = [each for each in self._all if fnmatchcase(self._stack, each.stack)]

    def _fitting(self, rule: str, resource: str) -> list[Exemption]:
        return [each for each in self._held if each.rule == rule and fnmatchcase(resource, each.resource)]

    def cover(self, rule: str, resource: str) -> bool:
        """Say whether a resource may break a rule today."""
        fitting = self._fitting(rule, resource)
        self._needed.update(fitting)
        return any(each.expires >= self._today for each in fitting)

    def leave_open(self, rule: str, resource: str) -> None:
        """Take in that it cannot be said yet whether the resource breaks the rule."""
        self._open.update(self._fitting(rule, resource))

    def problems(self) -> Iterator[str]:
        """Say which exemptions are expired or not needed."""
        for each in self._held:
            if each.expires < self._today:
                yield f"The exemption from {each} has expired: mend the resource, or decide anew and say why"
            elif each not in self._needed | self._open:
                yield f"The exemption from {each} is not used: nothing breaks that rule there; remove it"


def home(urn: str) -> tuple[str, str]:
    """Return project and stack of a resource: ``urn:pulumi:<stack>::<project>::<types>::<name>``."""
    parts = (*urn.split("::", 2), "", "")
    return parts[1], parts[0].rpartition(":")[2]
