"""The account of a preview, as a comment that people read in a pull request."""

from __future__ import annotations

import re
from collections.abc import Sequence

from delivery.changes import ORDER, Change, Changes

MARK = "<!-- auterity: preview -->"
"""By it the next run finds the comment that it updates."""

SHOWN = {"delete": 100, "replace": 100, "update": 60, "create": 40}
"""How many changes of a kind are listed; there is room for 65,536 characters."""

WORDS = {"delete": "deleted", "replace": "replaced", "update": "updated", "create": "created"}
ADVICE_SHOWN = 20

LONGEST = 60_000
"""Characters of a comment; GitHub takes 65,536."""

VALUES_SHOWN = (8, 2, 0)
"""How many values of one resource are listed; the next number where the comment would be too long."""


def comment(accounts: Sequence[Changes]) -> str:
    """Write the comment about all stacks, those first that may not be deployed."""
    text = ""
    for most in VALUES_SHOWN:
        parts = [MARK, "## What this change does", "", _table(accounts)]
        for account in sorted(accounts, key=lambda each: not each.stopped):
            parts += ["", *_section(account, most)]
        text = "\n".join(parts).rstrip() + "\n"
        if len(text) <= LONGEST:
            break
    return text


def _table(accounts: Sequence[Changes]) -> str:
    lines = [
        "| stack | " + " | ".join(ORDER) + " | unchanged | policies |",
        "|---|" + "---:|" * (len(ORDER) + 1) + "---|",
    ]
    for account in accounts:
        counts = [str(len(account.of(kind)) or "") for kind in ORDER]
        lines.append(f"| `{account.stack}` | " + " | ".join([*counts, str(account.same), _verdict(account)]) + " |")
    return "\n".join(lines)


def _verdict(account: Changes) -> str:
    refused = sum(each.mandatory for each in account.said)
    if account.error:
        return "**the preview failed**"
    if refused:
        return f"**{refused} violated**"
    return f"{len(account.said)} remarks" if account.said else "kept"


def _section(account: Changes, most: int) -> list[str]:
    lines = [f"### `{account.stack}`", ""]
    if account.error:
        lines += ["The preview failed:", "", "```text", account.error, "```", ""]
    for each in account.said:
        if each.mandatory:
            lines.append(f"- **{each.policy}**: {each.message}")
    if lines[-1]:
        lines.append("")
    for kind in ("delete", "replace"):
        if changes := account.of(kind):
            lines += [f"**{len(changes)} {WORDS[kind]}:**", "", *_listed(kind, changes, most), ""]
    for kind in ("update", "create"):
        if changes := account.of(kind):
            lines += [
                f"<details><summary>{len(changes)} {WORDS[kind]}</summary>",
                "",
                *_listed(kind, changes, most),
                "",
                "</details>",
                "",
            ]
    if account.waiting:
        lines += [f"**{len(account.waiting)} waiting for a maintenance window**, as deployed:", ""]
        lines += [*_listed("update", account.waiting, most), ""]
    advice = [each for each in account.said if not each.mandatory]
    if advice:
        lines += [f"<details><summary>{len(advice)} remarks of policies</summary>", ""]
        lines += [f"- {each.policy}: {each.message}" for each in advice[:ADVICE_SHOWN]]
        lines += [*_more(len(advice) - ADVICE_SHOWN), "", "</details>", ""]
    if not account.changes and not account.stopped:
        lines += ["Nothing changes.", ""]
    lines += _costs(account)
    return lines


def _costs(account: Changes) -> list[str]:
    """Say by how much the month's bill changes, if it does."""
    before, after = (sum(getattr(each, when) for each in account.monthly) for when in ("before", "after"))
    differing = [each for each in account.monthly if each.before != each.after]
    if not differing:
        return []
    told = f"About **{after - before:+,.2f} USD a month** at list prices: {before:,.2f} before, {after:,.2f} after"
    shown = ", ".join(f"{each.component} {each.after - each.before:+,.2f}" for each in differing)
    return [f"{told} ({shown}; [how](docs/cost.md)).", ""]


def _listed(kind: str, changes: Sequence[Change], most: int) -> list[str]:
    lines = []
    for change in changes[: SHOWN[kind]]:
        values = change.values[:most]
        told = {_property(each.path) for each in change.values} if values else set()
        paths = [path for path in change.properties if _property(path) not in told]
        why = f": {', '.join(f'`{path}`' for path in paths)}" if paths else ""
        lines.append(f"- `{change.name}` ({change.type}){why}")
        lines += [f"  - `{each.path}`: {_code(each.before)} → {_code(each.after)}" for each in values]
        lines += [f"  {each}" for each in _more(len(change.values) - most)] if values else []
    return lines + _more(len(changes) - SHOWN[kind])


def _property(path: str) -> str:
    """Return the first part of a path."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _code(text: str) -> str:
    """Quote a value, whatever it holds: nothing in it is read as Markdown, and nobody is notified by it."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}" if text else "nothing"


def _more(left: int) -> list[str]:
    return [f"- and {left} more"] if left > 0 else []
