"""What the pack does when it is run: serve the engine, or list its rules."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

from policies.catalogue import AREAS, RULES, rules_of
from policies.config import ConfigError, load
from policies.pack import Pack
from policies.rules import Environment, Rule

NAME = "security-rules"


MARK = "<!-- What follows is written by: python -m policies document docs/policies.md -->\n"
USAGE = """usage: python -m policies list               print the rules, their levels and sources
       python -m policies levels ENVIRONMENT  print a file for --policy-pack-config with the levels of an environment
       python -m policies document FILE       write the tables of the rules into a page of Markdown"""


def main(arguments: Sequence[str]) -> None:
    """Print what is asked for; without a known command serve the engine, which gives arguments of its own."""
    match list(arguments):
        case ["list"]:
            sys.stdout.write(listing())
        case ["levels", environment] if environment in set(Environment):
            sys.stdout.write(levels(Environment(environment)))
        case ["document", file]:
            page = Path(file)
            page.write_text(documented(page.read_text(encoding="utf-8")), encoding="utf-8")
        case ["list" | "levels" | "document" | "-h" | "--help" | "help", *_]:
            sys.exit(USAGE)
        case _:
            serve()


def serve() -> None:
    """Offer the pack to the engine that has started it."""
    try:
        settings = load(rules=[rule.name for rule in RULES])
    except ConfigError as error:
        sys.exit(f"error: {error}")
    # The engine tells no pack in Python which stack it is, before it shows the first resource.
    stack = os.environ.get("PULUMI_STACK")
    environment = settings.environment(stack) if stack else None
    pack = Pack(settings, RULES, environment, datetime.now(UTC).date())
    PolicyPack(NAME, pack.policies(), EnforcementLevel.MANDATORY)


def levels(environment: Environment) -> str:
    """Return the levels of an environment as Pulumi's own file for packs takes them."""
    return json.dumps({rule.name: rule.levels[environment].value for rule in RULES}, indent=2) + "\n"


def documented(page: str) -> str:
    """Return a page with the tables below its mark brought up to date."""
    head, mark, _ = page.partition(MARK)
    return f"{head}{mark or MARK}\n{table()}"


def _levels(rule: Rule) -> list[str]:
    return [rule.levels[environment].value for environment in Environment]


def listing() -> str:
    """Return the rules as text, one line each."""
    lines = []
    for area in AREAS:
        lines.append(f"{area}  (levels: {', '.join(environment.value for environment in Environment)})")
        lines += [
            f"  {rule.name:36} {'/'.join(_levels(rule)):30} {rule.title} [{'; '.join(rule.standards)}]"
            for rule in rules_of(area)
        ]
    return "\n".join(lines) + "\n"


def table() -> str:
    """Return the rules as Markdown tables, one for each area."""
    parts = []
    for area in AREAS:
        parts += [
            f"### {area}",
            "",
            "| rule | what holds | local | dev | prod | sources |",
            "|---|---|---|---|---|---|",
        ]
        parts += [
            f"| `{rule.name}`{' ★' if rule.of_stack else ''} | {rule.title} | {' | '.join(_levels(rule))} | "
            f"{', '.join(rule.standards)} |"
            for rule in rules_of(area)
        ]
        parts.append("")
    return "\n".join(parts[:-1]) + "\n"
