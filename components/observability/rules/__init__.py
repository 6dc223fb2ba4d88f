"""Recording rules and alerts, as code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.observability.rules.cluster import (
    backup_alerts,
    certificate_alerts,
    control_plane_alerts,
    node_alerts,
    workload_alerts,
)
from components.observability.rules.model import Alert, Group, Recording, rule_file
from components.observability.rules.monitoring import WATCHDOG, monitoring_alerts, target_alerts
from components.observability.rules.requests import Objectives, burn_alerts, ratio_rules, request_rules
from components.observability.rules.stores import (
    app_alerts,
    cache_alerts,
    database_alerts,
    gateway_alerts,
    queue_alerts,
    vault_alerts,
)


@dataclass(frozen=True)
class Watched:
    """What there is to watch.

    Attributes:
        jobs: every job that has to have a target.
        objectives: what the request path promises.
        queue_nodes: nodes of RabbitMQ in the cluster; 0 for none.
        series: series for which Prometheus has memory.
        alertmanagers: members of Alertmanager's cluster.
        certificates: workload to when its certificate ends, in seconds since 1970.
    """

    jobs: Sequence[str]
    objectives: Objectives
    queue_nodes: int
    series: int
    alertmanagers: int
    certificates: Mapping[str, int] = field(default_factory=dict)


def groups(watched: Watched) -> list[Group]:
    """Return all rules; alerts of what a stack has not got never fire, since their series are not there."""
    return [
        request_rules(),
        ratio_rules(watched.objectives),
        burn_alerts(watched.objectives),
        target_alerts(watched.jobs),
        gateway_alerts(),
        app_alerts(),
        database_alerts(),
        cache_alerts(),
        queue_alerts(watched.queue_nodes),
        vault_alerts(),
        workload_alerts(),
        node_alerts(),
        control_plane_alerts(),
        backup_alerts(),
        certificate_alerts(watched.certificates),
        monitoring_alerts(watched.series, watched.alertmanagers),
    ]


__all__ = ["WATCHDOG", "Alert", "Group", "Objectives", "Recording", "Watched", "groups", "rule_file"]
