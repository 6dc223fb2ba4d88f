"""What a rule of Prometheus is, and how a file of them is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from components.observability.written import as_yaml

Severity = Literal["critical", "warning", "none"]
"""``critical`` calls somebody at any hour, ``warning`` is for working hours, ``none`` is for machines."""


@dataclass(frozen=True)
class Recording:
    """A series that is computed at each evaluation.

    Attributes:
        record: its name, ``level:metric:operations``.
        expr: what it is.
        labels: labels that it gets.
    """

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def written(self, runbooks: str) -> dict[str, Any]:
        """Return it as Prometheus reads it."""
        return {
            "record": self.record,
            "expr": self.expr,
            **({"labels": dict(self.labels)} if self.labels else {}),
        }


@dataclass(frozen=True)
class Alert:
    """What somebody has to hear of.

    Attributes:
        name: its name; the heading of its section in the runbook.
        expr: what is true while it is needed.
        severity: who hears of it, and when.
        summary: one line, templates allowed.
        description: what that means to users of the platform, templates allowed.
        runbook: file in docs/runbooks, without its ending.
        minutes: for how long `expr` must have been true.
    """

    name: str
    expr: str
    severity: Severity
    summary: str
    description: str
    runbook: str
    minutes: int = 0

    def written(self, runbooks: str) -> dict[str, Any]:
        """Return it as Prometheus reads it; `runbooks` is the address of their directory."""
        return {
            "alert": self.name,
            "expr": self.expr,
            **({"for": f"{self.minutes}m"} if self.minutes else {}),
            "labels": {"severity": self.severity},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{runbooks}/{self.runbook}.md#{self.name.lower()}",
            },
        }


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other.

    Attributes:
        name: its name.
        rules: its rules.
    """

    name: str
    rules: Sequence[Recording | Alert]

    def alerts(self) -> list[Alert]:
        """List its alerts."""
        return [rule for rule in self.rules if isinstance(rule, Alert)]


def rule_file(groups: Iterable[Group], runbooks: str) -> str:
    """Write a rule file (https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/)."""
    document = {
        "groups": [{"name": group.name, "rules": [rule.written(runbooks) for rule in group.rules]} for group in groups]
    }
    return as_yaml(document)
