"""What is looked at every week, beside what is looked at every day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import yaml

from operations.checks.backends import Platform, on_rds
from operations.checks.daily import DAILY
from operations.checks.findings import Check, Seen, State, UnreachableError, share, span

HISTOGRAM = "http_request_duration_seconds"

EXEMPTION_DAYS = 30
"""Days before its end in which an exemption from a rule has to be decided anew."""


def performance(platform: Platform) -> Iterator[Seen]:
    """Compare a week of requests with what the burn-rate alerts promise for 30 days."""
    week = f"sum by (job) (increase({HISTOGRAM}_count[7d]))"
    failed = f'sum by (job) (increase({HISTOGRAM}_count{{status="5xx"}}[7d]))'
    quantile = f"histogram_quantile(0.99, sum by (job, le) (increase({HISTOGRAM}_bucket[7d])))"
    slowest = {each.label("job"): each.value for each in platform.prometheus.ask(quantile)}
    shares = platform.prometheus.ask(f"({failed} or 0 * {week}) / {week}")
    firing = {each["labels"]["alertname"] for each in platform.alertmanager.firing()}
    burning = sorted(name for name in firing if "BudgetBurn" in name)
    for each in shares:
        job = each.label("job")
        saw = f"{job}: {share(each.value)} of a week's requests failed; 99 % took less than {span(slowest.get(job, 0))}"
        advice = f"{', '.join(burning)}: docs/runbooks/availability.md, docs/runbooks/latency.md" if burning else ""
        yield Seen(State.FAILING if burning else State.OK, saw, advice)


def updates(platform: Platform) -> Iterator[Seen]:
    """Look for nodes behind their API server, and rollouts that did not end."""
    server, kubelets = platform.cluster.versions()
    behind = sorted(name for name, version in kubelets.items() if _minor(version) != _minor(server))
    if behind:
        saw = f"{len(behind)} of {len(kubelets)} nodes are not of the API server's {server}: {behind[0]}"
        yield Seen(State.WARNING, saw, "docs/runbooks/nodes.md")
    else:
        yield Seen(State.OK, f"{len(kubelets)} nodes are of the API server's release {server}")
    for workload in platform.cluster.workloads():
        status, wanted = workload.status, getattr(workload.spec, "replicas", None)
        updated = status.updated_replicas or 0
        if wanted is not None and updated < wanted:
            saw = f"{workload.metadata.name}: {updated} of {wanted} copies are of the newest configuration"
            yield Seen(State.WARNING, saw, "docs/runbooks/workloads.md")


def maintenance(platform: Platform) -> Iterator[Seen]:
    """Look what Amazon RDS wants to install."""
    database, instance = platform.database, platform.database.instance or ""
    [found] = database.ask("rds", "describe-db-instances", "--db-instance-identifier", instance)["DBInstances"]
    waiting = database.ask(
        "rds", "describe-pending-maintenance-actions", "--resource-identifier", found["DBInstanceArn"]
    )["PendingMaintenanceActions"]
    actions = [each for group in waiting for each in group["PendingMaintenanceActionDetails"]]
    for action in actions:
        saw = f"{instance} waits for {action['Action']}: {action.get('Description', '')}"
        yield Seen(State.WARNING, saw, "let it happen in the maintenance window, or sooner by the console")
    if not actions:
        yield Seen(State.OK, f"{instance} ({found['Engine']} {found['EngineVersion']}) waits for no maintenance")


def exemptions(platform: Platform) -> Iterator[Seen]:
    """Look for exemptions from the security rules that end soon."""
    path = platform.exemptions
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))["exemptions"]
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise UnreachableError(f"the exemptions cannot be read from {path} (--exemptions): {error}") from error
    first = None
    for each in listed:
        ends: date = each["expires"]
        left, named = (ends - platform.today).days, f"{each['rule']} for {each['resource']} ({each['owner']})"
        if left < 0:
            yield Seen(State.FAILING, f"{named} has ended {-left} days ago", "mend the resource, or decide anew")
        elif left < EXEMPTION_DAYS:
            yield Seen(State.WARNING, f"{named} ends in {left} days", "mend the resource, or decide anew")
        first = min(first or ends, ends)
    if first is None or (first - platform.today).days >= EXEMPTION_DAYS:
        saw = f"{len(listed)} exemptions" + (f", the first ends on {first}" if first else "")
        yield Seen(State.OK, saw)


def _minor(version: str) -> list[str]:
    return version.lstrip("v").split(".")[:2]


WEEKLY: tuple[Check[Platform], ...] = (
    *DAILY,
    Check("Performance", performance),
    Check("Pending updates", updates),
    Check("Maintenance of the database", maintenance, on_rds),
    Check("Security rules", exemptions),
)
