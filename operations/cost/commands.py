"""``operations cost``."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as Shown

from operations.cost import prices
from operations.cost.estimate import Estimate, estimate, of_preview, of_state
from operations.cost.prices import CostError, Table, Usage

WRONG = 2
"""Exit code: what was given cannot be read."""


def cost(
    state: Annotated[
        Path | None, typer.Argument(help="What `pulumi stack export` wrote; standard input without it.", exists=True)
    ] = None,
    preview: Annotated[
        Path | None, typer.Option("--preview", help="What `pulumi preview --json` wrote: say the difference.")
    ] = None,
    usage: Annotated[Path | None, typer.Option("--usage", help="File with how much is used, in YAML.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, for machines.")] = False,
) -> None:
    """Estimate what a stack costs in a month, by component, at the list prices of a dated table."""
    table = prices.table()
    try:
        used = prices.usage(usage, table.usage) if usage else table.usage
        if preview:
            before, after = of_preview(preview.read_text(encoding="utf-8"))
            was, now = estimate(before, table, used), estimate(after, table, used)
        else:
            was = None
            now = estimate(of_state(state.read_text(encoding="utf-8") if state else sys.stdin.read()), table, used)
    except (CostError, OSError) as error:
        typer.echo(f"error: {preview or state or 'standard input'}: {error}", err=True)
        raise typer.Exit(WRONG) from error
    if as_json:
        typer.echo(json.dumps(_as_json(now, was, table), indent=1))
    else:
        _show(Console(highlight=False), now, was, table, used)
    for what in now.unknown:
        typer.echo(f"warning: {what} has no price here, and is not in the sum", err=True)
    if table.is_old(datetime.now(UTC).date()):
        typer.echo(f"warning: the prices are of {table.read}: look them up again (docs/cost.md)", err=True)


def _show(console: Console, now: Estimate, was: Estimate | None, table: Table, used: Usage) -> None:
    shown = Shown(title=f"{table.currency} a month, list prices of {table.read}", show_footer=True)
    shown.add_column("component", footer="all")
    if was:
        shown.add_column("before", justify="right", footer=f"{was.total:,.2f}")
    shown.add_column("after" if was else "cost", justify="right", footer=f"{now.total:,.2f}")
    if was:
        shown.add_column("difference", justify="right", footer=signed(now.total - was.total))
    for component in sorted({*now.components, *(was.components if was else ())}):
        after, before = now.components.get(component, 0), was.components.get(component, 0) if was else 0
        cells = [f"{before:,.2f}", f"{after:,.2f}", signed(after - before)] if was else [f"{after:,.2f}"]
        shown.add_row(component, *cells)
    console.print(shown)
    told = ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in used.model_dump().items())
    console.print(f"Assumed for each resource and month: {told}.")


def signed(value: float) -> str:
    """Write a difference."""
    return f"{value:+,.2f}" if abs(value) >= 0.005 else "0.00"


def _as_json(now: Estimate, was: Estimate | None, table: Table) -> dict[str, object]:
    def told(one: Estimate) -> dict[str, object]:
        lines = [
            {"component": line.component, "price": line.price, "quantity": line.quantity, "monthly": line.monthly}
            for line in one.lines
        ]
        return {"total": round(one.total, 2), "components": one.components, "lines": lines, "unknown": one.unknown}

    found: dict[str, object] = {"currency": table.currency, "read": str(table.read), **told(now)}
    return {**found, "before": told(was)} if was else found
