"""A stack under a sandbox of its own, brought up by the engine as a process that can be killed."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sandbox.cloud.store import Store
from sandbox.workspace import Sandbox
from tests.sandbox import lifecycle

STACK = "prod"
LEFT_BEHIND = ("aws:rds/snapshot:Snapshot",)
"""What outlives a stack on purpose."""

NOWHERE = "random"
"""A provider whose resources are in no cloud: they exist in the state alone."""


@contextmanager
def sandbox_in(directory: Path) -> Iterator[Sandbox]:
    """Run a sandbox in an empty directory, for the stack without its cluster: that one's API server fails by itself."""
    with Sandbox(directory) as running:
        lifecycle.without_cluster(running.stack(STACK))
        yield running


def behave(sandbox: Sandbox, **behaviour: Any) -> None:
    """Set the clouds' faults and latencies; none given: they behave."""
    (sandbox.cloud_directory / "faults.json").write_text(json.dumps(behaviour))


def inventory(sandbox: Sandbox) -> Counter[tuple[str, str]]:
    """Count what there is in the clouds by type and logical name."""
    with closing(Store(sandbox.cloud_directory)) as store:
        return Counter(
            (resource.type, resource.name)
            for resource in store.list()
            if resource.type not in LEFT_BEHIND and resource.provider != NOWHERE
        )


def start(sandbox: Sandbox, *command: str) -> subprocess.Popen[str]:
    """Start a Pulumi command in a session of its own, its output kept."""
    return subprocess.Popen(
        [str(sandbox.cli.executable), *command, "--stack", STACK, "--non-interactive"],
        cwd=sandbox.project_directory,
        env=sandbox.environment(STACK),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(sandbox: Sandbox, *command: str) -> tuple[int, str]:
    """Run a Pulumi command to its end and return its exit code and output."""
    process = start(sandbox, *command)
    output, _ = process.communicate(timeout=300)
    return process.returncode, output


def up(sandbox: Sandbox, *options: str) -> tuple[int, str]:
    return run(sandbox, "up", "--yes", "--skip-preview", *options)


def wait_until_made(sandbox: Sandbox, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until the cloud holds `count` resources or the engine has ended."""
    with closing(Store(sandbox.cloud_directory)) as store:
        while process.poll() is None and len(store.list()) < count:
            time.sleep(0.005)
