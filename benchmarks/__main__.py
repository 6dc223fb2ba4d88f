"""Measure and report: ``python -m benchmarks [--write] [preview|makespan|scaling …]``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import applying, backups, makespan, preview, report, rules, scaling, watching

STACK = "prod"


class Part(StrEnum):
    """What can be measured."""

    PREVIEW = "preview"
    MAKESPAN = "makespan"
    SCALING = "scaling"
    APPLYING = "applying"
    WATCHING = "watching"
    BACKUPS = "backups"
    RULES = "rules"


def measure(parts: Sequence[Part], directory: Path, say: Callable[[str], None]) -> list[str]:
    """Measure the parts in turn, each in sandboxes of its own below `directory`, and return their reports."""
    sections: list[str] = []

    def done(section: str) -> None:
        sections.append(section)
        say(section)

    if Part.PREVIEW in parts or Part.MAKESPAN in parts:
        recorded = makespan.deploy(directory / "recorded", STACK).deployment
    if Part.PREVIEW in parts:
        done(report.preview_section(preview.measure(directory / "preview", STACK, recorded)))
    if Part.MAKESPAN in parts:
        done(
            report.makespan_section(
                [
                    makespan.measure(directory / f"makespan-{parallel}", STACK, recorded, parallel)
                    for parallel in (makespan.ENGINE_PARALLEL, makespan.PARALLEL)
                ]
            )
        )
    if Part.SCALING in parts:
        done(report.scaling_section(scaling.measure(directory / "scaling", STACK)))
    if Part.APPLYING in parts:
        done(report.applying_section(applying.measure(directory / "applying")))
    if Part.WATCHING in parts:
        done(report.watching_section(watching.measure(directory / "watching")))
    if Part.BACKUPS in parts:
        done(report.backups_section(backups.measure(directory / "backups")))
    if Part.RULES in parts:
        done(report.rules_section(rules.measure(directory / "rules", STACK)))
    return sections


def main(
    parts: Annotated[list[Part] | None, typer.Argument(help="What to measure; everything unless said.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Write what was measured into docs/benchmarks.md.")] = False,
) -> None:
    """Measure the program against floors of the same run: some twenty minutes on two idle CPUs."""
    console = Console(highlight=False, emoji=False, markup=False, soft_wrap=True)
    load = os.getloadavg()[0]
    circumstances = report.circumstances(load)
    console.print(circumstances)
    if load > (os.cpu_count() or 1) / 2:
        console.print("The machine is busy: expect wider spreads.")
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        sections = measure(parts or list(Part), Path(directory), lambda section: console.print(f"\n{section}"))
    if write:
        report.write(sections, circumstances)


typer.run(main)
