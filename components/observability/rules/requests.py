"""The request path: what it does, and how fast it uses up its error budgets."""

from __future__ import annotations

from dataclasses import dataclass

from components.observability.rules.model import Alert, Group, Recording, Severity

HISTOGRAM = "http_request_duration_seconds"
"""The app's own histogram; ``status`` is a class such as ``2xx``."""

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
"""Spans over which ratios are recorded: those that the burn rates need."""


@dataclass(frozen=True)
class Objectives:
    """What the request path promises, over 30 days.

    Attributes:
        availability: share of requests that are answered without an error of the server, below 1.
        latency: share of requests that are answered fast enough, below 1.
        fast_seconds: what is fast enough, a bound of the histogram's buckets.
    """

    availability: float
    latency: float
    fast_seconds: float

    def bucket(self) -> str:
        """Return the bucket's label as Prometheus 3 writes it, with a decimal point always."""
        return str(float(self.fast_seconds))


@dataclass(frozen=True)
class Burn:
    """How fast a budget is used up before somebody hears of it.

    Attributes:
        long: span that shows that it matters.
        short: span that shows that it still goes on.
        rate: times faster than the budget of 30 days allows.
        severity: who hears of it.
        minutes: for how long.
        spent: share of the budget that is gone by then.
    """

    long: str
    short: str
    rate: float
    severity: Severity
    minutes: int
    spent: str


BURNS = (
    Burn("1h", "5m", 14.4, "critical", 2, "2 %"),
    Burn("6h", "30m", 6, "critical", 15, "5 %"),
    Burn("1d", "2h", 3, "warning", 60, "10 %"),
    Burn("3d", "6h", 1, "warning", 180, "10 %"),
)
"""Windows and rates of the SRE Workbook (https://sre.google/workbook/alerting-on-slos/, table 5-8)."""


def request_rules() -> Group:
    """Return rate, errors and duration of each job that has the histogram."""
    rates = f"sum by (job) (rate({HISTOGRAM}_count[5m]))"
    quantiles = [
        Recording(
            f"job:request_latency_seconds:p{percent}_5m",
            f"histogram_quantile(0.{percent}, sum by (job, le) (rate({HISTOGRAM}_bucket[5m])))",
        )
        for percent in (50, 95, 99)
    ]
    return Group(
        "requests",
        [
            Recording("job:http_requests:rate5m", rates),
            Recording("job:request_latency_seconds:mean5m", f"sum by (job) (rate({HISTOGRAM}_sum[5m])) / {rates}"),
            *quantiles,
        ],
    )


def ratio_rules(objectives: Objectives) -> Group:
    """Return the shares of requests that failed, and that took too long, over each span."""
    rules = []
    for window in WINDOWS:
        every = f"sum by (job) (rate({HISTOGRAM}_count[{window}]))"
        failed = f'sum by (job) (rate({HISTOGRAM}_count{{status="5xx"}}[{window}]))'
        fast = f'sum by (job) (rate({HISTOGRAM}_bucket{{le="{objectives.bucket()}"}}[{window}]))'
        # A service that never failed has no series of failures: it failed 0 times.
        rules.append(Recording(f"job:http_request_errors:ratio_rate{window}", f"({failed} or 0 * {every}) / {every}"))
        rules.append(Recording(f"job:http_request_slow:ratio_rate{window}", f"1 - {fast} / {every}"))
    return Group("request-ratios", rules)


def burn_alerts(objectives: Objectives) -> Group:
    """Return the alerts on both budgets, each over two spans at once."""
    alerts = []
    for kind, series, objective, what in (
        ("Availability", "job:http_request_errors", objectives.availability, "are answered with an error"),
        ("Latency", "job:http_request_slow", objectives.latency, f"take longer than {objectives.fast_seconds:g} s"),
    ):
        for burn in BURNS:
            most = f"{burn.rate:g} * (1 - {objective:g})"
            alerts.append(
                Alert(
                    f"{kind}BudgetBurn{burn.long}",
                    f"{series}:ratio_rate{burn.long} > {most} and {series}:ratio_rate{burn.short} > {most}",
                    burn.severity,
                    f"{{{{ $value | humanizePercentage }}}} of the requests to {{{{ $labels.job }}}} {what}",
                    f"Over {burn.long} and {burn.short} the error budget of 30 days is used up {burn.rate:g} times too "
                    f"fast; {burn.spent} of it go that way.",
                    kind.lower(),
                    burn.minutes,
                )
            )
    return Group("objectives", alerts)
