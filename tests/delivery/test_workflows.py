"""The pipelines, by the checkers of their makers, and their shell by running it."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from fnmatch import fnmatch
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
        delivers = [number for number, text in enumerate(done) if "-m delivery" in text]
        installs = [number for number, text in enumerate(done) if "make environment" in text]
        assert not delivers or (installs and installs[0] < delivers[0]), name


def workflow(name: str) -> dict[str, Any]:
    return jobs(ROOT / ".github" / "workflows" / f"{name}.yml")


def test_nothing_is_deployed_before_it_was_previewed_and_its_image_scanned() -> None:
    found = workflow("deploy")
    assert (found["dev"]["needs"], found["prod"]["needs"]) == ("image", "dev")
    assert any(step.get("uses", "").startswith("anchore/scan-action@") for step in found["image"]["steps"])
    one = workflow("deploy-stack")
    assert one["preview"]["uses"] == "./.github/workflows/preview-stack.yml"
    assert one["deploy"]["needs"] == "preview"


def test_dev_is_deployed_whether_or_not_prod_can_be_previewed() -> None:
    found = workflow("deploy")
    before, wanted = set(), ["dev"]
    while wanted:
        needs = found[wanted.pop()].get("needs", [])
        wanted += [needs] if isinstance(needs, str) else needs
        before |= set(wanted)
    assert before == {"image"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_whatever_works_on_a_stack_holds_its_group_and_nothing_that_waits_is_dropped(path: Path) -> None:
    for name, job in jobs(path).items():
        environment = str(job.get("environment", ""))
        works = "deploy-stack.yml" in job.get("uses", "") or environment.startswith("drift-")
        # The image's job is in dev's environment for its right to push; who calls deploy-stack holds the group.
        if not works and (path.stem == "deploy-stack" or "inputs.stack" not in environment or "preview" in environment):
            continue
        stack = job["with"]["stack"] if "uses" in job else "${{ inputs.stack }}"
        stack = "${{ matrix.stack }}" if path.stem == "drift" else stack
        assert job["concurrency"] == {"group": f"stack-{stack}", "cancel-in-progress": False, "queue": "max"}, name


EVENT = {
    "github.repository": "auterity/infrastructure",
    "github.event.pull_request.head.repo.full_name": "auterity/infrastructure",
    "github.event.pull_request.user.type": "User",
    "github.event.sender.type": "User",
    "needs.touched.outputs.more-than-pages": "yes",
    "needs.preview.result": "success",
}
"""A pull request of a person of this repository that touches the program."""


def runs(condition: str, **changes: str) -> bool:
    """Evaluate the condition of a job as GitHub does."""
    known = {**EVENT, **{key.replace("__", "."): value for key, value in changes.items()}}
    text = condition.replace("always()", "True").replace("&&", " and ").replace("||", " or ")
    for key in sorted(known, key=len, reverse=True):
        text = text.replace(key, repr(known[key]))
    return bool(eval(" ".join(text.split()), {"__builtins__": {}}))  # noqa: S307 - the repository's own


FORK = {"github__event__pull_request__head__repo__full_name": "somebody/infrastructure"}
BOT = {"github__event__pull_request__user__type": "Bot", "github__event__sender__type": "Bot"}
PUSHED_BY_BOT = {"github__event__sender__type": "Bot"}


@pytest.mark.parametrize("changes", [FORK, BOT, PUSHED_BY_BOT], ids=["fork", "bot", "pushed by a bot"])
def test_a_fork_and_a_bot_get_every_check_and_never_credentials(changes: dict[str, str]) -> None:
    for name, job in workflow("preview").items():
        condition = job.get("if", "True")
        assert runs(condition), name
        assert runs(condition, **changes) is ("id-token" not in job["permissions"]), name


def test_pages_alone_run_what_checks_them_and_nothing_else(tmp_path: Path) -> None:
    touched = {each.stem: pages(tmp_path / each.stem, each) for each in (Path("docs/cost.md"), Path("settings/app.py"))}
    assert touched == {"cost": "more-than-pages=\n", "app": "more-than-pages=yes\n"}
    left = {"needs__touched__outputs__more-than-pages": "", "needs__preview__result": "skipped"}
    running = {name for name, job in workflow("preview").items() if runs(job.get("if", "True"), **left)}
    assert running == {"touched", "check", "gate"}


def pages(directory: Path, file: Path) -> str:
    """Run the step that looks what a pull request touches, on one that changes a file; return its outputs."""
    (directory / file.parent).mkdir(parents=True)
    git = ["git", "-C", str(directory), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "before"]):
        subprocess.run([*git, *command], check=True)
    (directory / file).write_text("changed")
    (directory / ".gitignore").write_text(".venv\nbin\n")
    for command in (["add", str(file)], ["commit", "-q", "-m", "after"]):
        subprocess.run([*git, *command], check=True)
    answer = shell(script("preview", "Whether more than pages"), directory)
    assert answer.returncode == 0, answer.stderr
    return (directory / "GITHUB_OUTPUT").read_text()


@pytest.mark.parametrize(
    ("changed", "passes"),
    [
        ({}, True),
        ({"preview": "skipped", "comment": "skipped"}, True),
        ({"everything": "failure"}, False),
        ({"sandbox": "cancelled"}, False),
        ({"touched": "skipped"}, False),
        ({"check": "skipped"}, False),
    ],
)
def test_the_gate_is_open_where_all_passed_or_was_left_out_on_purpose(
    changed: dict[str, str], passes: bool, tmp_path: Path
) -> None:
    results = dict.fromkeys(workflow("preview")["gate"]["needs"], "success") | changed
    needs = json.dumps({name: {"result": result, "outputs": {}} for name, result in results.items()})
    answer = shell(script("preview", "All of it passed, or was left out on purpose"), tmp_path, NEEDS=needs)
    assert (answer.returncode == 0) is passes, answer.stdout


def test_the_gate_waits_for_every_other_job_and_no_path_keeps_it_from_running() -> None:
    found = workflow("preview")
    assert {*found["gate"]["needs"], "gate"} == set(found)
    triggers = yaml.safe_load((ROOT / ".github" / "workflows" / "preview.yml").read_text())[True]
    assert triggers["pull_request"] in (None, {})
    others = [path.stem for path in WORKFLOWS if "pull_request" in str(yaml.safe_load(path.read_text())[True])]
    assert others == ["preview"]


def test_a_pull_request_runs_what_continuous_integration_runs() -> None:
    said = [step.get("run") for job in workflow("preview").values() for step in job.get("steps", ())]
    assert {".ci/run", "make docs", "make policy"} <= set(said)


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ({"ACTION": "refresh", "STACK": "prod"}, True),
        ({"ACTION": "cancel", "STACK": "prod"}, True),
        ({"ACTION": "destroy", "STACK": "dev"}, True),
        ({"ACTION": "destroy", "STACK": "prod"}, False),
        ({"ACTION": "roll back", "STACK": "prod", "COMMIT": "main's"}, True),
        ({"ACTION": "roll back", "STACK": "prod", "COMMIT": "a branch's"}, False),
        ({"ACTION": "roll back", "STACK": "prod", "COMMIT": "main"}, False),
        ({"ACTION": "roll back", "STACK": "prod"}, False),
        ({"ACTION": "refresh", "STACK": "prod", "COMMIT": "main's"}, False),
    ],
)
def test_what_may_be_done_by_hand(asked: dict[str, str], allowed: bool, tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]

    def commit(*words: str) -> str:
        subprocess.run([*git, *words], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
        return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()

    commits = {"main's": commit("init", "-q", "-b", "main"), "a branch's": commit("checkout", "-q", "-b", "branch")}
    subprocess.run([*git, "checkout", "-q", "main"], check=True)
    given = asked.get("COMMIT", "")
    answer = shell(
        script("operate", "Whether it may be done"), tmp_path, **{**asked, "COMMIT": commits.get(given, given)}
    )
    assert (answer.returncode == 0) is allowed, answer.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_stack_without_google_does_not_sign_in_there(path: Path) -> None:
    for step in steps(path):
        if "google-github-actions/auth" in step.get("uses", ""):
            assert step["if"] == "vars.GCP_IDENTITY_PROVIDER"


def shell(text: str, directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step's script as GitHub does, with a `gh` that notes how it is called."""
    (directory / "bin").mkdir(exist_ok=True)
    gh = directory / "bin" / "gh"
    lines = ["#!/bin/sh", 'echo "$@" >> gh.log', '[ "$2" != list ] || cat numbers 2>/dev/null || true']
    gh.write_text("\n".join([*lines, '[ "$1" != api ] || cat answer.json']) + "\n")
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


HARMFUL = (
    ".ci/run",
    ".github/workflows/deploy.yml",
    ".github/CODEOWNERS",
    ".pulumi.version",
    "Makefile",
    "bootstrap/pipelines.py",
    "bootstrap/google/Pulumi.google.yaml",
    "components/iam.py",
    "delivery/engine.py",
    "deploy/operator/prod.yaml",
    "policies/aws/identity.py",
    "policies/requirements.txt",
    "pyproject.toml",
    "requirements-dev.txt",
    "requirements.txt",
    "scripts/install-packages",
)
"""What deploys, or runs with the rights of what deploys."""


@pytest.mark.parametrize("file", HARMFUL)
def test_what_deploys_is_reviewed_by_security(file: str) -> None:
    assert (ROOT / file).exists()
    assert owners(file) == ["@auterity/security"]


def owners(file: str) -> list[str]:
    """Return the owners of a file: those of the last line that fits, of whom GitHub wants one."""
    found: list[str] = []
    for line in (ROOT / ".github" / "CODEOWNERS").read_text().splitlines():
        pattern, *named = line.split() or ["#"]
        if pattern.startswith("#"):
            continue
        anchored = pattern.startswith("/")
        pattern = pattern.strip("/") if pattern.endswith("/") or anchored else pattern
        fits = file == pattern or file.startswith(f"{pattern}/") if anchored else fnmatch(Path(file).name, pattern)
        found = named if fits else found
    return found


REVIEWED = {"protection_rules": [{"type": "branch_policy"}, {"type": "required_reviewers", "reviewers": [{"id": 1}]}]}
NOBODY = {"protection_rules": [{"type": "required_reviewers", "reviewers": []}]}


@pytest.mark.parametrize("workflow_name", ["deploy-stack", "operate"])
@pytest.mark.parametrize(
    ("environment", "passes"), [(REVIEWED, True), (NOBODY, False), ({"protection_rules": []}, False), (None, False)]
)
def test_production_is_left_alone_where_nobody_has_to_approve(
    workflow_name: str, environment: dict[str, Any] | None, passes: bool, tmp_path: Path
) -> None:
    # GitHub's answer to `GET /repos/{owner}/{repo}/environments/{environment_name}`; without one it is not there.
    if environment is not None:
        (tmp_path / "answer.json").write_text(json.dumps(environment))
    answer = shell(
        script(workflow_name, "Whether production is guarded"),
        tmp_path,
        STACK="prod",
        REPOSITORY="auterity/infrastructure",
    )
    assert (answer.returncode == 0) is passes, answer.stderr
    assert "repos/auterity/infrastructure/environments/prod" in (tmp_path / "gh.log").read_text()


@pytest.mark.parametrize("workflow_name", ["deploy-stack", "operate"])
def test_whether_somebody_approves_is_asked_before_any_credential_is_taken(workflow_name: str) -> None:
    [job] = [each for each in workflow(workflow_name).values() if "configure-aws-credentials" in str(each.get("steps"))]
    assert job["steps"][0]["name"] == "Whether production is guarded"
    assert job["steps"][0]["if"] == "inputs.stack == 'prod'"
    assert job["permissions"]["actions"] == "read"
