"""The measurements as tables with their method, for the terminal and for the documentation."""

from __future__ import annotations

import datetime
import os
import platform
import re
import statistics
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks import applying, backups, makespan, preview, rules, scaling
from benchmarks.applying import Applied
from benchmarks.backups import Backups
from benchmarks.creation_times import ANY_OTHER, CREATION_TIMES, DATE, creation_time
from benchmarks.critical_path import Made
from benchmarks.makespan import Makespan
from benchmarks.preview import Previews
from benchmarks.rules import Ruled
from benchmarks.scaling import Scaling
from benchmarks.watching import Memory
from sandbox.workspace import CHECKOUT
from settings.observability import KIB_PER_SERIES, PROMETHEUS_BASE_MIB

DOCUMENT = CHECKOUT / "docs" / "benchmarks.md"

INTRODUCTION = """# Benchmarks

`make bench` measures; `make bench ARGS=--write` also writes this page, `ARGS="--write backups"` one part of it. Every
number is a ratio or a slope within one run, because machines differ and are shared; no test asserts a time. All of it
runs in the [sandbox](sandbox.md): the engine, the SDK and the program are real, the cloud is simulated."""

PREVIEW_METHOD = """Each pair is a `pulumi preview` of the stack and, right after it, one of the floor; both start
from an empty state and run on the same engine and the same simulated cloud, after one preview of each to warm up. The
floor is a flat program, generated from the state that an `up` of the stack leaves: every custom resource with its
type, name and inputs, through the same SDK classes, with an explicit provider. It has no components, settings,
look-ups or exports, and its inputs are literals, so nothing in it waits for anything. Like the stack it pays for the
engine's start, Python's, the SDK's import, and one registration for each resource."""

MAKESPAN_METHOD = """An `up` into an empty cloud whose creations take as long as AWS's typically do
([below](#creation-times)), scaled so that the longest chain takes {chain:.0f} s: 1 s at AWS is {scale:.1f} ms here.
The longest chain is computed from the state: a resource waits for those whose values are among its inputs; a plain
`depends_on` does not count ({ordered}). The makespan is the time from the start of the first creation to the end of
the last, so that the engine's and the program's own milliseconds count, {magnified:.0f} times magnified by the scale;
the ratio is the makespan over that chain. The last column is looser: what the latencies added to the wall time of the
same `up` without any, over that chain; it may fall below 1, because the engine works while it waits, and it takes in
how busy the machine was in either run. By itself the engine allows four operations at once for each CPU
({engine_parallel} on this machine): then fast resources queue behind slow ones that they do not need."""

SCALING_METHOD = """Previews, from an empty state, of a program that makes the stack's network and N services on the
platform's components, in turn. A service is an ECS cluster with the app's tasks and a PostgreSQL database of its own,
configured as in the stack. Resources include components and the stack itself. The line is fitted to all previews by
least squares. Memory is the largest resident set of the program's and the engine's process, seen every 20 ms in a
preview of its own."""


APPLYING_METHOD = """Each pair is a `pulumi up` of the local stack on an empty cluster and, on another one,
`kubectl apply --server-side` of the same objects, taken from the state. Both keep the same order: objects in waves, as
the state's dependencies say, the next wave once Deployments, StatefulSets and Jobs of the one before are ready. The
cluster is started before and has once told what kinds of objects it knows, as one that is in use has. Its nodes say
that pods are ready at once, so a real cluster adds the same to both. At once means without that order: a pod that finds
no database would fail then, which it does not here."""


WATCHING_METHOD = """A real Prometheus looks every second at 20 targets, 130 times, so that each series has more samples
than a chunk holds; all series grow, have eight labels, and a rule reads all of them at each look. Resident memory is
seen every half second. What is given besides is for compaction every two hours, and for people's questions."""


BACKUPS_METHOD = """Each pair is `pg_dump -Fc -Z0 | zstd`, or `zstd -d | pg_restore` and ANALYZE, and right after it the
operator's command with one target, a directory, on the same data: one table of orders with a primary key. *Proper* is
without counting and digesting every row, comparing, and reading everything back from the target, beside which a run
counts. The first night writes into an empty repository; before the next one 1 % of the rows are changed and 1 % are
new. Seconds of CPU are without the server's; memory is the resident sets of the command and of all that it starts,
added up every tenth of a second."""


RULES_METHOD = """Each pair is a preview without the pack and, right after it, one with all of its rules, from an empty
state. Below the stack's pairs stand those of programs of the platform's components in several sizes, where all rules
are advisory: they are no platform, and break some. CPU is that of engine, language hosts, program and pack."""


def preview_section(previews: Previews) -> str:
    """Report (a)."""
    ratios = previews.ratios
    rows = [
        [
            str(number),
            *(f"{value:.2f}" for value in (ours.wall, floor.wall, ours.wall / floor.wall)),
            *(f"{value:.2f}" for value in (ours.own_cpu, floor.own_cpu, ours.provider_cpu, floor.provider_cpu)),
        ]
        for number, (ours, floor) in enumerate(previews.pairs, 1)
    ]
    columns = [
        "pair",
        f"{previews.stack}, s",
        "floor, s",
        "ratio",
        f"CPU of {previews.stack}, s",
        "of the floor, s",
        f"CPU of the simulation for {previews.stack}, s",
        "for the floor, s",
    ]
    ours, floor = previews.pairs[0]
    cpu = statistics.median(ours.own_cpu / floor.own_cpu for ours, floor in previews.pairs)
    return _section(
        f"(a) Preview of {previews.stack} against the floor",
        f"Ratio: min {min(ratios):.2f}, **median {previews.median:.2f}**, max {max(ratios):.2f} over {len(ratios)} "
        f"pairs; CPU {cpu:.2f} times; {ours.resources} resources against {floor.resources}. "
        f"{_goal(previews.median, preview.GOAL)}",
        PREVIEW_METHOD,
        _table(columns, rows),
    )


def makespan_section(found: Sequence[Makespan]) -> str:
    """Report (b); the last of `found` counts, the others show what the engine's parallelism does."""
    last = found[-1]
    orders = last.ordered_chain_seconds - last.chain_seconds
    method = MAKESPAN_METHOD.format(
        chain=last.chain_seconds * last.scale,
        scale=last.scale * 1000,
        ordered=f"it would lengthen the chain by {orders:.0f} s" if orders else "it would not lengthen the chain",
        magnified=1 / last.scale,
        engine_parallel=makespan.ENGINE_PARALLEL,
    )
    columns = ["at once", "longest chain, s", "makespan, s", "ratio", "up, s", "without latencies, s", "added / chain"]
    rows = [
        [
            str(each.parallel),
            f"{each.chain_seconds * each.scale:.1f}",
            f"{each.span:.1f}",
            f"{each.ratio:.3f}",
            *(f"{value:.1f}" for value in (each.slow, each.instant)),
            f"{each.added_ratio:.3f}",
        ]
        for each in found
    ]
    path = " → ".join(f"{each.name} ({creation_time(each.type):.0f} s)" for each in last.chain)
    return _section(
        f"(b) Makespan of `up` of {last.stack}",
        f"**{last.ratio:.3f}** times the longest chain, with {last.parallel} operations at once. "
        f"{_goal(last.ratio, makespan.GOAL)}\n\n"
        f"Critical path, {last.chain_seconds:.0f} s at AWS: {path}",
        method,
        _table(columns, rows),
        f"```text\n{gantt(last)}\n```",
        f"```mermaid\n{mermaid(last)}\n```",
    )


def scaling_section(found: Scaling) -> str:
    """Report (c)."""
    slope, intercept, fit = found.line(lambda run: run.wall)
    cpu_slope, _, _ = found.line(lambda run: run.own_cpu + run.provider_cpu)
    rows = []
    for count, runs in found.runs.items():
        walls = [run.wall for run in runs]
        peak = found.memory[count]
        cpu = statistics.median(run.own_cpu for run in runs)
        rows.append(
            [
                str(count),
                str(runs[0].resources),
                *(f"{seconds:.2f}" for seconds in (min(walls), statistics.median(walls), max(walls), cpu)),
                f"{peak.program:.0f}",
                f"{peak.engine:.0f}",
            ]
        )
    columns = ["services", "resources", "min, s", "median, s", "max, s", "CPU, s", "program, MiB", "engine, MiB"]
    return _section(
        "(c) Preview of 1, 4 and 16 services",
        f"**{slope:.1f} ms** per resource on top of {intercept:.1f} s of start-up, R² = {fit:.3f}; "
        f"{cpu_slope:.1f} ms of CPU, the simulation's included. {_goal(slope, scaling.GOAL_MS, ' ms')}",
        SCALING_METHOD,
        _table(columns, rows),
    )


def applying_section(applied: Applied) -> str:
    """Report (d)."""
    ratios = applied.ratios
    rows = [
        [str(number), f"{ours:.2f}", f"{kubectl:.2f}", f"{ours / kubectl:.2f}"]
        for number, (ours, kubectl) in enumerate(applied.pairs, 1)
    ]
    return _section(
        "(d) Bringing the local stack's objects into an empty cluster",
        f"Ratio: min {min(ratios):.2f}, **median {applied.median:.2f}**, max {max(ratios):.2f} over {len(ratios)} "
        f"pairs, with the {applied.provider} Kubernetes provider; {applied.objects} objects in {applied.waves} waves. "
        f"An `up` with nothing to do takes {applied.engine:.2f} s, kubectl with everything at once "
        f"{applied.at_once:.2f} s. "
        f"{_goal(applied.median, applying.GOAL)}",
        APPLYING_METHOD,
        _table(["pair", "pulumi up, s", "kubectl, s", "ratio"], rows),
    )


def watching_section(measured: Sequence[Memory]) -> str:
    """Report (e)."""
    least, most = measured[0], measured[-1]
    each = (most.peak_mib - least.peak_mib) * 1024 / (most.series - least.series)
    fits = all(memory.peak_mib <= memory.allowed_mib for memory in measured)
    rows = [[f"{m.series:,}", f"{m.peak_mib:.0f}", str(m.allowed_mib)] for m in measured]
    return _section(
        "(e) Memory of Prometheus",
        f"**{each:.1f} KiB** for each series. A stack gives {KIB_PER_SERIES} KiB for each and "
        f"{PROMETHEUS_BASE_MIB} MiB besides: {'enough' if fits else '**too little**'}.",
        WATCHING_METHOD,
        _table(["series", "most resident, MiB", "given, MiB"], rows),
    )


def backups_section(measured: Sequence[Backups]) -> str:
    """Report (f); the last of `measured` counts, the first shows how memory grows."""
    least, most = measured[0], measured[-1]
    kinds = (backups.FIRST, backups.NEXT, backups.RESTORE)
    rows = [
        [
            what,
            str(size.mib),
            f"{size.median(what, 'plain.seconds'):.1f}",
            f"{statistics.median(pair.proper for pair in size.pairs[what]):.1f}",
            f"{size.ratio(what, proper=True):.2f}",
            f"{size.median(what, 'ours.seconds'):.1f}",
            f"{size.ratio(what, proper=False):.2f}",
            f"{size.median(what, 'plain.cpu'):.1f}",
            f"{size.median(what, 'ours.cpu'):.1f}",
            f"{size.peak_mib(what):.0f}",
        ]
        for size in measured
        for what in kinds
    ]
    columns = ["what", "MiB", "plain, s", "proper, s", "ratio", "all, s", "ratio of all", "CPU of plain, s", "CPU, s"]
    told = "\n".join(
        f"- {what}: proper **{most.ratio(what, proper=True):.2f}**, all of it {most.ratio(what, proper=False):.2f} of "
        f"plain. {_goal(most.ratio(what, proper=True), backups.GOAL)}"
        for what in kinds
    )
    memory = ", ".join(f"{what} {least.peak_mib(what):.0f} and {most.peak_mib(what):.0f} MiB" for what in kinds)
    return _section(
        "(f) Backups against plain dumps",
        f"{told}\n\nMost memory at {least.mib} MiB and at {most.mib} MiB of data: {memory}.",
        BACKUPS_METHOD,
        _table([*columns, "memory, MiB"], rows),
    )


def rules_section(ruled: Ruled) -> str:
    """Report (g)."""
    previews = ruled.previews
    ratios = previews.ratios
    cpu = statistics.median(with_pack.own_cpu / free.own_cpu for with_pack, free in previews.pairs)
    rows = [
        [
            f"{free.resources:,}",
            *(f"{value:.2f}" for value in (free.wall, with_pack.wall, free.own_cpu, with_pack.own_cpu)),
            f"{rules.added(with_pack, free):.2f}",
        ]
        for with_pack, free in [*previews.pairs, *ruled.sizes]
    ]
    columns = ["resources", "without, s", "with, s", "CPU without, s", "CPU with, s", "CPU added for each, ms"]
    sizes = ", ".join(f"{rules.added(*pair):.1f} ms at {pair[1].resources:,}" for pair in ruled.sizes)
    return _section(
        "(g) The security rules",
        f"Preview of {previews.stack} with the pack over one without: min {min(ratios):.2f}, "
        f"**median {previews.median:.2f}**, max {max(ratios):.2f} over {len(ratios)} pairs; CPU {cpu:.2f} times. "
        f"{_goal(previews.median, rules.GOAL)}\n\n"
        f"CPU that the pack adds for each resource: {sizes}.",
        RULES_METHOD,
        _table(columns, rows),
    )


def creation_times_section() -> str:
    """List what the makespan assumes."""
    rows = [
        [f"`{type}`", f"{each.seconds:.0f}", each.source]
        for type, each in sorted(CREATION_TIMES.items(), key=lambda entry: -entry[1].seconds)
    ]
    rows.append(["any other of AWS", f"{ANY_OTHER.seconds:.0f}", ANY_OTHER.source])
    return "\n\n".join(
        [
            "## Creation times",
            "Seconds from the request until the resource is ready, as an infrastructure tool sees it; gathered on "
            f"{DATE}. They decide which chain is the longest, and how far the ratios above carry over to AWS.",
            _table(["type", "s", "source"], rows),
        ]
    )


def circumstances(load: float) -> str:
    """Say when, where and with what the numbers were measured."""
    return (
        f"Measured on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}: {os.cpu_count()} CPUs ({platform.machine()}), "
        f"load {load:.1f} before the run, Python {platform.python_version()}, pulumi {version('pulumi')}, "
        f"pulumi-aws {version('pulumi-aws')}."
    )


def write(sections: Sequence[str], measured: str, path: Path = DOCUMENT) -> None:
    """Write sections into the page, each with when it was measured, in the place of what was there; others stay."""
    there = re.split(r"\n\n(?=## )", path.read_text(encoding="utf-8").rstrip())
    letter = slice(len("## (a)"))
    by_letter = {section[letter]: section for section in there if section.startswith("## (")}
    for section in sections:
        heading, _, rest = section.partition("\n\n")
        by_letter[heading[letter]] = "\n\n".join([heading, measured, rest])
    ordered = [by_letter[key] for key in sorted(by_letter)]
    path.write_text("\n\n".join([INTRODUCTION, *ordered, creation_times_section()]) + "\n", encoding="utf-8")


def gantt(found: Makespan, width: int = 72) -> str:
    """Draw the critical path (█) and what else takes 10 s or longer at AWS (░), each from its start to its end."""
    drawn = _drawn(found)
    label = max(len(each.name) for each in drawn)
    lines = [f"{'':{label}}  0 s{f'{found.span / found.scale:.0f} s at AWS':>{width - 3}}"]
    for each in drawn:
        first = round((found.started(each) - found.began) / found.span * width)
        last = max(first + 1, round((each.ended - found.began) / found.span * width))
        bar = ("█" if each in found.chain else "░") * (last - first)
        lines.append(f"{each.name:{label}}  {' ' * first}{bar}")
    return "\n".join(lines)


def mermaid(found: Makespan) -> str:
    """Draw the same as a Mermaid chart; times are seconds at AWS."""
    lines = ["gantt", "    dateFormat X", "    axisFormat %M:%S", "    title Minutes and seconds at AWS"]
    for section, chosen in (("critical path", True), ("beside it", False)):
        lines.append(f"    section {section}")
        for each in _drawn(found):
            if (each in found.chain) is chosen:
                first = (found.started(each) - found.began) / found.scale
                last = (each.ended - found.began) / found.scale
                name = each.name.replace(":", " ")
                lines.append(f"    {name} :{'crit, ' if chosen else ''}{first:.0f}, {max(last, first + 1):.0f}")
    return "\n".join(lines)


def _drawn(found: Makespan) -> list[Made]:
    chosen = (each for each in found.resources.values() if each in found.chain or creation_time(each.type) >= 10)
    return sorted(chosen, key=found.started)


def _goal(value: float, goal: float, unit: str = "") -> str:
    return f"Goal: at most {goal:g}{unit}, {'met' if value <= goal else '**missed**'}."


def _section(title: str, result: str, method: str, *parts: str) -> str:
    return "\n\n".join([f"## {title}", result, f"Method: {method}", *parts])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table that lines up as plain text, too."""
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    lines = [columns, ["-" * width for width in widths], *rows]
    padded = (" | ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(f"| {line} |" for line in padded)
