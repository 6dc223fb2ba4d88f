"""What the pack prints about itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from policies.catalogue import RULES
from policies.command import documented
from policies.rules import Rule

ROOT = Path(__file__).parents[2]


def command(*arguments: str, directory: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "policies", *arguments], cwd=directory, capture_output=True, text=True, timeout=60
    )


def test_the_page_shows_every_rule_as_it_is() -> None:
    page = (ROOT / "docs" / "policies.md").read_text()
    assert documented(page) == page, "bring it up to date: python -m policies document docs/policies.md"


def test_the_list_names_every_rule_with_its_levels_and_sources() -> None:
    listed = command("list").stdout
    lines = {line.split()[0]: line for line in listed.splitlines() if line.startswith("  ")}
    assert lines.keys() == {rule.name for rule in RULES}
    assert "advisory/mandatory/mandatory" in lines["aws-database-not-public"]
    assert "CIS AWS 3.0 2.3.3" in lines["aws-database-not-public"]


def test_the_levels_of_an_environment_are_written_for_pulumi() -> None:
    levels = json.loads(command("levels", "dev").stdout)
    assert (levels["aws-database-not-public"], levels["aws-database-backed-up"]) == ("mandatory", "disabled")


@pytest.mark.parametrize("arguments", [("levels", "moon"), ("levels",), ("help",)])
def test_a_wrong_command_says_what_there_is(arguments: tuple[str, ...]) -> None:
    done = command(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: python -m policies list")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_what_holds_and_where_that_is_written(rule: Rule) -> None:
    assert rule.title
    assert rule.standards


def test_no_two_rules_share_a_name() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_pack_needs_nothing_beside_its_own_directory(tmp_path: Path) -> None:
    copied = shutil.copytree(ROOT / "policies", tmp_path / "rules", ignore=shutil.ignore_patterns(".venv"))
    done = subprocess.run(
        [sys.executable, "-I", copied, "list"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_the_pack_imports_no_package_that_its_own_requirements_lack() -> None:
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "policies" / "requirements.txt").read_text(), re.MULTILINE))
    sources = "\n".join(path.read_text() for path in (ROOT / "policies").rglob("*.py") if ".venv" not in path.parts)
    imported = (
        set(re.findall(r"^\s*(?:from|import) (\w+)", sources, re.MULTILINE)) - sys.stdlib_module_names - {"policies"}
    )
    owners = packages_distributions()
    assert "pulumi_policy" in imported
    lacking = {one for one in imported if not {name.lower().replace("_", "-") for name in owners[one]} & pinned}
    assert lacking == set()
