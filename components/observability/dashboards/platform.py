"""The platform at a glance, its objectives, and what it says."""

from __future__ import annotations

from components.observability.dashboards.model import Dashboard, Graph, Lines, Number, Panel, Query
from components.observability.rules.requests import BURNS, Objectives

ERRORS = '{namespace=~"auterity.*"} | detected_level=~"error|critical|fatal"'
"""LogQL of every line that says that something went wrong."""


def overview(objectives: Objectives) -> Dashboard:
    """Tell whether all is well, and where it is not."""
    firing = 'count(ALERTS{{alertstate="firing",severity="{}"}}) or vector(0)'
    return Dashboard(
        "overview",
        "Platform",
        [
            (
                "Now",
                [
                    Number("Critical alerts", "short", Query(firing.format("critical")), bad_from=1),
                    Number("Warnings", "short", Query(firing.format("warning")), bad_from=1),
                    Number("Targets that do not answer", "short", Query("count(up == 0) or vector(0)"), bad_from=1),
                    Number(
                        "Errors, 5 m",
                        "percentunit",
                        Query("max(job:http_request_errors:ratio_rate5m)"),
                        bad_from=1 - objectives.availability,
                    ),
                    Number(
                        "95th percentile",
                        "s",
                        Query("max(job:request_latency_seconds:p95_5m)"),
                        bad_from=objectives.fast_seconds,
                    ),
                    Number(
                        "Since the last backup",
                        "s",
                        Query('time() - max(kube_cronjob_status_last_successful_time{cronjob=~"auterity-backup.*"})'),
                        bad_from=26 * 3600,
                    ),
                ],
            ),
            (
                "Requests",
                [
                    Graph("Rate", "reqps", [Query("job:http_requests:rate5m", "{{job}}")]),
                    Graph("Errors", "percentunit", [Query("job:http_request_errors:ratio_rate5m", "{{job}}")]),
                    Graph(
                        "Duration",
                        "s",
                        [
                            Query("job:request_latency_seconds:mean5m", "{{job}}, mean"),
                            Query("job:request_latency_seconds:p95_5m", "{{job}}, 95th percentile"),
                        ],
                        limit=objectives.fast_seconds,
                    ),
                ],
            ),
            (
                "What is there",
                [
                    Graph("Targets that answer", "short", [Query("sum by (job) (up)", "{{job}}")], width=12),
                    Graph(
                        "Alerts",
                        "short",
                        [Query('count by (alertname) (ALERTS{alertstate="firing",severity!="none"})', "{{alertname}}")],
                        width=12,
                    ),
                ],
            ),
            ("Lines that say that something went wrong", [Lines("Errors", ERRORS)]),
        ],
    )


def slo(objectives: Objectives) -> Dashboard:
    """Tell how much of the error budgets is left, and how fast they go."""
    spans = sorted({span for burn in BURNS for span in (burn.long, burn.short)}, key=_hours)
    rows: list[tuple[str, list[Panel]]] = []
    for title, series, objective in (
        ("Answers without an error", "job:http_request_errors", objectives.availability),
        (f"Answers within {objectives.fast_seconds:g} s", "job:http_request_slow", objectives.latency),
    ):
        left = f"1 - avg by (job) (avg_over_time({series}:ratio_rate1h[30d])) / (1 - {objective:g})"
        burn = [Query(f"{series}:ratio_rate{span} / (1 - {objective:g})", f"{{{{job}}}}, {span}") for span in spans]
        rows.append(
            (
                f"{title}: {objective:.2%} over 30 days",
                [
                    Number("Budget left", "percentunit", Query(left, "{{job}}"), bad_below=0.1, width=6),
                    Graph("How many times too fast the budget goes", "short", burn, width=18, limit=BURNS[0].rate),
                ],
            )
        )
    return Dashboard("slo", "Objectives", rows)


def _hours(span: str) -> float:
    return float(span[:-1]) * {"m": 1 / 60, "h": 1, "d": 24}[span[-1]]


def logs() -> Dashboard:
    """Show what is said, and how much of it."""
    return Dashboard(
        "logs",
        "Logs",
        [
            (
                "Volume",
                [
                    Graph(
                        "Lines taken",
                        "wps",
                        [Query("sum by (tenant) (rate(loki_distributor_lines_received_total[5m]))", "{{tenant}}")],
                        width=12,
                    ),
                    Graph(
                        "Lines lost by collectors",
                        "wps",
                        [Query("sum by (reason) (rate(loki_write_dropped_entries_total[5m]))", "{{reason}}")],
                        width=12,
                    ),
                ],
            ),
            ("Errors", [Lines("Errors", ERRORS)]),
            ("Everything", [Lines("Everything", '{namespace=~"auterity.*"}')]),
        ],
    )
