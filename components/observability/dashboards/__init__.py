"""Dashboards, as code."""

from __future__ import annotations

from collections.abc import Sequence

from components.observability.dashboards.model import ALERTS, LOGS, METRICS, Dashboard, Graph, Lines, Number, Query
from components.observability.dashboards.platform import logs, overview, slo
from components.observability.dashboards.requests import requests
from components.observability.dashboards.stores import backups, cache, database, kubernetes, queue, vault
from components.observability.rules import Objectives


def dashboards(objectives: Objectives) -> Sequence[Dashboard]:
    """List all dashboards; each has panels for what a stack may not have, and these stay empty there."""
    return (
        overview(objectives),
        requests(objectives),
        slo(objectives),
        database(),
        cache(),
        queue(),
        vault(),
        kubernetes(),
        backups(),
        logs(),
    )


__all__ = ["ALERTS", "LOGS", "METRICS", "Dashboard", "Graph", "Lines", "Number", "Query", "dashboards"]
