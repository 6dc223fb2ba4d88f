"""Looking for the cause of what is slow, and of what runs out of memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from operations.checks.backends import Platform, Sample, on_rds
from operations.checks.daily import NODE_MEMORY, NODE_MEMORY_FAILING, NODE_MEMORY_WARNING
from operations.checks.findings import Check, Seen, State, judged, share, size, span

UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
"""Suffix of a quantity to its factor (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)."""

FULL = 0.9
"""Share of a limit from which there is little left."""


def durations(platform: Platform) -> Iterator[Seen]:
    """Compare how long requests take with an hour ago."""
    before = by_job(platform.prometheus.ask("job:request_latency_seconds:p99_5m offset 1h"))
    means = by_job(platform.prometheus.ask("job:request_latency_seconds:mean5m"))
    for job, now in by_job(platform.prometheus.ask("job:request_latency_seconds:p99_5m")).items():
        saw = f"{job}: 99 % take less than {span(now)}, the mean is {span(means.get(job, 0))}"
        if job in before:
            saw += f"; an hour ago 99 % took less than {span(before[job])}"
        slower = job in before and now > 2 * before[job]
        yield Seen(State.WARNING if slower else State.OK, saw, "the rest of this list says where" if slower else "")


def pool(platform: Platform) -> Iterator[Seen]:
    """Look for requests that wait for a connection to the database, and at the server's own limit."""
    for each in platform.prometheus.ask("sum by (job) (database_pool_waiting_requests)"):
        advice = "a larger pool per copy, or more copies: auterity:app; slow queries hold connections, too"
        saw = f"{each.value:.0f} requests of {each.label('job')} wait for a connection"
        yield Seen(State.FAILING if each.value else State.OK, saw, advice if each.value else "")
    used = "sum by (instance) (pg_stat_activity_count) / on (instance) pg_settings_max_connections"
    for each in platform.prometheus.ask(used):
        state = judged(each.value, warning=0.8, failing=FULL)
        advice = "docs/runbooks/database.md#databaseconnectionsfull" if state else ""
        yield Seen(state, f"{share(each.value)} of the server's connections are taken", advice)


def cache(platform: Platform) -> Iterator[Seen]:
    """Look how often the cache has what it is asked for."""
    asked = 'sum by (job) (rate(cache_requests_total{result=~"hit|miss"}[5m]))'
    for each in platform.prometheus.ask(f'sum by (job) (rate(cache_requests_total{{result="hit"}}[5m])) / {asked}'):
        state = judged(1 - each.value, warning=0.5, failing=0.9)
        advice = (
            "longer lives of entries, or more memory: auterity:cache; evictions: docs/runbooks/cache.md"
            if state
            else ""
        )
        yield Seen(state, f"{share(each.value)} of {each.label('job')}'s look-ups are hits", advice)
    failed = 'sum by (job) (rate(cache_requests_total{result="error"}[5m])) > 0'
    for each in platform.prometheus.ask(failed):
        saw = f"{each.value:.2g} look-ups of {each.label('job')} fail each second"
        yield Seen(State.FAILING, saw, "docs/runbooks/cache.md#appcachefails")


def network(platform: Platform) -> Iterator[Seen]:
    """Compare what the gateway waits for the app with what the app itself takes: the rest is the network."""
    waited = "sum(rate(kong_upstream_latency_ms_sum[5m])) / sum(rate(kong_upstream_latency_ms_count[5m])) / 1000"
    gateway = platform.prometheus.value(waited)
    own = platform.prometheus.value('job:request_latency_seconds:mean5m{job="auterity-app"}')
    if gateway is None or own is None:
        yield Seen(State.UNKNOWN, "no figures of the gateway's requests to the app")
        return
    between = max(0.0, gateway - own)
    state = judged(between, warning=0.05, failing=0.25)
    advice = "connections anew for each request, a full node, another zone: docs/runbooks/latency.md" if state else ""
    yield Seen(state, f"{span(between)} of {span(gateway)} pass between gateway and app", advice)


def room(platform: Platform) -> Iterator[Seen]:
    """Look whether there may be more copies, and whether those there are have processors."""
    current = platform.prometheus.ask("kube_horizontalpodautoscaler_status_current_replicas")
    most = {
        each.label("horizontalpodautoscaler"): each.value
        for each in platform.prometheus.ask("kube_horizontalpodautoscaler_spec_max_replicas")
    }
    for each in current:
        name = each.label("horizontalpodautoscaler")
        full = each.value >= most.get(name, float("inf"))
        saw = f"{name} has {each.value:.0f} of at most {most.get(name, 0):.0f} copies"
        yield Seen(State.WARNING if full else State.OK, saw, "raise auterity:app.scaling.maximum" if full else "")


@dataclass(frozen=True)
class Held:
    """What a pod holds of what it may hold, in bytes."""

    pod: Any
    held: float
    limit: float

    @property
    def full(self) -> bool:
        """Whether little is left."""
        return self.held >= FULL * self.limit


def memory(platform: Platform) -> list[Held]:
    """Return what each pod with a limit of memory holds, the largest first."""
    query = 'sum by (namespace, pod) (container_memory_working_set_bytes{namespace=~"auterity.*",container!=""})'
    held = {(each.label("namespace"), each.label("pod")): each.value for each in platform.prometheus.ask(query)}
    found = [
        Held(pod, held[key], limit)
        for pod in platform.cluster.pods()
        if (key := (pod.metadata.namespace, pod.metadata.name)) in held and (limit := memory_limit(pod))
    ]
    return sorted(found, key=lambda each: -each.held)


def containers(platform: Platform) -> Iterator[Seen]:
    """Compare what pods hold with what they may hold."""
    found = memory(platform)
    full = [each for each in found if each.full]
    for each in full:
        advice = "operations troubleshoot memory --apply starts its Deployment anew; then its limit, or its leak"
        saw = f"{each.pod.metadata.name} holds {size(each.held)} of {size(each.limit)}"
        yield Seen(State.FAILING, saw, advice)
    if found and not full:
        yield Seen(State.OK, f"{len(found)} pods hold less than {share(FULL)} of what they may")


def killed(platform: Platform) -> Iterator[Seen]:
    """Look for containers that were ended in the last day because they held too much."""
    found = [
        (pod.metadata.name, status)
        for pod in platform.cluster.pods()
        for status in pod.status.container_statuses or ()
        if was_killed(status, datetime.now(UTC) - timedelta(days=1))
    ]
    for pod, status in found:
        saw = f"{status.name} in {pod} was ended for its memory, and has been started {status.restart_count} times anew"
        yield Seen(State.FAILING, saw, "docs/runbooks/workloads.md#podcrashes")
    if not found:
        yield Seen(State.OK, "no container was ended for its memory in the last day")


def stores(platform: Platform) -> Iterator[Seen]:
    """Look at the heaps of the stores: no server of the platform has a JVM; these have heaps of their own."""
    for each in platform.prometheus.ask("redis_memory_used_bytes / (redis_memory_max_bytes > 0)"):
        state = judged(each.value, warning=0.85, failing=0.95)
        advice = "docs/runbooks/cache.md#cacheevicts" if state else ""
        yield Seen(state, f"the cache holds {share(each.value)} of what it may ({each.label('instance')})", advice)
    for each in platform.prometheus.ask("rabbitmq_alarms_memory_used_watermark"):
        saw = f"RabbitMQ ({each.label('instance')}) " + ("refuses publishers" if each.value else "has room")
        advice = "docs/runbooks/queue.md#queuememoryalarm" if each.value else ""
        yield Seen(State.FAILING if each.value else State.OK, saw, advice)


def machines(platform: Platform) -> Iterator[Seen]:
    """Look at memory and swap of the nodes."""
    for each in platform.prometheus.ask(NODE_MEMORY):
        state = judged(each.value, warning=NODE_MEMORY_WARNING, failing=NODE_MEMORY_FAILING)
        advice = "docs/runbooks/nodes.md#nodememoryfull" if state else ""
        yield Seen(state, f"{each.label('node', 'instance')}: {share(each.value)} of its memory is in use", advice)
    for each in platform.prometheus.ask("rate(node_vmstat_pswpin[5m]) > 0"):
        saw = f"{each.label('node', 'instance')} reads {each.value:.3g} pages from swap each second"
        yield Seen(State.FAILING, saw, "Kubernetes' nodes have none by default: who turned it on?")


def busy_rds(platform: Platform) -> Iterator[Seen]:
    """Look how busy the database on Amazon RDS is."""
    return rds(platform, {"CPUUtilization": (80, 95), "DatabaseConnections": None, "ReadLatency": None})


def full_rds(platform: Platform) -> Iterator[Seen]:
    """Look what memory the database on Amazon RDS has left."""
    return rds(platform, {"FreeableMemory": None, "SwapUsage": None})


def rds(platform: Platform, metrics: Mapping[str, tuple[float, float] | None]) -> Iterator[Seen]:
    """Look at figures that Amazon RDS tells CloudWatch, the mean of the last ten minutes each.

    Args:
        platform: who is asked.
        metrics: metric to the values from which it is a warning and a failure; None where that depends.
    """
    instance, now = platform.database.instance, datetime.now(UTC)
    for metric, limits in metrics.items():
        points = platform.database.ask(
            "cloudwatch",
            "get-metric-statistics",
            "--namespace=AWS/RDS",
            f"--metric-name={metric}",
            f"--dimensions=Name=DBInstanceIdentifier,Value={instance}",
            f"--start-time={(now - timedelta(minutes=10)).isoformat()}",
            f"--end-time={(now + timedelta(minutes=1)).isoformat()}",
            "--period=600",
            "--statistics=Average",
        )["Datapoints"]
        if not points:
            yield Seen(State.UNKNOWN, f"CloudWatch has no {metric} of {instance}")
            continue
        value = points[0]["Average"]
        state = judged(value, warning=limits[0], failing=limits[1]) if limits else State.OK
        written = size(value) if metric in ("FreeableMemory", "SwapUsage") else f"{value:.4g}"
        yield Seen(state, f"{instance}: {metric} {written}", "docs/runbooks/database.md" if state else "")


def by_job(samples: list[Sample]) -> dict[str, float]:
    """Return each job's value."""
    return {each.label("job"): each.value for each in samples}


def memory_limit(pod: Any) -> float | None:
    """Return what a pod's containers may hold together, in bytes; None if one has no limit."""
    limits = [str(((each.resources and each.resources.limits) or {}).get("memory", "")) for each in pod.spec.containers]
    return sum(map(quantity, limits)) if all(limits) else None


def quantity(text: str) -> float:
    """Return the number that a quantity such as ``512Mi`` stands for."""
    found = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text)
    if not found or found[2] not in UNITS:
        raise ValueError(f"{text!r} is no quantity of bytes")
    return float(found[1]) * UNITS[found[2]]


def was_killed(status: Any, since: datetime) -> bool:
    """Say whether a container was ended for its memory since a moment."""
    ended = status.last_state and status.last_state.terminated
    return bool(ended and ended.reason == "OOMKilled" and ended.finished_at and ended.finished_at >= since)


def leaking(platform: Platform) -> list[tuple[str, str]]:
    """Return namespace and name of the Deployments with a pod that is close to its limit of memory."""
    found = {
        (each.pod.metadata.namespace, owner.name.rpartition("-")[0])
        for each in memory(platform)
        for owner in each.pod.metadata.owner_references or ()
        if each.full and owner.kind == "ReplicaSet"
    }
    return sorted(found)


LATENCY: tuple[Check[Platform], ...] = (
    Check("Durations", durations),
    Check("Database connection pool", pool),
    Check("Database on RDS", busy_rds, on_rds),
    Check("Cache hit ratio", cache),
    Check("Network latency", network),
    Check("Room to grow", room),
)

MEMORY: tuple[Check[Platform], ...] = (
    Check("Container memory", containers),
    Check("Killed containers", killed),
    Check("Heaps of the stores", stores),
    Check("Database on RDS", full_rds, on_rds),
    Check("Nodes: memory and swap", machines),
)
