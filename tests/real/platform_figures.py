"""Two hours of a platform's figures, well or not, as a real Prometheus remembers them, and ten minutes to come."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from sandbox.toolchain.cache import cache_directory
from sandbox.toolchain.monitoring_binaries import ensure_monitoring
from tests.real.reference_app import eventually
from tests.real.services import HOST, free_port
from tests.real.watching import Program, program

HOUR, DAY = 3600, 86400
STEP = 15
"""Seconds between samples, as shipped."""


def figures(at: float, now: float, *, well: bool) -> dict[str, float]:
    """Return what every target of a platform shows at a moment.

    Args:
        at: the moment, in seconds since 1970.
        now: the moment at which it is looked at.
        well: whether the platform is.
    """
    # A half keeps a span from lying between two words.
    ago = {name: now - span for name, span in (("hours", 5.5 * HOUR), ("days", 3.5 * DAY), ("week", 8.5 * DAY))}
    app, disk = '{job="auterity-app"}', '{node="node-a",mountpoint="/",fstype="ext4"}'
    volume = '{namespace="auterity",persistentvolumeclaim="data-auterity-database-0"}'
    scaler = '{horizontalpodautoscaler="auterity-app"}'
    pod = '{namespace="auterity",pod="auterity-app-7d4b9-x2x4z",container="app"}'
    idle, hits = (0.6, 9) if well else (0.1, 1)
    slow = not well and at > now - HOUR / 2
    return {
        'up{job="auterity-app",instance="10.0.0.7:8000"}': 1,
        'up{job="auterity-cache",instance="10.0.0.8:9121",pod="auterity-cache-0"}': 1 if well else 0,
        'node_cpu_seconds_total{node="node-a",mode="idle"}': at * idle,
        'node_memory_MemTotal_bytes{node="node-a"}': 16 * 2**30,
        'node_memory_MemAvailable_bytes{node="node-a"}': (8 if well else 1) * 2**30,
        'node_vmstat_pswpin{node="node-a"}': 0 if well else at * 20,
        f"node_filesystem_size_bytes{disk}": 100,
        f"node_filesystem_avail_bytes{disk}": 40 if well else 5,
        f"kubelet_volume_stats_capacity_bytes{volume}": 100,
        f"kubelet_volume_stats_available_bytes{volume}": 70 if well else 15,
        'auterity_backup_last_success_timestamp_seconds{job="auterity-backup",target="s3"}': ago["hours"],
        'auterity_backup_last_success_timestamp_seconds{job="auterity-backup",target="gcs"}': ago[
            "hours" if well else "days"
        ],
        'auterity_backup_size_bytes{job="auterity-backup",target="s3"}': 3 * 2**30,
        'auterity_backup_size_bytes{job="auterity-backup",target="gcs"}': 3 * 2**30,
        'auterity_backup_failed{job="auterity-backup",target="gcs"}': 0 if well else 1,
        'auterity_drill_failed{job="auterity-drill",target="s3"}': 0,
        'auterity_drill_last_success_timestamp_seconds{job="auterity-drill",target="s3"}': ago["week"],
        'workload:certificate_end:timestamp_seconds{job="auterity-vault"}': now + (100.5 if well else 5.5) * DAY,
        f"database_pool_waiting_requests{app}": 0 if well else 7,
        'pg_stat_activity_count{instance="db",datname="auterity"}': 30 if well else 95,
        'pg_settings_max_connections{instance="db"}': 100,
        'cache_requests_total{job="auterity-app",result="hit"}': (at % DAY) * hits,
        'cache_requests_total{job="auterity-app",result="miss"}': (at % DAY) * (10 - hits),
        f"job:request_latency_seconds:p99_5m{app}": 2.5 if slow else 0.2,
        f"job:request_latency_seconds:mean5m{app}": 0.4 if slow else 0.05,
        "kong_upstream_latency_ms_sum": (at % DAY) * (60 if well else 800),
        "kong_upstream_latency_ms_count": at % DAY,
        'http_request_duration_seconds_count{job="auterity-app",status="2xx"}': (at % DAY) * 10,
        'http_request_duration_seconds_bucket{job="auterity-app",status="2xx",le="0.5"}': (at % DAY) * 10,
        'http_request_duration_seconds_bucket{job="auterity-app",status="2xx",le="+Inf"}': (at % DAY) * 10,
        f"kube_horizontalpodautoscaler_status_current_replicas{scaler}": 4 if well else 10,
        f"kube_horizontalpodautoscaler_spec_max_replicas{scaler}": 10,
        f"container_memory_working_set_bytes{pod}": (1 if well else 3.9) * 2**30,
        'redis_memory_used_bytes{instance="cache"}': 50 if well else 99,
        'redis_memory_max_bytes{instance="cache"}': 100,
        'rabbitmq_alarms_memory_used_watermark{instance="queue-0"}': 0 if well else 1,
    }


def history(*, well: bool, more: Mapping[str, float]) -> str:
    """Write two hours in the OpenMetrics format, which wants the samples of a name together."""
    now = time.time()
    # What is to come keeps rates from falling while they are asked for.
    moments = [now + STEP * step for step in range(-2 * HOUR // STEP, 600 // STEP)]
    samples = [
        (series, value, at) for at in moments for series, value in {**figures(at, now, well=well), **more}.items()
    ]
    named = sorted(samples, key=lambda sample: (sample[0].partition("{")[0], sample[0], sample[2]))
    lines = []
    for name, of_name in groupby(named, key=lambda sample: sample[0].partition("{")[0]):
        lines.append(f"# TYPE {name} unknown")
        lines += [f"{series} {float(value)!r} {at:.3f}" for series, value, at in of_name]
    return "\n".join([*lines, "# EOF", ""])


@contextmanager
def remembered(directory: Path, *, well: bool, more: Mapping[str, float] | None = None) -> Iterator[Program]:
    """Run a Prometheus that remembers a platform's last two hours, and more series of one value each."""
    (directory / "history").write_text(history(well=well, more=more or {}))
    promtool = ensure_monitoring("promtool", cache_directory())
    filled = [str(promtool), "tsdb", "create-blocks-from", "openmetrics", "history", "data"]
    subprocess.run(filled, cwd=directory, check=True, capture_output=True)
    (directory / "prometheus.yml").write_text("{}")
    port = free_port()
    flags = [f"--web.listen-address={HOST}:{port}", f"--storage.tsdb.path={directory / 'data'}"]
    with program("prometheus", directory, port, flags) as prometheus:
        eventually(lambda: prometheus.value("up") is not None)
        yield prometheus
