"""The pack in the life of a stack on the real engine: copied elsewhere, with settings of its own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.pack import EXEMPTIONS
from sandbox.workspace import Sandbox
from tests.policies.engine import PACK, checkout, preview, up

PROGRAM = """
from tests.policies.cases import CASES
from tests.policies.program import make

make(case for case in CASES if case.title == "later" and case.rule in {rules})
"""
PUBLIC = "aws-database-not-public"
TLS_ONLY = "aws-bucket-tls-only"
EXEMPTION = """
required_tags: []
exemptions:
  - stack: cases/prod
    resource: "*-database"
    rule: {rule}
    reason: It is a test of the pack
    owner: platform
    expires: {expires}
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the pack under another name, which nothing else of this project is near to."""
    copied = shutil.copytree(PACK, tmp_path / "elsewhere" / "rules", ignore=shutil.ignore_patterns(".venv"))
    (copied / ".venv").symlink_to(sys.prefix)
    return copied


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Sandbox]:
    """A program with a database that turns out to be public."""
    program = PROGRAM.format(rules={PUBLIC})
    with Sandbox(tmp_path / "sandbox", checkout=checkout(tmp_path / "checkout", program, "prod")) as sandbox:
        yield sandbox


def test_what_a_preview_leaves_open_is_refused_before_it_is_made(database: Sandbox, pack: Path) -> None:
    assert {rule for rule, _ in up(database, "prod", pack).violations} >= {PUBLIC}
    assert [made.type for made in database.cloud.store.list() if made.type.startswith("aws:rds/instance")] == []


def test_a_rule_of_the_whole_stack_decides_once_everything_is_made(tmp_path: Path, pack: Path) -> None:
    program = PROGRAM.format(rules={TLS_ONLY})
    with Sandbox(tmp_path / "sandbox", checkout=checkout(tmp_path / "checkout", program, "prod")) as sandbox:
        assert TLS_ONLY not in {rule for rule, _ in preview(sandbox, "prod", pack).violations}
        said = up(sandbox, "prod", pack)
        assert TLS_ONLY in {rule for rule, _ in said.violations}, said.error


def test_wrong_settings_stop_the_engine_and_say_which(database: Sandbox, pack: Path) -> None:
    (pack / "config.yaml").write_text("levels: {prod: {aws-no-such-rule: advisory}}\ncolour: blue\n")
    error = preview(database, "prod", pack).error
    assert "colour: 'blue' given" in error
    assert "Traceback" not in error


def test_an_exemption_that_nothing_needs_is_refused(database: Sandbox, pack: Path) -> None:
    text = EXEMPTION.format(rule="aws-database-encrypted", expires="2999-01-01")
    (pack / "config.yaml").write_text(text)
    assert EXEMPTIONS in {rule for rule, _ in preview(database, "prod", pack).violations}


def test_an_expired_exemption_is_refused(database: Sandbox, pack: Path) -> None:
    (pack / "config.yaml").write_text(EXEMPTION.format(rule=PUBLIC, expires="2020-01-01"))
    assert EXEMPTIONS in {rule for rule, _ in preview(database, "prod", pack).violations}


def test_an_exemption_lets_its_resource_through(database: Sandbox, pack: Path) -> None:
    (pack / "config.yaml").write_text(EXEMPTION.format(rule=PUBLIC, expires="2999-01-01"))
    assert not {PUBLIC, EXEMPTIONS} & {rule for rule, _ in up(database, "prod", pack).violations}


def test_a_laptop_is_told_and_not_stopped(tmp_path: Path, pack: Path) -> None:
    program = PROGRAM.format(rules={PUBLIC})
    with Sandbox(tmp_path / "sandbox", checkout=checkout(tmp_path / "checkout", program, "local")) as sandbox:
        said = preview(sandbox, "local", pack)
    assert (said.error, said.violations) == ("", set())
    assert PUBLIC in {rule for rule, _ in said.advice}
