"""``operations backup``: what the scheduled jobs run, and what people do in an emergency."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from operations.backup import drilling, metrics, nightly, pruning, repairing, restoring, services
from operations.backup.errors import BackupError
from operations.backup.manifest import MANIFEST, find, names, now
from operations.backup.manifest import read as read_manifest
from operations.backup.plan import PLAN_VARIABLE, DatabasePlan, Plan, ServerPlan, TargetPlan, read_plan
from operations.backup.reporting import FAILED, Told, reported
from operations.backup.repository import Repository

backup = typer.Typer(help="Back up, list, verify, restore, rehearse.", no_args_is_help=True)

PlanOption = Annotated[
    Path, typer.Option("--plan", envvar=PLAN_VARIABLE, help="The plan: server, targets, retention.", exists=True)
]
TargetOption = Annotated[str | None, typer.Option("--target", help="Name of one target; all, or the first, otherwise.")]
RunOption = Annotated[str, typer.Option("--run", help="Id of a run, as `list` shows it.")]


@backup.command("init")
def init(plan: PlanOption) -> None:
    """Make the repository at each target that has none. A later run never does: one that is gone is an alarm."""
    with reported() as told:
        known, failed = read_plan(plan), False
        for repository in _repositories(known, None):
            try:
                told(f"{repository.name}: {'made' if repository.initialize() else 'there already'}")
            except BackupError as error:
                told(str(error))
                failed = True
        _end(failed)


@backup.command("run")
def run(
    plan: PlanOption,
    id: Annotated[str | None, typer.Option("--id", help="Id of the run; a target that has it is left alone.")] = None,
) -> None:
    """Dump every database to every target, and read it back."""
    with reported() as told:
        known = read_plan(plan)
        # What fetches from services is another process of this command.
        os.environ[PLAN_VARIABLE] = str(plan)
        outcomes = nightly.back_up(known, id or f"{now():%Y%m%dT%H%M%SZ}", told)
        metrics.publish(
            known.metrics, "auterity-backup", {each.target: metrics.of_run(each) for each in outcomes}, told
        )
        _end(any(each.error for each in outcomes))


@backup.command("prune")
def prune(plan: PlanOption, target: TargetOption = None) -> None:
    """Forget the backups that the plan does not keep. Needs an identity that may delete."""
    with reported() as told:
        _at_each(read_plan(plan), target, told, lambda repository: f"{pruning.prune(repository)} backups kept")


@backup.command("repair")
def repair(
    plan: PlanOption,
    target: Annotated[str, typer.Option("--target", help="Name of the target.")],
    forget: Annotated[bool, typer.Option("--forget", help="Forget the backups that cannot be read any more.")] = False,
) -> None:
    """Take spoilt files out of a repository. Needs an identity that may delete, and afterwards a run."""
    with reported() as told:
        known = read_plan(plan)
        left = repairing.repair(Repository(known, known.target(target)), told, forget=forget)
        told(f"{target}: cannot be read: {', '.join(left)}" if left else f"{target}: every backup can be read")
        _end(bool(left))


@backup.command("fetch", hidden=True)
def fetch(plan: PlanOption, service: Annotated[str, typer.Argument(help="vault or rabbitmq.")]) -> None:
    """Write what a service holds to standard output: what a run stores of it."""
    with reported():
        services.fetch(read_plan(plan), service, sys.stdout.buffer)


@backup.command("extract")
def extract(
    plan: PlanOption,
    target: Annotated[str, typer.Option("--target", help="Name of the target.")],
    service: Annotated[str, typer.Option("--service", help="vault or rabbitmq.")],
    to: Annotated[Path, typer.Option("--to", help="File to be made.")],
    run: RunOption = "latest",
) -> None:
    """Write what a run has stored of Vault or RabbitMQ into a file, for their own commands."""
    with reported() as told:
        known = read_plan(plan)
        if service not in services.FILES:
            raise BackupError(f"--service: {service!r} given, allowed: {', '.join(services.FILES)}")
        services.extract(Repository(known, known.target(target)), service, run, to)
        told(f"{to} holds {service}")


@backup.command("list")
def list_backups(plan: PlanOption, target: TargetOption = None) -> None:
    """Show the backups of each target, oldest first."""
    with reported() as told:
        failed, table = False, Table("target", "run", "time (UTC)", "databases", "bytes")
        for repository in _repositories(read_plan(plan), target):
            try:
                for snapshot in repository.snapshots(MANIFEST):
                    found = read_manifest(repository, snapshot.id, snapshot.run).manifest
                    when = f"{found.time:%Y-%m-%d %H:%M:%S}"
                    table.add_row(repository.name, found.run, when, ", ".join(found.databases), f"{found.size_bytes}")
            except BackupError as error:
                told(str(error))
                failed = True
        Console(width=None if sys.stdout.isatty() else 160).print(table)
        _end(failed)


@backup.command("verify")
def verify(
    plan: PlanOption,
    target: TargetOption = None,
    run: RunOption = "latest",
    everything: Annotated[bool, typer.Option(help="Read every byte of the repository, too.")] = False,
) -> None:
    """Read a backup back to its end, from each target."""

    def read_back(repository: Repository) -> str:
        found = find(repository, run)
        nightly.verify(found)
        if everything:
            repository.check(data=True)
        return f"{found.manifest.run} is whole"

    with reported() as told:
        _at_each(read_plan(plan), target, told, read_back)


@backup.command("restore")
def restore(
    plan: PlanOption,
    target: Annotated[str, typer.Option("--target", help="Name of the target to restore from.")],
    user: Annotated[str, typer.Option(help="Role that makes roles and databases on the server.")],
    password_file: Annotated[Path, typer.Option(help="File with its password.", exists=True)],
    run: RunOption = "latest",
    database: Annotated[
        list[str] | None, typer.Option(help="A database, or database=other name; all as they are otherwise.")
    ] = None,
    overwrite: Annotated[list[str] | None, typer.Option(help="Replace this database though it is not empty.")] = None,
    no_roles: Annotated[bool, typer.Option("--no-roles", help="Make no roles: they are there.")] = False,
    host: Annotated[str | None, typer.Option(help="Another server than the plan's.")] = None,
    port: Annotated[int | None, typer.Option(help="Its port.")] = None,
    sslmode: Annotated[str | None, typer.Option(help="How that server must prove who it is.")] = None,
) -> None:
    """Restore a backup from one target alone: roles, then databases, each compared before it takes its place."""
    with reported() as told:
        known = read_plan(plan)
        found = find(Repository(known, known.target(target)), run)
        told(f"restoring {found.manifest.run} of {found.manifest.time:%Y-%m-%d %H:%M:%S} UTC from {target}")
        server = _elsewhere(known.server, host, port, sslmode)
        chosen = names(found, database or [])
        who = DatabasePlan(name="postgres", user=user, password_file=password_file)
        destination = restoring.Destination(server, who, chosen, frozenset(overwrite or []), not no_roles)
        for restored in restoring.restore(found, destination, told):
            phases = ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in restored.seconds.items())
            told(f"{restored.database}: restored and compared ({phases})")
        if not found.manifest.passwords and not no_roles:
            told("the backup has no passwords: set those of the roles that log in")


@backup.command("drill")
def drill(
    plan: PlanOption,
    host: Annotated[str, typer.Option(help="Server for the scratch databases; best one of its own.")],
    user: Annotated[str, typer.Option(help="Role that makes roles and databases there.")],
    password_file: Annotated[Path, typer.Option(help="File with its password.", exists=True)],
    port: Annotated[int, typer.Option(help="Its port.")] = 5432,
    sslmode: Annotated[str, typer.Option(help="How it must prove who it is.")] = "verify-full",
    target: TargetOption = None,
    oldest: Annotated[int, typer.Option(help="Seconds that the newest backup may be old.")] = 26 * 3600,
) -> None:
    """Restore the newest backup of each target into scratch databases, judge it, and tell how long that took."""
    with reported() as told:
        known = read_plan(plan)
        server = _elsewhere(known.server, host, port, sslmode)
        who = DatabasePlan(name="postgres", user=user, password_file=password_file)
        drills = [drilling.drill(each, server, who, oldest, told) for each in _repositories(known, target)]
        for each in drills:
            if not each.error:
                told(f"{each.target}: {each.run} restores; RPO {each.rpo_seconds:.0f} s, RTO {each.rto_seconds:.1f} s")
        metrics.publish(known.metrics, "auterity-drill", {each.target: metrics.of_drill(each) for each in drills}, told)
        _end(any(each.error for each in drills))


def _repositories(plan: Plan, name: str | None) -> list[Repository]:
    targets: list[TargetPlan] = [plan.target(name)] if name else list(plan.targets)
    return [Repository(plan, target) for target in targets]


def _elsewhere(server: ServerPlan, host: str | None, port: int | None, sslmode: str | None) -> ServerPlan:
    changes = {"host": host, "port": port, "sslmode": sslmode}
    return server.model_copy(update={key: value for key, value in changes.items() if value is not None})


def _at_each(plan: Plan, target: str | None, told: Told, work: Callable[[Repository], str]) -> None:
    """Do something at each target and tell what it says; one that fails keeps no other from its own."""
    failed = False
    for repository in _repositories(plan, target):
        try:
            told(f"{repository.name}: {work(repository)}")
        except BackupError as error:
            told(f"{repository.name}: failed: {error}")
            failed = True
    _end(failed)


def _end(failed: bool) -> None:
    if failed:
        raise typer.Exit(FAILED)
