"""What is looked at every day."""

from __future__ import annotations

from collections.abc import Iterator

from operations.checks.backends import Platform
from operations.checks.findings import Check, Seen, State, judged, share, size, span

ERRORS = '{namespace=~"auterity.*"} | detected_level=~"error|critical|fatal"'
"""LogQL of the documented ``level=error``: Loki finds the level in JSON and in plain text."""

BACKUP_HOURS, DRILL_DAYS = 26, 35
"""Hours and days after which a nightly backup, or a monthly rehearsal, is missing."""

CERTIFICATE_DAYS = 14
"""Days before its end in which a certificate has to be renewed."""


NODE_MEMORY = "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"
"""PromQL of the share of each node's memory that is in use."""

NODE_MEMORY_WARNING, NODE_MEMORY_FAILING = 0.85, 0.92
"""Shares from which that is a warning, and a failure."""


def targets(platform: Platform) -> Iterator[Seen]:
    """Look for targets that do not answer Prometheus."""
    for down in platform.prometheus.ask("up == 0"):
        named = f"{down.label('job')} ({down.label('pod', 'instance')})"
        yield Seen(State.FAILING, f"{named} does not answer", "docs/runbooks/targets.md#targetdown")
    up = platform.prometheus.value("count(up == 1)")
    if up:
        yield Seen(State.OK, f"{up:.0f} targets answer")


def alerts(platform: Platform) -> Iterator[Seen]:
    """Look for alerts that fire, and for the one that always must."""
    firing = platform.alertmanager.firing()
    names = [each["labels"]["alertname"] for each in firing]
    if "Watchdog" not in names:
        advice = "Prometheus does not reach Alertmanager: docs/runbooks/monitoring.md#watchdog"
        yield Seen(State.FAILING, "the watchdog is silent: no alert arrives", advice)
    for each in firing:
        labels, notes = each["labels"], each["annotations"]
        if labels["alertname"] != "Watchdog":
            state = State.FAILING if labels.get("severity") == "critical" else State.WARNING
            yield Seen(state, f"{labels['alertname']}: {notes.get('summary', '')}", notes.get("runbook_url", ""))
    if names == ["Watchdog"]:
        yield Seen(State.OK, "no alert fires but the watchdog")


def nodes(platform: Platform) -> Iterator[Seen]:
    """Look at processors, memory and disks of the nodes."""
    for what, query, warning, failing, advice in (
        (
            "processors",
            '1 - avg by (node, instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
            0.85,
            0.97,
            "operations troubleshoot latency",
        ),
        (
            "memory",
            NODE_MEMORY,
            NODE_MEMORY_WARNING,
            NODE_MEMORY_FAILING,
            "operations troubleshoot memory",
        ),
        (
            "fullest disk",
            "max by (node, instance) (1 - node_filesystem_avail_bytes / node_filesystem_size_bytes)",
            0.8,
            0.9,
            "docs/runbooks/nodes.md#nodediskfull",
        ),
    ):
        found = platform.prometheus.ask(query)
        if not found:
            yield Seen(State.UNKNOWN, f"no figures of the nodes' {what}")
            continue
        worst = max(found, key=lambda each: each.value)
        state = judged(worst.value, warning=warning, failing=failing)
        saw = f"{what}: {share(worst.value)} in use at most, on {worst.label('node', 'instance')}"
        yield Seen(state, saw, advice if state else "")


def volumes(platform: Platform) -> Iterator[Seen]:
    """Look at the volumes of what keeps data."""
    used = "1 - kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes"
    found = platform.prometheus.ask(used)
    if found:
        worst = max(found, key=lambda each: each.value)
        state = judged(worst.value, warning=0.8, failing=0.9)
        named = worst.label("persistentvolumeclaim")
        advice = "docs/runbooks/workloads.md#volumefull" if state else ""
        yield Seen(state, f"{share(worst.value)} of {named} is in use, the fullest of {len(found)}", advice)
    else:
        yield Seen(State.UNKNOWN, "no figures of volumes")


def errors(platform: Platform) -> Iterator[Seen]:
    """Look for lines of the last 24 hours that say that something went wrong."""
    found = platform.loki.count(f"sum by (job) (count_over_time({ERRORS} [24h]))")
    for each in sorted(found, key=lambda each: -each.value):
        query = ERRORS.replace("{", f'{{job="{each.label("job")}",', 1)
        newest = platform.loki.newest(query, "24h")
        yield Seen(State.WARNING, f"{each.value:.0f} lines of {each.label('job')}, the newest: {newest[:160]}", query)
    if not found:
        yield Seen(State.OK, "no line of the last 24 hours says that something went wrong")


def backups(platform: Platform) -> Iterator[Seen]:
    """Look at age and size of the newest backup of each target, and at rehearsed restores."""
    ages = platform.prometheus.ask("sort_desc(time() - auterity_backup_last_success_timestamp_seconds)")
    sizes = {each.label("target"): each.value for each in platform.prometheus.ask("auterity_backup_size_bytes")}
    for each in ages:
        target = each.label("target")
        state = judged(each.value, warning=BACKUP_HOURS * 3600, failing=BACKUP_HOURS * 3600)
        saw = f"{target}: the last complete backup is {span(each.value)} old, {size(sizes.get(target, 0))}"
        yield Seen(state, saw, "docs/runbooks/backups.md#backuptooold" if state else "")
    for each in platform.prometheus.ask("auterity_backup_failed == 1 or auterity_drill_failed == 1"):
        yield Seen(State.FAILING, f"{each.label('job')} failed in {each.label('target')}", "docs/runbooks/backups.md")
    for each in platform.prometheus.ask("time() - auterity_drill_last_success_timestamp_seconds"):
        state = judged(each.value, warning=DRILL_DAYS * 86400, failing=2 * DRILL_DAYS * 86400)
        saw = f"{each.label('target')}: the last good rehearsal was {span(each.value)} ago"
        yield Seen(state, saw, "docs/runbooks/backups.md#drilltooold" if state else "")
    if not ages:
        yield Seen(State.WARNING, "no backup has told of itself", "docs/runbooks/backups.md#backupneverran")


def certificates(platform: Platform) -> Iterator[Seen]:
    """Look at the ends of the certificates inside the cluster."""
    for each in platform.prometheus.ask("workload:certificate_end:timestamp_seconds - time()"):
        limit = CERTIFICATE_DAYS * 86400
        state = State.FAILING if each.value < 0 else State.WARNING if each.value < limit else State.OK
        saw = f"the certificate of {each.label('job')} "
        saw += f"ends in {span(each.value)}" if each.value >= 0 else f"ended {span(-each.value)} ago"
        yield Seen(state, saw, "docs/runbooks/vault.md#certificateexpires" if state else "")


DAILY: tuple[Check[Platform], ...] = (
    Check("Targets", targets),
    Check("Alerts", alerts),
    Check("Nodes", nodes),
    Check("Volumes", volumes),
    Check("Error logs", errors),
    Check("Backups", backups),
    Check("Certificates", certificates),
)
