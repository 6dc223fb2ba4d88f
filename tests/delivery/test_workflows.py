"""The pipelines, by the checkers of their makers, and their shell by running it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.changes import Change, Changes
from sandbox.toolchain.action_lint import ensure_action_lint
from sandbox.toolchain.cache import cache_directory

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
VPC = "urn:pulumi:dev::auterity::auterity:network:Vpc$aws:ec2/vpc:Vpc::auterity-dev"


def jobs(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text())["jobs"])


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job.get("steps", ())]


def script(workflow: str, name: str) -> str:
    [step] = [s for s in steps(ROOT / ".github" / "workflows" / f"{workflow}.yml") if s.get("name") == name]
    return str(step["run"])


def test_actionlint_has_nothing_to_say() -> None:
    program = ensure_action_lint(cache_directory())
    answer = subprocess.run([program, "-shellcheck=", *WORKFLOWS], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stdout


def test_zizmor_has_nothing_to_say() -> None:
    zizmor = str(Path(sys.executable).with_name("zizmor"))
    command = [zizmor, "--offline", "--no-progress", str(ROOT / ".github")]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_of_others_is_pinned_by_its_commit(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert [each for each in used if not PINNED.match(each)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_workflow_knows_a_stored_key_of_a_cloud(path: Path) -> None:
    assert "secrets." not in path.read_text()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_permitted_but_what_a_job_asks_for(path: Path) -> None:
    assert yaml.safe_load(path.read_text())["permissions"] == {}
    for job in jobs(path).values():
        assert job["permissions"].get("contents") == "read"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_job_runs_is_installed_before_it(path: Path) -> None:
    # The program's own requirements have neither these commands' libraries nor the policies'.
    for name, job in jobs(path).items():
        done = [str(step.get("run", "")) for step in job.get("steps", ())]
        runs = [number for number, text in enumerate(done) if "-m delivery" in text]
        installs = [number for number, text in enumerate(done) if "make environment" in text]
        assert not runs or (installs and installs[0] < runs[0]), name


def test_nothing_is_deployed_before_it_was_previewed_and_its_image_scanned() -> None:
    found = jobs(ROOT / ".github" / "workflows" / "deploy.yml")
    assert set(found["dev"]["needs"]) == {"preview", "image"}
    assert found["prod"]["needs"] == "dev"
    assert any(step.get("uses", "").startswith("anchore/scan-action@") for step in found["image"]["steps"])


def test_a_fork_never_gets_credentials() -> None:
    for name, job in jobs(ROOT / ".github" / "workflows" / "preview.yml").items():
        if "id-token" in job["permissions"]:
            assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository", name


def shell(text: str, directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step's script as GitHub does, with a `gh` that notes how it is called."""
    (directory / "bin").mkdir(exist_ok=True)
    gh = directory / "bin" / "gh"
    gh.write_text('#!/bin/sh\necho "$@" >> gh.log\n[ "$2" != list ] || cat numbers 2>/dev/null || true\n')
    gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
    (directory / ".venv").symlink_to(Path(sys.prefix))
    known = {"PATH": f"{directory / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(directory)}
    outputs = {name: str(directory / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    return subprocess.run(
        ["bash", "-e", "-c", text],
        cwd=directory,
        env={**known, **outputs, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_preview_of_every_stack_becomes_one_comment_that_is_updated(tmp_path: Path) -> None:
    (tmp_path / "accounts").mkdir()
    change = Change(kind="update", urn=VPC, properties=("enableDnsHostnames",))
    Changes(stack="dev", changes=(change,)).write(tmp_path / "accounts" / "dev.json")
    Changes(stack="prod", same=485).write(tmp_path / "accounts" / "prod.json")
    answer = shell(script("preview", "One comment, written anew"), tmp_path, NUMBER="7")
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "gh.log").read_text() == "pr comment 7 --body-file comment.md --edit-last --create-if-none\n"
    assert "- `auterity-dev` (aws:ec2/vpc:Vpc): `enableDnsHostnames`" in (tmp_path / "comment.md").read_text()


@pytest.mark.parametrize(("open_issue", "verb"), [("", "issue create"), ("42\n", "issue edit 42")])
def test_drift_is_one_issue_for_each_stack(tmp_path: Path, open_issue: str, verb: str) -> None:
    (tmp_path / "numbers").write_text(open_issue)
    (tmp_path / "drift.md").write_text("it differs")
    answer = shell(script("drift", "One issue for each stack, written anew"), tmp_path, STACK="dev")
    assert answer.returncode == 0, answer.stderr
    assert verb in (tmp_path / "gh.log").read_text()


def test_a_look_that_cannot_be_done_is_no_drift(tmp_path: Path) -> None:
    answer = shell(script("drift", "Look"), tmp_path, STACK="nowhere")
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "GITHUB_OUTPUT").read_text().strip() not in ("code=0", "code=2")
