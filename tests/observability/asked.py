"""Names of series: those that rules and dashboards ask for, and those that somebody shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import promql_parser

from components.observability.dashboards import dashboards
from components.observability.rules import Recording
from operations.backup.drilling import Drill
from operations.backup.metrics import of_drill, of_run
from operations.backup.nightly import Outcome
from tests.observability.cases import RULES, WATCHED

EXPOSED = Path(__file__).parent / "exposed"
OWN = {"up", "ALERTS"}
"""Series that Prometheus makes by itself."""


def names(expr: str) -> set[str]:
    """Return the names of all series in a question to Prometheus."""
    found: set[str] = set()
    left: list[object] = [promql_parser.parse(expr)]
    while left:
        part = left.pop()
        if isinstance(part, promql_parser.VectorSelector) and part.name:
            found.add(part.name)
        for inner in ("lhs", "rhs", "expr", "args", "vs", "vector_selector", "param"):
            value = getattr(part, inner, None)
            left += value if isinstance(value, list) else [value] if value is not None else []
    return found


def questions() -> list[str]:
    """List every question of a rule or a dashboard."""
    asked = [rule.expr for group in RULES for rule in group.rules]
    return asked + [query for dashboard in dashboards(WATCHED.objectives) for query in dashboard.queries()]


def recorded() -> set[str]:
    """Return the names of what rules record."""
    return {rule.record for group in RULES for rule in group.rules if isinstance(rule, Recording)}


def asked() -> set[str]:
    """Return the names of all series that are asked for and that somebody has to show."""
    return {name for question in questions() for name in names(question)} - recorded() - OWN


def pushed() -> set[str]:
    """Return the names of the series that jobs push."""
    registries = (of_run(Outcome("s3", seconds=1, finished=1)), of_drill(Drill("s3")))
    return {metric.name for registry in registries for metric in registry.collect()}


def published(jobs: Iterable[str] | None = None) -> set[str]:
    """Return the names that the makers of what does not run here say it shows."""
    files = [EXPOSED / f"{job}.txt" for job in jobs] if jobs is not None else EXPOSED.glob("*.txt")
    return {line for file in files for line in file.read_text().splitlines() if not line.startswith("#")}
