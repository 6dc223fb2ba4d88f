"""Merges in a row, a deployment that fails, one that is killed, and the ways out, by the workflows' own steps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox.cloud.store import Store
from sandbox.workspace import Sandbox
from tests.delivery.test_delivery import NOT_NEEDED
from tests.delivery.test_workflows import ROOT, script
from tests.sandbox import lifecycle

STACK = "dev"
PREVIEW, DEPLOY = ("preview-stack", "What it would do"), ("deploy-stack", "As it was said")


@dataclass
class Pipeline:
    """The runner of a workflow's steps."""

    sandbox: Sandbox
    said: dict[str, str] = field(default_factory=dict)

    def start(self, workflow: str, step: str, **environment: str) -> subprocess.Popen[str]:
        """Start a step's script in the directory of the project, as GitHub does."""
        # Its policies have a test of their own, and know the stack as a whole.
        text = script(workflow, step).replace(" --policy-pack policies", "").replace(".venv/bin/python", sys.executable)
        known = {**self.sandbox.environment(STACK), "PYTHONPATH": str(ROOT), "STACK": STACK}
        summary = self.sandbox.home / "summary.md"
        return subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
            cwd=self.sandbox.project_directory,
            env={**known, "GITHUB_STEP_SUMMARY": str(summary), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, name: str, workflow: str, step: str, **environment: str) -> int:
        """Run a step to its end; keep what it says under a name, and return its exit code."""
        process = self.start(workflow, step, **environment)
        self.said[name] = process.communicate(timeout=300)[0]
        return process.returncode


@dataclass(frozen=True)
class Walk:
    """Exit codes of the steps by their names, what they said, and what the look for drift has told GitHub."""

    codes: dict[str, int]
    said: dict[str, str]
    drift: str


def behave(sandbox: Sandbox, **behaviour: Any) -> None:
    """Set the clouds' faults and latencies; none given: they behave."""
    (sandbox.cloud_directory / "faults.json").write_text(json.dumps(behaviour))


def made(sandbox: Sandbox) -> int:
    with closing(Store(sandbox.cloud_directory)) as store:
        return len(list(store.list()))


@pytest.fixture(scope="module")
def walk(module_sandbox: Sandbox) -> Walk:
    stack = module_sandbox.stack(STACK)
    lifecycle.without_cluster(stack)
    lifecycle.remove(stack, *NOT_NEEDED)
    pipeline = Pipeline(module_sandbox)
    codes: dict[str, int] = {}

    def step(name: str, place: tuple[str, str], **environment: str) -> None:
        codes[name] = pipeline.run(name, *place, **environment)

    # Two merges in a row: the second is previewed once the first is through, and finds what that has left.
    step("preview first", PREVIEW)
    step("deploy first", DEPLOY)
    lifecycle.set_path(stack, "network.nat", "none")
    step("preview second", PREVIEW)
    step("deploy second", DEPLOY)

    # A deployment fails halfway; it is previewed and run again.
    lifecycle.set_path(stack, "network.az_count", "3")
    step("preview failing", PREVIEW)
    behave(module_sandbox, faults=[{"type": "aws:ec2/subnet:Subnet", "operation": "create", "kind": "internal"}])
    step("deploy failing", DEPLOY)
    behave(module_sandbox)
    step("preview again", PREVIEW)
    step("deploy again", DEPLOY)

    # One is killed: its lock stays.
    lifecycle.set_path(stack, "network.nat", "single")
    step("preview killed", PREVIEW)
    before = made(module_sandbox)
    behave(module_sandbox, latencies={"*": {"create": 3}})
    killed = pipeline.start(*DEPLOY)
    deadline = time.monotonic() + 120
    locks = module_sandbox.home / "backend" / ".pulumi" / "locks"
    while time.monotonic() < deadline and not (list(locks.rglob("*.json")) and made(module_sandbox) > before):
        time.sleep(0.2)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=60)
    behave(module_sandbox)
    step("preview locked", PREVIEW)
    step("deploy locked", DEPLOY)
    step("cancel", ("operate", "As asked"), ACTION="cancel")
    step("refresh", ("operate", "As asked"), ACTION="refresh")
    step("preview after", PREVIEW)
    step("deploy after", DEPLOY)
    step("drift", ("drift", "Look"), GITHUB_OUTPUT=str(module_sandbox.home / "outputs"))
    step("destroy", ("operate", "As asked"), ACTION="destroy")
    return Walk(codes, pipeline.said, (module_sandbox.home / "outputs").read_text())


def test_two_merges_in_a_row_are_both_deployed(walk: Walk) -> None:
    names = [f"{each} {which}" for which in ("first", "second") for each in ("preview", "deploy")]
    assert {name: walk.codes[name] for name in names} == dict.fromkeys(names, 0), walk.said


def test_a_deployment_that_failed_is_completed_by_the_next(walk: Walk) -> None:
    assert walk.codes["deploy failing"] == 1, walk.said["deploy failing"]
    assert (walk.codes["preview again"], walk.codes["deploy again"]) == (0, 0), walk.said["deploy again"]


def test_the_lock_that_a_killed_deployment_leaves_stops_the_next(walk: Walk) -> None:
    assert walk.codes["deploy locked"] == 1
    assert "locked" in walk.said["deploy locked"]


def test_cancel_and_refresh_lead_out_of_it(walk: Walk) -> None:
    assert walk.codes["cancel"] == 0, walk.said["cancel"]
    assert walk.codes["refresh"] in (0, 2), walk.said["refresh"]
    assert walk.codes["deploy after"] == 0, walk.said["deploy after"]
    assert walk.drift == "code=0\n"


def test_dev_can_be_taken_down(walk: Walk) -> None:
    assert walk.codes["destroy"] == 0, walk.said["destroy"]
