"""The engine as a process whose run is measured, and projects for it to run."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from sandbox.workspace import CHECKOUT, Sandbox

TIME_LIMIT = 300
"""Seconds after which a run counts as hung."""

_PLANNED = re.compile(r"^ +\+ (\d+) (?:to create|created)$", re.MULTILINE)


class RunError(Exception):
    """A measured command failed; the message holds what the engine said."""


@dataclass(frozen=True)
class Run:
    """One run of the engine.

    Attributes:
        wall: seconds from the start of the engine's process to its end.
        own_cpu: CPU seconds of engine, language host and program together.
        provider_cpu: CPU seconds that this process spent meanwhile; the simulated providers live in it.
        resources: how many resources the engine created or would create, components and the stack included.
    """

    wall: float
    own_cpu: float
    provider_cpu: float
    resources: int


def run(sandbox: Sandbox, stack: str, *command: str) -> Run:
    """Run a Pulumi command on `stack` and measure it.

    Raises:
        RunError: it failed or hung.
    """
    sandbox.prepare(stack)
    children, own = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
    began = time.perf_counter()
    process = start(sandbox, stack, *command)
    try:
        output, _ = process.communicate(timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        raise RunError(f"pulumi {' '.join(command)} on {stack} took over {TIME_LIMIT} s") from None
    wall = time.perf_counter() - began
    if process.returncode:
        raise RunError(f"pulumi {' '.join(command)} on {stack}: {output[-4000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(
        wall=wall,
        own_cpu=after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime,
        provider_cpu=time.process_time() - own,
        resources=sum(int(count) for count in _PLANNED.findall(output)),
    )


def preview(sandbox: Sandbox, stack: str) -> Run:
    """Preview `stack` and measure it."""
    return run(sandbox, stack, "preview")


def up(sandbox: Sandbox, stack: str, parallel: int) -> Run:
    """Bring `stack` up without a preview before it, at most `parallel` operations at once, and measure it."""
    return run(sandbox, stack, "up", "--yes", "--skip-preview", "--parallel", str(parallel))


def deployment(sandbox: Sandbox, stack: str) -> dict[str, Any]:
    """Return the state of `stack`, its secrets (all of them generated for this run) in plain text."""
    exported = json.loads(sandbox.answer(stack, "stack", "export", "--show-secrets"))
    return dict(exported["deployment"])


def start(sandbox: Sandbox, stack: str, *command: str) -> subprocess.Popen[str]:
    """Start a Pulumi command on `stack`, its output kept."""
    return subprocess.Popen(
        [str(sandbox.cli.executable), *command, "--stack", stack, "--non-interactive"],
        cwd=sandbox.project_directory,
        env=sandbox.environment(stack),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@dataclass(frozen=True)
class PeakMemory:
    """Largest resident set seen, in MiB."""

    engine: float
    program: float


def peak_memory(sandbox: Sandbox, stack: str) -> PeakMemory:
    """Preview `stack` and watch its processes every 20 ms: a run of its own, because watching costs time."""
    sandbox.prepare(stack)
    process = start(sandbox, stack, "preview")
    engine = psutil.Process(process.pid)
    peaks = {"engine": 0, "program": 0}
    roles = {process.pid: ("engine", engine)}
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            for child in engine.children(recursive=True):
                if child.pid not in roles and (role := _role(child)):
                    roles[child.pid] = (role, child)
        for role, seen in roles.values():
            with suppress(psutil.NoSuchProcess):
                peaks[role] = max(peaks[role], seen.memory_info().rss)
        time.sleep(0.02)
    output, _ = process.communicate(timeout=TIME_LIMIT)
    if process.returncode:
        raise RunError(f"pulumi preview on {stack}: {output[-4000:]}")
    return PeakMemory(engine=peaks["engine"] / 2**20, program=peaks["program"] / 2**20)


def _role(process: psutil.Process) -> str:
    """Name the part that a process plays; empty for one that is not watched or cannot be told yet."""
    try:
        command = process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""
    # The language host names the runner, too: as an argument of its own.
    runs = any(part.endswith("pulumi-language-python-exec") for part in command)
    return "program" if runs and "--program-runner" not in command else ""


def write_project(directory: Path, program: str, stacks: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a project for the sandbox: the checkout's project file, a program and its stacks' configuration."""
    project = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())
    project["runtime"]["options"]["virtualenv"] = str(CHECKOUT / ".venv")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (directory / "__main__.py").write_text(program)
    for name, config in stacks.items():
        (directory / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": dict(config)}))
