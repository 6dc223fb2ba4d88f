"""Alerts of what watches: targets, Prometheus, Alertmanager, Loki, Alloy."""

from __future__ import annotations

from collections.abc import Iterable

from components.observability.rules.model import Alert, Group

WATCHDOG = "Watchdog"
"""Alert that always fires: who stops hearing it knows that nobody watches any more."""


def target_alerts(jobs: Iterable[str]) -> Group:
    """Return the alerts of targets; every one of the `jobs` has to have at least one that answers."""
    return Group(
        "targets",
        [
            Alert(
                WATCHDOG,
                "vector(1)",
                "none",
                "Alerts are evaluated and delivered",
                "Fires always. Its end means that Prometheus or Alertmanager is down.",
                "monitoring",
            ),
            Alert(
                "TargetDown",
                "up == 0",
                "warning",
                "{{ $labels.job }} on {{ $labels.instance }} does not answer",
                "Its figures are missing, and most often so is it.",
                "targets",
                5,
            ),
            *(
                Alert(
                    missing_name(job),
                    f'absent(up{{job="{job}"}} == 1)',
                    "critical",
                    f"No target of {job} answers",
                    "Either none runs or Prometheus cannot see it: its other alerts are blind.",
                    "targets",
                    5,
                )
                for job in jobs
            ),
        ],
    )


def missing_name(job: str) -> str:
    """Return the name of the alert that a job has no target: ``kube-state-metrics`` has ``KubeStateMetricsMissing``."""
    return "".join(part.capitalize() for part in job.removeprefix("auterity-").split("-")) + "Missing"


def monitoring_alerts(series: int, alertmanagers: int) -> Group:
    """Return the alerts of the watchers themselves.

    Args:
        series: series for which Prometheus has memory.
        alertmanagers: members of Alertmanager's cluster.
    """
    fails = "sum by (job, instance) (increase({}[5m])) > 0"
    return Group(
        "monitoring",
        [
            Alert(
                "PrometheusConfigurationRefused",
                "prometheus_config_last_reload_successful == 0",
                "warning",
                "Prometheus has refused its newest configuration",
                "It goes on with the one before, until it restarts and does not come up.",
                "monitoring",
                5,
            ),
            Alert(
                "PrometheusRulesFail",
                fails.format("prometheus_rule_evaluation_failures_total"),
                "critical",
                "Rules cannot be evaluated",
                "Alerts among them do not fire.",
                "monitoring",
                5,
            ),
            Alert(
                "PrometheusCannotNotify",
                "sum by (job, instance) (increase(prometheus_notifications_errors_total[5m])) > 0",
                "critical",
                "Prometheus cannot hand its alerts to Alertmanager",
                "Nobody hears of them.",
                "monitoring",
                5,
            ),
            Alert(
                "PrometheusSeries",
                f"prometheus_tsdb_head_series > 0.8 * {series}",
                "warning",
                "Prometheus holds {{ $value | humanize }} series",
                f"It has memory for {series}; when that is used up, it is killed.",
                "monitoring",
                15,
            ),
            Alert(
                "AlertmanagerCannotNotify",
                "sum by (job, instance, integration) (increase(alertmanager_notifications_failed_total[5m])) > 0",
                "critical",
                "Notifications by {{ $labels.integration }} fail",
                "Alerts do not reach the people that they are for.",
                "monitoring",
                5,
            ),
            Alert(
                "AlertmanagerAlone",
                f"alertmanager_cluster_members < {alertmanagers}",
                "warning",
                "{{ $labels.instance }} sees {{ $value }} members of Alertmanager's cluster",
                "Notifications come twice, and silences are not shared.",
                "monitoring",
                15,
            ),
            Alert(
                "LokiErrors",
                'sum by (job) (rate(loki_request_duration_seconds_count{status_code=~"5.."}[5m])) '
                "/ sum by (job) (rate(loki_request_duration_seconds_count[5m])) > 0.1",
                "warning",
                "{{ $value | humanizePercentage }} of the requests to Loki fail",
                "Logs arrive late or cannot be searched.",
                "monitoring",
                15,
            ),
            Alert(
                "LogsDropped",
                "sum by (job, instance) (increase(loki_write_dropped_entries_total[10m])) > 0",
                "warning",
                "Alloy on {{ $labels.instance }} drops logs",
                "They are lost.",
                "monitoring",
                5,
            ),
        ],
    )
