"""Each row of docs/refusals names tests, or rules of the policy pack, that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policies.catalogue import RULES

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "refusals").glob("*.md"))


def rows(page: Path) -> list[str]:
    """Return the rows of a page's table, without its head."""
    return [line for line in page.read_text(encoding="utf-8").splitlines() if re.match(r"\| *\d", line)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_row_names_a_test_or_a_rule_that_exists(page: Path) -> None:
    missing = []
    for row in rows(page):
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        rules = re.findall(r"`((?:aws|gcp|kubernetes)-[a-z-]+)`", row.rpartition("|")[0].rpartition("|")[2])
        missing += [row] if not named and not rules else []
        missing += [rule for rule in rules if rule not in {each.name for each in RULES}]
        for path, name in named:
            source = ROOT / path
            if not source.is_file() or not re.search(rf"^(async )?def {name}\(", source.read_text(), re.MULTILINE):
                missing.append(f"{path}::{name}")
    assert missing == []
