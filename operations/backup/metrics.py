"""Figures of runs and drills, for alerts and dashboards."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http.client import HTTPException

from prometheus_client import CollectorRegistry, Gauge, pushadd_to_gateway

from operations.backup.drilling import Drill
from operations.backup.nightly import Outcome
from operations.backup.plan import MetricsPlan

PUSH_LIMIT = 15
"""Seconds until a Pushgateway that does not answer is given up."""


def of_run(outcome: Outcome) -> CollectorRegistry:
    """Tell how a run went at a target. One that failed gets no new time of success, and so keeps its last one."""
    figures = {
        "failed": ("Whether the last run failed.", 1.0 if outcome.error else 0.0),
        "duration_seconds": ("How long the last run took.", outcome.seconds),
    }
    if outcome.finished is not None:
        figures |= {
            "last_success_timestamp_seconds": ("When a run was last complete and read back.", outcome.finished),
            "size_bytes": ("Size of the dumps, compressed.", outcome.size_bytes),
            "added_bytes": ("What the repository did not have before, compressed.", outcome.added_bytes),
        }
    registry = _registry("backup", figures)
    _phases(registry, "backup", outcome.phases)
    return registry


def of_drill(drill: Drill) -> CollectorRegistry:
    """Tell how a drill went with a target."""
    figures = {"failed": ("Whether the last drill failed.", 1.0 if drill.error else 0.0)}
    if not drill.error:
        figures |= {
            "last_success_timestamp_seconds": ("When a drill last succeeded.", time.time()),
            "rpo_seconds": ("Age of the newest data that could be restored.", drill.rpo_seconds),
            "rto_seconds": ("How long the restore took.", drill.rto_seconds),
        }
    registry = _registry("drill", figures)
    if not drill.error:
        _phases(registry, "drill", drill.phases)
    return registry


def publish(plan: MetricsPlan, job: str, figures: Mapping[str, CollectorRegistry], told: Callable[[str], None]) -> None:
    """Push figures to where the plan says. What cannot be pushed is told, and fails nothing: the backup is there.

    Args:
        plan: where they go.
        job: label ``job`` of what is pushed.
        figures: target to its figures; a group of its own for each, so that one keeps what another one replaces.
        told: hears of what cannot be pushed.
    """
    if plan.push_url is None:
        return
    for target, registry in figures.items():
        try:
            # Added to what is there: a figure that is not told now keeps its value.
            pushadd_to_gateway(plan.push_url, job, registry, grouping_key={"target": target}, timeout=PUSH_LIMIT)
        except (OSError, HTTPException, ValueError) as error:
            told(f"the figures of {target} cannot be pushed to {plan.push_url}: {error}")


def _phases(registry: CollectorRegistry, what: str, phases: Mapping[str, float]) -> None:
    gauge = Gauge(f"auterity_{what}_phase_seconds", "How long a phase took.", ["phase"], registry=registry)
    for phase, seconds in phases.items():
        gauge.labels(phase).set(seconds)


def _registry(what: str, figures: Mapping[str, tuple[str, float]]) -> CollectorRegistry:
    registry = CollectorRegistry()
    for name, (meaning, value) in figures.items():
        Gauge(f"auterity_{what}_{name}", meaning, registry=registry).set(value)
    return registry
