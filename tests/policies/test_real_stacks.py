"""The real stacks keep the rules, and a line of production that breaks one is refused by its name."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from policies.catalogue import RULES
from policies.config import load
from sandbox.workspace import Sandbox
from tests.policies.cases import CASES
from tests.policies.cases.model import Case
from tests.policies.engine import ROOT, Said, preview
from tests.policies.lines import LINES
from tests.policies.stacks import Line
from tests.stacks import Stacks

PROGRAM = f"""
import os, runpy, sys
os.chdir({str(ROOT)!r})
sys.path.insert(0, {str(ROOT)!r})
from tests.policies.lines import LINES
from tests.policies.program import make
from tests.policies.stacks import change
from tests.policies.test_real_stacks import ADDED

make(ADDED)
change(LINES)
runpy.run_path({str(ROOT / "__main__.py")!r}, run_name="__main__")
"""
# Of what production has nothing of, and what its clouds refuse by themselves, a resource is added.
ADDED = [
    next(case for case in CASES if case.rule == rule.name and case.breaking - case.open)
    for rule in RULES
    if rule.name not in {line.rule for line in LINES}
]


@pytest.fixture(scope="module", params=["dev", "prod", "local"])
def said(request: pytest.FixtureRequest, stacks: Stacks) -> Said:
    """Return what is said of a stack as it is."""
    return stacks.previewed(request.param).said


def test_the_real_stack_keeps_every_rule(said: Said) -> None:
    assert said.violations == set(), said.error
    assert said.error == ""


def test_nothing_is_advised_but_to_wait(said: Said) -> None:
    assert [message for _, message in said.advice if "not decided before the deployment" not in message] == []


def test_every_exemption_is_one_of_this_project() -> None:
    exemptions = load(rules=[rule.name for rule in RULES]).exemptions
    assert [each for each in exemptions if each.stack.partition("/")[0] not in ("auterity", "auterity-bootstrap")] == []


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """Preview production with every line changed."""
    checkout = tmp_path_factory.mktemp("checkout")
    (checkout / "program").mkdir()
    (checkout / "program" / "__main__.py").write_text(PROGRAM)
    (checkout / ".venv").symlink_to(Path(sys.prefix))
    runtime = "{name: python, options: {toolchain: pip, virtualenv: .venv}}"
    (checkout / "Pulumi.yaml").write_text(f"name: auterity\nmain: program\nruntime: {runtime}\n")
    shutil.copy(ROOT / "Pulumi.prod.yaml", checkout)
    with Sandbox(tmp_path_factory.mktemp("changed"), checkout=checkout) as sandbox:
        return preview(sandbox, "prod")


def test_the_changed_production_is_refused_for_its_policies_alone(changed: Said) -> None:
    assert "Traceback" not in changed.error
    assert "has a problem" not in changed.error


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.rule)
def test_a_changed_line_is_refused_by_its_rule(changed: Said, line: Line) -> None:
    refused = {name for rule, name in changed.violations if rule == line.rule}
    assert [name for name in refused if name.endswith(line.about or line.name)], refused


@pytest.mark.parametrize("case", ADDED, ids=lambda case: case.rule)
def test_an_added_resource_is_refused_by_its_rule(changed: Said, case: Case) -> None:
    refused = {name for rule, name in changed.violations if rule == case.rule}
    assert {case.name(key) for key in case.breaking} <= refused
