"""An alarm as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi


@dataclass(frozen=True)
class Metric:
    """One metric of CloudWatch.

    Attributes:
        namespace: such as ``AWS/RDS``.
        name: such as ``CPUUtilization``.
        dimensions: name of a dimension to what it is.
        statistic: ``Average``, ``Sum``, ``Minimum``, ``Maximum``, ``SampleCount``, or a percentile such as ``p99``.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str = "Average"


@dataclass(frozen=True)
class Alarm:
    """When somebody must look.

    Attributes:
        key: its name below the stack's, stable for good, such as ``database-cpu``.
        group: what it is about, as a heading of the dashboard.
        says: what has happened and where to look first, for the person who is woken.
        metrics: a lower-case id to the metric; one, or those that `expression` reckons with.
        threshold: from which figure on, in the metric's unit.
        comparison: which side of the threshold is the bad one.
        expression: metric math over the ids (CloudWatch user guide, 'Using math expressions'); None for one metric.
        period: seconds of one data point.
        points: data points that must be bad.
        of: the latest data points, of which `points` must be bad.
        missing: what no data means: nothing happened (``notBreaching``), or the watched thing is gone (``breaching``).
    """

    key: str
    group: str
    says: str
    metrics: Mapping[str, Metric]
    threshold: float
    comparison: Literal["above", "below"] = "above"
    expression: str | None = None
    period: int = 300
    points: int = 3
    of: int = 3
    missing: Literal["breaching", "ignore", "missing", "notBreaching"] = "notBreaching"

    @property
    def operator(self) -> str:
        """The comparison as CloudWatch names it."""
        return "GreaterThanOrEqualToThreshold" if self.comparison == "above" else "LessThanOrEqualToThreshold"
