"""``operations checklist``, ``operations troubleshoot`` and ``operations status``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from operations.checks.backends import Alertmanager, Cluster, Loki, Platform, Prometheus, Rds
from operations.checks.daily import DAILY
from operations.checks.findings import NOT_ASKED, Check, Finding, State, UnreachableError, exit_code, run
from operations.checks.status import running
from operations.checks.troubleshoot import LATENCY, MEMORY, leaking
from operations.checks.weekly import WEEKLY

CODES = "Exit code: 0 all is well, 1 something needs somebody, 2 wrong words, 3 not all could be asked."

STYLES = {State.OK: "green", State.WARNING: "yellow", State.UNKNOWN: "magenta", State.FAILING: "red"}


class List(StrEnum):
    """A checklist."""

    DAILY = "daily"
    WEEKLY = "weekly"


class Issue(StrEnum):
    """What is wrong."""

    LATENCY = "latency"
    MEMORY = "memory"


LISTS = {List.DAILY: DAILY, List.WEEKLY: WEEKLY}
ISSUES = {Issue.LATENCY: LATENCY, Issue.MEMORY: MEMORY}

PrometheusOption = Annotated[str, typer.Option("--prometheus", envvar="PROMETHEUS_URL", help="Address of Prometheus.")]
AlertmanagerOption = Annotated[
    str, typer.Option("--alertmanager", envvar="ALERTMANAGER_URL", help="Address of Alertmanager.")
]
LokiOption = Annotated[str, typer.Option("--loki", envvar="LOKI_URL", help="Address of Loki.")]
TenantOption = Annotated[str, typer.Option("--tenant", envvar="LOKI_TENANT", help="As whom Loki is asked.")]
ContextOption = Annotated[
    str | None, typer.Option("--context", help="Context of the kubeconfig; the current one else.")
]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="Identifier of the instance on Amazon RDS, where there is one.")
]
RegionOption = Annotated[str | None, typer.Option("--region", envvar="AWS_REGION", help="Region of the database.")]
ExemptionsOption = Annotated[Path, typer.Option("--exemptions", help="File with the exemptions from the rules.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for machines.")]

PROMETHEUS, ALERTMANAGER, LOKI = "http://127.0.0.1:9090", "http://127.0.0.1:9093", "http://127.0.0.1:3100"
"""Where `kubectl port-forward` brings them."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("checklist", epilog=CODES)(checklist)
    app.command("troubleshoot", epilog=CODES)(troubleshoot)
    app.command("status", epilog=CODES)(status)


def checklist(
    which: Annotated[List, typer.Argument(help="Which one.")],
    prometheus: PrometheusOption = PROMETHEUS,
    alertmanager: AlertmanagerOption = ALERTMANAGER,
    loki: LokiOption = LOKI,
    tenant: TenantOption = "auterity",
    context: ContextOption = None,
    database: DatabaseOption = None,
    region: RegionOption = None,
    exemptions: ExemptionsOption = Path("policies/config.yaml"),
    json_: JsonOption = False,
) -> None:
    """Go through what is looked at every day, or every week. A check that fails keeps no other from its own."""
    platform = _platform(prometheus, alertmanager, loki, tenant, context, database, region, exemptions)
    findings = _found(LISTS[which], platform, json_)
    _show(f"{which.capitalize()} checklist", findings, json_)
    raise typer.Exit(exit_code(findings))


def troubleshoot(
    issue: Annotated[Issue, typer.Argument(help="What is wrong.")],
    prometheus: PrometheusOption = PROMETHEUS,
    alertmanager: AlertmanagerOption = ALERTMANAGER,
    loki: LokiOption = LOKI,
    tenant: TenantOption = "auterity",
    context: ContextOption = None,
    database: DatabaseOption = None,
    region: RegionOption = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="memory: offer to start anew what is close to its limit.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Look for the cause of something, and say what to do. Changes nothing but with --apply and a yes."""
    if apply and issue is not Issue.MEMORY:
        raise typer.BadParameter(f"there is nothing to apply for {issue}; allowed with: memory", param_hint="--apply")
    platform = _platform(prometheus, alertmanager, loki, tenant, context, database, region)
    findings = _found(ISSUES[issue], platform, json_)
    _show(f"Troubleshooting: {issue}", findings, json_)
    if apply:
        _roll(platform)
    raise typer.Exit(exit_code(findings))


def status(prometheus: PrometheusOption = PROMETHEUS, context: ContextOption = None, json_: JsonOption = False) -> None:
    """Show what runs where, in which version, and how it is."""
    platform = _platform(prometheus, ALERTMANAGER, LOKI, "auterity", context)
    with _reached():
        found = running(platform)
    if json_:
        typer.echo(json.dumps([each.as_json() for each in found], indent=2))
    else:
        table = Table("Namespace", "Kind", "Name", "Version", "Ready", "Restarts", "Nodes", title="What runs")
        for each in found:
            ready = Text(f"{each.ready}/{each.wanted}", style=STYLES[each.state])
            row = (each.namespace, each.kind, each.name, each.version, ready, str(each.restarts), str(each.nodes))
            table.add_row(*row)
        Console().print(table)
    raise typer.Exit(1 if any(each.state for each in found) else 0)


def forward(name: str, port: int) -> str:
    """Return the command that brings a server in the cluster to this machine."""
    return f"kubectl -n auterity-observability port-forward service/auterity-{name} {port}"


def _platform(
    prometheus: str,
    alertmanager: str,
    loki: str,
    tenant: str,
    context: str | None,
    database: str | None = None,
    region: str | None = None,
    exemptions: Path = Path("policies/config.yaml"),
) -> Platform:
    return Platform(
        Prometheus("Prometheus", prometheus, "--prometheus", forward("prometheus", 9090)),
        Alertmanager("Alertmanager", alertmanager, "--alertmanager", forward("alertmanager", 9093)),
        Loki("Loki", loki, "--loki", forward("loki", 3100), tenant),
        Cluster(context),
        Rds(database, region),
        exemptions,
    )


def _found(checks: Sequence[Check[Platform]], platform: Platform, quiet: bool) -> list[Finding]:
    console = Console(stderr=True)
    silent = quiet or not console.is_terminal
    followed = track(checks, "Looking …", console=console, transient=True, disable=silent)
    return [finding for check in followed for finding in run([check], platform)]


def _show(title: str, findings: Sequence[Finding], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([each.as_json() for each in findings], indent=2))
        return
    table = Table("Check", "", title=title)
    for heading in ("Seen", "What to do"):
        table.add_column(heading, overflow="fold")
    last = ""
    for each in findings:
        # What a line of a log says is no markup.
        state = Text(each.state.word, style=STYLES[each.state])
        table.add_row(each.check if each.check != last else "", state, Text(each.saw), Text(each.advice))
        last = each.check
    Console().print(table)


def _roll(platform: Platform) -> None:
    """Start anew what is close to its limit, each after a yes."""
    with _reached():
        for namespace, name in leaking(platform):
            if typer.confirm(f"Start the pods of {name} in {namespace} anew, one after the other?"):
                platform.cluster.roll(name, namespace, datetime.now(UTC).isoformat(timespec="seconds"))
                typer.echo(
                    f"{name}: its pods are being replaced; `kubectl -n {namespace} rollout status deployment/{name}`"
                )


@contextmanager
def _reached() -> Iterator[None]:
    """End with one line where somebody who has to be asked is away."""
    try:
        yield
    except UnreachableError as error:
        Console(stderr=True, soft_wrap=True).print(f"error: {error}", markup=False, highlight=False)
        raise typer.Exit(NOT_ASKED) from error
