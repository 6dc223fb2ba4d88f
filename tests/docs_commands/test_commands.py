"""Every command that the pages show is run by a test, or it is said why none can."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAMS = ("aws", "curl", "gcloud", "gh", "git", "helm", "kubectl", "make", "pulumi", "python", ".venv/bin/")
SHELLS = ("bash", "console", "sh", "shell")
KNOWN: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "commands.yaml").read_text())


@dataclass(frozen=True)
class Shown:
    """A command and the page that shows it."""

    page: str
    text: str


def shown(page: Path) -> Iterator[Shown]:
    """List the commands of a page: those in fenced blocks of a shell, and indented lines that begin with a program."""
    fence: str | None = None
    for line in page.read_text(encoding="utf-8").splitlines():
        command = re.sub(r"\s+(#.*|&)$", "", line).strip()
        if mark := re.match(r"\s*```(\w*)", line):
            fence = mark[1] if fence is None else None
        elif (fence in SHELLS and command) or (
            fence is None and re.match(r" {4}\S", line) and command.startswith(PROGRAMS)
        ):
            yield Shown(str(page.relative_to(ROOT)), command)


COMMANDS = [command for page in PAGES for command in shown(page)]


def entries(command: Shown) -> list[dict[str, Any]]:
    """List what is known of a command."""
    return [each for each in KNOWN if any(fnmatchcase(command.text, pattern) for pattern in each["patterns"])]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: f"{each.page}: {each.text}")
def test_a_command_is_run_by_a_test_or_it_is_said_why_not(command: Shown) -> None:
    assert len(entries(command)) == 1


def test_nothing_is_said_of_a_command_that_no_page_shows() -> None:
    patterns = [pattern for each in KNOWN for pattern in each["patterns"]]
    assert [one for one in patterns if not any(fnmatchcase(each.text, one) for each in COMMANDS)] == []


@pytest.mark.parametrize("entry", KNOWN, ids=lambda entry: entry["patterns"][0])
def test_a_command_has_tests_that_there_are_or_a_reason(entry: dict[str, Any]) -> None:
    assert set(entry) in ({"patterns", "tests"}, {"patterns", "needs"})
    for test in entry.get("tests", ()):
        file, _, name = test.partition("::")
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE), test


def made(command: str) -> str:
    """Return what make would run."""
    words = shlex.split(command, comments=True)
    done = subprocess.run([words[0], "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


MAKES = sorted({each.text for each in COMMANDS if each.text.startswith("make ")})


@pytest.mark.parametrize("command", MAKES)
def test_the_targets_of_make_run_what_the_tests_run(command: str) -> None:
    target = shlex.split(command, comments=True)[1]
    runs = {
        "docs": "mkdocs build --strict",
        "lint": "mypy",
        "policy": "--policy-pack",
        "test": "-m pytest",
        "test-unit": "-m pytest",
    }
    assert runs.get(target, f"-m sandbox {target} ") in made(command)
