"""The request path: rate, errors and duration of each of its parts."""

from __future__ import annotations

from components.observability.dashboards.model import Dashboard, Graph, Query
from components.observability.rules.requests import HISTOGRAM, Objectives


def requests(objectives: Objectives) -> Dashboard:
    """Show a request's way through gateway and app to the stores."""
    kong = "kong_{}_latency_ms_bucket"
    return Dashboard(
        "requests",
        "Request path",
        [
            (
                "Gateway",
                [
                    Graph(
                        "Rate", "reqps", [Query("sum by (job, code) (rate(kong_http_requests_total[5m]))", "{{code}}")]
                    ),
                    Graph(
                        "Errors",
                        "percentunit",
                        [
                            Query(
                                'sum by (job, source) (rate(kong_http_requests_total{code=~"5.."}[5m])) '
                                "/ on (job) group_left () sum by (job) (rate(kong_http_requests_total[5m]))",
                                "by the {{source}}",
                            )
                        ],
                        limit=0.05,
                    ),
                    Graph(
                        "Duration, 95th percentile",
                        "ms",
                        [
                            Query(
                                f"histogram_quantile(0.95, sum by (job, le) (rate({kong.format(part)}[5m])))",
                                what,
                            )
                            for part, what in (("request", "whole"), ("upstream", "app"), ("kong", "gateway itself"))
                        ],
                    ),
                ],
            ),
            (
                "App",
                [
                    Graph(
                        "Rate by route",
                        "reqps",
                        [Query(f"sum by (job, method, route) (rate({HISTOGRAM}_count[5m]))", "{{method}} {{route}}")],
                    ),
                    Graph(
                        "Errors by route",
                        "reqps",
                        [
                            Query(
                                f'sum by (job, method, route) (rate({HISTOGRAM}_count{{status="5xx"}}[5m]))',
                                "{{method}} {{route}}",
                            )
                        ],
                    ),
                    Graph(
                        "Duration",
                        "s",
                        [
                            Query("job:request_latency_seconds:p50_5m", "{{job}}, median"),
                            Query("job:request_latency_seconds:p95_5m", "{{job}}, 95th percentile"),
                            Query("job:request_latency_seconds:p99_5m", "{{job}}, 99th percentile"),
                        ],
                        limit=objectives.fast_seconds,
                    ),
                    Graph("Being answered", "short", [Query("sum by (job) (http_requests_in_flight)", "{{job}}")]),
                    Graph(
                        "Look-ups in the cache",
                        "ops",
                        [Query("sum by (job, result) (rate(cache_requests_total[5m]))", "{{result}}")],
                    ),
                    Graph(
                        "Events",
                        "ops",
                        [Query("sum by (job, result) (rate(events_published_total[5m]))", "{{result}}")],
                    ),
                    Graph(
                        "Waiting for a connection to the database",
                        "short",
                        [Query("sum by (job) (database_pool_waiting_requests)", "{{job}}")],
                    ),
                ],
            ),
        ],
    )
