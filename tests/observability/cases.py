"""For every alert: what makes it fire, from which minute on, and what just does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from components.observability.rules import Objectives, Watched, groups
from components.observability.rules.model import Alert
from components.observability.rules.monitoring import missing_name
from components.observability.rules.requests import BURNS
from tests.observability.series import counter, gauge

WATCHED = Watched(
    jobs=("auterity-app", "kube-state-metrics"),
    objectives=Objectives(availability=0.999, latency=0.99, fast_seconds=0.5),
    queue_nodes=3,
    series=100_000,
    alertmanagers=2,
    certificates={"auterity-vault": 15 * 86400},
)
RULES = groups(WATCHED)
ALERTS: Mapping[str, Alert] = {alert.name: alert for group in RULES for alert in group.alerts()}

Series = Mapping[str, str]
HEALTHY = 20
"""Minutes for which a counter is well before it is not."""

STEPS = 5
"""Minutes after which a rate over five knows a fifth too much: over five samples there are four steps, and of a counter
that was 0 Prometheus assumes no growth before.
"""


@dataclass(frozen=True)
class Moment:
    """A minute in which an alert fires or does not.

    Attributes:
        series: under which series.
        minute: the minute.
        fires: whether it does.
    """

    series: Series
    minute: int
    fires: bool


@dataclass(frozen=True)
class Case:
    """What an alert says to some series.

    Attributes:
        fires: series under which it fires.
        since: minute from which its expression is true.
        quiet: series under which it never fires, each close to those that make it.
        interval: minutes between samples and evaluations.
        moments: more that it does, where that is not plain from its expression.
    """

    fires: Series
    quiet: tuple[Series, ...]
    since: int = 0
    interval: int = 1
    moments: tuple[Moment, ...] = ()


def holds(series: str, fires: float, *quiet: float, more: Series | None = None) -> Case:
    """Fire at one value of a gauge, and not at others."""
    lasts, further = 240, more or {}
    return Case(
        {series: gauge((lasts, fires)), **further}, tuple({series: gauge((lasts, value)), **further} for value in quiet)
    )


def grows(series: str) -> Case:
    """Fire while a counter goes up, and not after it went up once; five minutes of each are looked at."""
    return Case(
        {series: counter((HEALTHY, 0), (40, 1))},
        ({series: counter((60, 0))}, {series: counter((HEALTHY, 0), (1, 1), (40, 0))}),
        since=HEALTHY + 1,
    )


def fails(bad: str, good: str, least: float) -> Case:
    """Fire when a fifth more than the `least` share of all requests fails; a fifth less never does."""

    def requests(share: float) -> Series:
        return {
            good: counter((HEALTHY, 1000), (60, 1000 * (1 - share))),
            bad: counter((HEALTHY, 0), (60, 1000 * share)),
        }

    return Case(requests(least * 1.2), (requests(least * 0.8),), since=HEALTHY + STEPS)


def burns() -> dict[str, Case]:
    """Fire when twice the allowed share went wrong for half of the long span; not after the end, nor at less."""
    spans = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "1d": 1440, "3d": 4320}
    made = {}
    for kind, budget, series in (("Availability", 0.001, failures), ("Latency", 0.01, slow)):
        for burn in BURNS:
            interval = 10 if spans[burn.long] > 360 else 1
            long, short, waits = (n // interval for n in (spans[burn.long], spans[burn.short], burn.minutes))
            most = burn.rate * budget
            made[f"{kind}BudgetBurn{burn.long}"] = Case(
                series((long, 0), (long + waits, most * 2)),
                (
                    series((long, 0), (long + waits, most * 0.95)),
                    # It has just begun: the short span is full of it.
                    series((long, 0), (short + waits, most * 1.05), (long, 0)),
                ),
                since=(long + long // 2) * interval,
                interval=interval,
                # Much went wrong, and then just more or less than what the short span allows.
                moments=tuple(
                    Moment(
                        series((long, 0), (long + waits, most * 2), (long, most * rest)),
                        (2 * long + waits + short + 1) * interval,
                        fires,
                    )
                    for rest, fires in ((0.95, False), (1.05, True))
                ),
            )
    return made


def failures(*parts: tuple[int, float]) -> Series:
    """Answer a thousand requests per sample, a share of them with an error."""
    name = 'http_request_duration_seconds_count{job="auterity-app",status="%s"}'
    return {
        name % "2xx": counter(*((samples, 1000 * (1 - share)) for samples, share in parts)),
        name % "5xx": counter(*((samples, 1000 * share) for samples, share in parts)),
    }


def slow(*parts: tuple[int, float]) -> Series:
    """Answer a thousand requests per sample, a share of them slowly."""
    name = "http_request_duration_seconds_%s"
    return {
        name % 'count{job="auterity-app",status="2xx"}': counter(*((samples, 1000) for samples, _ in parts)),
        name % 'bucket{job="auterity-app",status="2xx",le="0.5"}': counter(
            *((samples, 1000 * (1 - share)) for samples, share in parts)
        ),
    }


def certificates(days: float) -> Series:
    """Let every client show a certificate that ends in less than some days."""
    name = 'apiserver_client_certificate_expiration_seconds_bucket{job="apiserver",le="%s"}'
    least, most = days * 86400 - 1, days * 86400
    return {
        name % f"{least:.1f}": counter((60, 0)),
        name % f"{most:.1f}": counter((60, 10)),
        name % "+Inf": counter((60, 10)),
    }


def volume(free: Callable[[int], float]) -> Series:
    """Offer a volume of 1000 bytes, `free` of them at a minute; there are ten minutes between samples."""
    claim = '{namespace="auterity",persistentvolumeclaim="data"}'
    return {
        f"kubelet_volume_stats_available_bytes{claim}": " ".join(f"{free(10 * n):g}" for n in range(100)),
        f"kubelet_volume_stats_capacity_bytes{claim}": gauge((100, 1000)),
    }


DISK = '{instance="node-a",mountpoint="/",fstype="ext4"}'
SCALER = '{namespace="auterity",horizontalpodautoscaler="auterity-app"}'
NIGHTLY = '{namespace="auterity",cronjob="auterity-backup"}'
DAY_AND_MORE = 26 * 60
LOKI = 'loki_request_duration_seconds_count{job="loki",status_code="%s"}'
NAMED = '{job="test",instance="a"}'
STORED = '{target="s3"}'

CASES: Mapping[str, Case] = {
    **burns(),
    "Watchdog": Case({}, ()),
    "TargetDown": holds('up{job="auterity-app",instance="a"}', 0, 1),
    **{
        missing_name(job): Case(
            {f'up{{job="{job}"}}': gauge((60, 0))}, ({f'up{{job="{job}",instance="a"}}': gauge((60, 1))},)
        )
        for job in WATCHED.jobs
    },
    "GatewayErrors": fails(
        'kong_http_requests_total{job="auterity-gateway",code="502"}',
        'kong_http_requests_total{job="auterity-gateway",code="200"}',
        0.05,
    ),
    "GatewayDatabaseUnreachable": holds("kong_datastore_reachable", 0, 1),
    "GatewayMemoryFull": holds(
        "kong_memory_lua_shared_dict_bytes", 95, 85, more={"kong_memory_lua_shared_dict_total_bytes": gauge((240, 100))}
    ),
    "AppWaitsForConnections": holds("database_pool_waiting_requests", 1, 0),
    "AppCacheFails": fails(
        'cache_requests_total{job="auterity-app",result="error"}',
        'cache_requests_total{job="auterity-app",result="hit"}',
        0.1,
    ),
    "AppEventsNotPublished": Case(
        {'events_published_total{result="error"}': counter((HEALTHY, 0), (40, 1))},
        (
            {'events_published_total{result="confirmed"}': counter((60, 1))},
            # Two minutes and the window after them are less than the alert waits.
            {'events_published_total{result="error"}': counter((HEALTHY, 0), (5, 1), (40, 0))},
        ),
        since=HEALTHY + 1,
    ),
    "DatabaseDown": holds("pg_up", 0, 1),
    "DatabaseConnectionsFull": holds(
        "pg_stat_activity_count" + NAMED, 85, 75, more={"pg_settings_max_connections" + NAMED: gauge((240, 100))}
    ),
    "DatabaseDeadlocks": Case(
        {"pg_stat_database_deadlocks" + NAMED: counter((HEALTHY, 0), (1, 1), (40, 0))},
        ({"pg_stat_database_deadlocks" + NAMED: counter((60, 0))},),
        since=HEALTHY + 1,
    ),
    "DatabaseLongTransaction": holds('pg_stat_activity_max_tx_duration{state="active"}', 1900, 1700),
    "DatabaseReplicaBehind": holds("pg_replication_lag_seconds", 33, 27),
    "CacheDown": holds("redis_up", 0, 1),
    "CacheEvicts": Case(
        {"redis_evicted_keys_total": counter((HEALTHY, 0), (60, 720))},
        ({"redis_evicted_keys_total": counter((HEALTHY, 0), (60, 540))},),
        since=HEALTHY + STEPS,
    ),
    "CacheRefusesConnections": Case(
        {"redis_rejected_connections_total": counter((HEALTHY, 0), (1, 1), (40, 0))},
        ({"redis_rejected_connections_total": counter((60, 0))},),
        since=HEALTHY + 1,
    ),
    "CacheNotWritten": holds("redis_aof_last_write_status", 0, 1),
    "QueueNodeMissing": Case(
        {f'up{{job="auterity-queue",instance="{name}"}}': gauge((60, 1)) for name in "ab"},
        ({f'up{{job="auterity-queue",instance="{name}"}}': gauge((60, 1)) for name in "abc"},),
    ),
    "QueueMemoryAlarm": holds("rabbitmq_alarms_memory_used_watermark", 1, 0),
    "QueueDiskAlarm": holds("rabbitmq_alarms_free_disk_space_watermark", 1, 0),
    "QueueDepth": holds("rabbitmq_queue_messages_ready", 11_000, 9_000),
    "VaultSealed": holds("vault_core_unsealed", 0, 1),
    "VaultWithoutLeader": holds("vault_core_active", 0, 1),
    "PodCrashes": holds('kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}', 1, 0),
    "DeploymentIncomplete": holds(
        "kube_deployment_status_replicas_available", 3, 4, more={"kube_deployment_spec_replicas": gauge((240, 4))}
    ),
    "StatefulSetIncomplete": holds(
        "kube_statefulset_status_replicas_ready", 2, 3, more={"kube_statefulset_replicas": gauge((240, 3))}
    ),
    "AutoscalerAtMaximum": holds(
        f"kube_horizontalpodautoscaler_status_current_replicas{SCALER}",
        10,
        9,
        more={f"kube_horizontalpodautoscaler_spec_max_replicas{SCALER}": gauge((240, 10))},
    ),
    "JobFailed": holds('kube_job_failed{condition="true"}', 1, 0),
    "NodeNotReady": holds('kube_node_status_condition{condition="Ready",status="true"}', 0, 1),
    "NodeMemoryFull": holds(
        "node_memory_MemAvailable_bytes", 9, 11, more={"node_memory_MemTotal_bytes": gauge((240, 100))}
    ),
    "NodeDiskFull": holds(
        f"node_filesystem_avail_bytes{DISK}", 9, 11, more={f"node_filesystem_size_bytes{DISK}": gauge((240, 100))}
    ),
    "VolumeFull": holds(
        "kubelet_volume_stats_available_bytes", 9, 11, more={"kubelet_volume_stats_capacity_bytes": gauge((240, 100))}
    ),
    "VolumeFills": Case(
        volume(lambda minute: 390 - 0.08 * minute),
        (
            # Full in five days.
            volume(lambda minute: 390 - 0.05 * minute),
            # Enough room is left, however fast it goes.
            volume(lambda minute: 590 - 0.12 * minute),
            # Much room is left, whatever the last hours were like.
            volume(lambda minute: 900 - 0.3 * minute),
        ),
        since=10,
        interval=10,
    ),
    "ApiServerErrors": fails(
        'apiserver_request_total{job="apiserver",code="500"}',
        'apiserver_request_total{job="apiserver",code="200"}',
        0.03,
    ),
    "ClientCertificateExpires": Case(certificates(6.5), (certificates(7.5),), since=1),
    "BackupTooOld": Case(
        {f"kube_cronjob_status_last_successful_time{NIGHTLY}": gauge((300, 0))},
        ({f"kube_cronjob_status_last_successful_time{NIGHTLY}": gauge((120, 0), (150, 72_000))},),
        since=DAY_AND_MORE + 10,
        interval=10,
    ),
    "BackupNeverRan": Case(
        {f"kube_cronjob_created{NIGHTLY}": gauge((300, 0))},
        (
            {
                f"kube_cronjob_created{NIGHTLY}": gauge((300, 0)),
                f"kube_cronjob_status_last_successful_time{NIGHTLY}": gauge((300, 0)),
            },
        ),
        since=DAY_AND_MORE + 10,
        interval=10,
    ),
    "BackupTargetFails": holds("auterity_backup_failed" + STORED, 1, 0),
    "BackupShrank": Case(
        {"auterity_backup_size_bytes" + STORED: gauge((72, 100), (24, 45))},
        (
            {"auterity_backup_size_bytes" + STORED: gauge((72, 100), (24, 55))},
            # As small as it has been for long.
            {"auterity_backup_size_bytes" + STORED: gauge((20, 100), (100, 60), (40, 45))},
        ),
        since=72 * 60,
        interval=60,
        # It has shrunk for less than two days, and then is what it was two days ago.
        moments=(
            Moment({"auterity_backup_size_bytes" + STORED: gauge((24, 100), (72, 45))}, 70 * 60, fires=True),
            Moment({"auterity_backup_size_bytes" + STORED: gauge((24, 100), (72, 45))}, 74 * 60, fires=False),
        ),
    ),
    "DrillFailed": holds("auterity_drill_failed" + STORED, 1, 0),
    "DrillTooOld": Case(
        {"auterity_drill_last_success_timestamp_seconds" + STORED: gauge((900, 0))},
        ({"auterity_drill_last_success_timestamp_seconds" + STORED: gauge((480, 0), (800, 20 * 86400))},),
        since=35 * 24 * 60 + 60,
        interval=60,
    ),
    "CertificateExpires": Case(
        # The rule knows when the certificate ends: on the fifteenth day of the test's clock.
        {"up": gauge((240, 1))},
        ({"up": gauge((144, 1))},),
        since=1440 + 10,
        interval=10,
    ),
    "PrometheusConfigurationRefused": holds("prometheus_config_last_reload_successful", 0, 1),
    "PrometheusRulesFail": grows("prometheus_rule_evaluation_failures_total" + NAMED),
    "PrometheusCannotNotify": grows("prometheus_notifications_errors_total" + NAMED),
    "PrometheusSeries": holds("prometheus_tsdb_head_series", 85_000, 75_000),
    "AlertmanagerCannotNotify": grows("alertmanager_notifications_failed_total" + NAMED),
    "AlertmanagerAlone": holds("alertmanager_cluster_members", 1, 2),
    "LokiErrors": fails(LOKI % "500", LOKI % "204", 0.1),
    "LogsDropped": Case(
        {"loki_write_dropped_entries_total" + NAMED: counter((HEALTHY, 0), (40, 1))},
        ({"loki_write_dropped_entries_total" + NAMED: counter((60, 0))},),
        since=HEALTHY + 1,
    ),
}
