"""A place where the real engine runs the checkout's program against simulated clouds, without touching the checkout."""

import hashlib
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO, Literal, Self

from pulumi import automation
from semver import VersionInfo

from sandbox import language_host
from sandbox.cloud.aws.control_plane import clusters_directory
from sandbox.cloud.launcher import CALLER
from sandbox.cloud.server import Cloud, install_plugins
from sandbox.environment import engine_environment, withheld
from sandbox.kubernetes import Cluster, aws_command
from sandbox.stack_files import Document, callers_place, contexts, project_copy, read, stack_copy, stack_names, write
from sandbox.toolchain import PulumiCli, cache_directory, ensure_pulumi
from sandbox.toolchain.cache import exclusive
from sandbox.toolchain.kubernetes_provider import NAME as KUBERNETES_PROVIDER
from sandbox.toolchain.kubernetes_provider import ensure_provider, find_provider

CHECKOUT = Path(__file__).resolve().parent.parent
"""The checkout that this module belongs to."""


class WorkspaceError(Exception):
    """The sandbox cannot do what was asked; the message says why and what would work."""


def default_home(checkout: Path = CHECKOUT) -> Path:
    """Return the directory of the sandbox of `checkout`: AUTERITY_SANDBOX_HOME, else by the XDG specification."""
    if override := os.environ.get("AUTERITY_SANDBOX_HOME"):
        return Path(override).resolve()
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    name = hashlib.sha256(str(checkout).encode()).hexdigest()[:12]
    return state / "auterity" / "sandbox" / name


class Sandbox:
    """The engine, its state and the simulated clouds below one directory; a context manager.

    Inside the context the clouds run. Several processes may use one directory; the engine locks each stack for itself.

        with Sandbox(tmp_path) as sandbox:
            sandbox.stack("dev").up()

    Args:
        home: the directory; made where missing.
        checkout: the checkout whose program runs.
        kubernetes: which Kubernetes provider makes what is in clusters: Pulumi's official one, which is set up first
            where it is missing; the sandbox's own thin one; or the official one where it is there, else the thin one.
        checkpoints: whether the engine writes its state down all the time; else at the end of a command alone, which
            halves what it takes to bring a large stack up, and loses what was made if the engine is killed.

    Raises WorkspaceError for a stack without a file, StackFileError for a file that is not one and ToolchainError if
    the engine cannot be set up.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        checkout: Path = CHECKOUT,
        checkpoints: bool = True,
        kubernetes: Literal["official", "thin", "as found"] = "as found",
    ) -> None:
        self._kubernetes = kubernetes
        self.checkout = checkout.resolve()
        self.checkpoints = checkpoints
        self.home = home.resolve() if home else default_home(self.checkout)
        self._running = ExitStack()
        self._cli: PulumiCli | None = None
        self._cloud: Cloud | None = None

    @property
    def project_directory(self) -> Path:
        """The directory in which the engine works: it holds copies of the project's and the stacks' files."""
        return self.home / "project"

    @property
    def cloud_directory(self) -> Path:
        """The directory that holds the state of the simulated clouds."""
        return self.home / "cloud"

    @property
    def cli(self) -> PulumiCli:
        """The Pulumi CLI in use."""
        if self._cli is None:
            raise WorkspaceError("the sandbox is not running: use it as a context manager")
        return self._cli

    @property
    def cloud(self) -> Cloud:
        """The simulated clouds in use."""
        if self._cloud is None:
            raise WorkspaceError("the sandbox is not running: use it as a context manager")
        return self._cloud

    def __enter__(self) -> Self:
        self._cli = ensure_pulumi(cache_directory())
        with ExitStack() as starting:
            for directory in (self.home, self.project_directory, self.home / "backend", self.home / "pulumi"):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone():
                write_once(self.home / "passphrase", secrets.token_urlsafe(32))
                # A file where the engine would put its logs: it then keeps none. They hold what every resource is
                # made of, nobody reads them here, and writing them takes a tenth of the engine's time.
                write_once(self.home / "pulumi" / "logs", "")
                install_plugins(self.home / "pulumi", self._official_provider(self._cli))
                install_command(self.home / "bin" / "aws", aws_command.__file__)
                if self._cli.program_runner:
                    install_language_host(self.home / "pulumi", self._cli.program_runner)
            self._cloud = starting.enter_context(Cloud(self.cloud_directory))
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cloud = None
        self._running.close()

    def environment(self, stack: str) -> dict[str, str]:
        """Return the whole environment in which the engine works on `stack`: nothing of a real cloud is in it."""
        env = engine_environment(self.home, stack)
        ours = (str(self.home / "bin"), str(self.cli.executable.parent))
        theirs = env.get("PATH", os.defpath).split(os.pathsep)
        if self._kubernetes == "thin":
            # The engine takes a provider on PATH before any other.
            theirs = [place for place in theirs if not Path(place, KUBERNETES_PROVIDER).exists()]
        env["PATH"] = os.pathsep.join((*ours, *theirs))
        if not self.checkpoints:
            env["PULUMI_SKIP_CHECKPOINTS"] = "true"
        env[aws_command.VARIABLE] = str(clusters_directory(self.cloud_directory))
        copy = self.project_directory / f"Pulumi.{stack}.yaml"
        env[CALLER] = os.environ.get(CALLER) or (callers_place(read(copy)) if copy.exists() else "")
        return {**env, **self.cloud.environment}

    def pulumi(self, stack: str, *arguments: str, events: Path | None = None, display: IO[str] | None = None) -> int:
        """Run a Pulumi command on `stack` with the terminal as it is, and return its exit code.

        Args:
            stack: the stack.
            arguments: the command and its arguments.
            events: file to which the engine writes its events, for a command that has some.
            display: file for what it displays, in place of standard output.
        """
        self.prepare(stack)
        environment = self.environment(stack)
        if events:
            # The CLI hides the flag that the Automation API uses, too.
            environment["PULUMI_DEBUG_COMMANDS"] = "true"
            arguments = (*arguments, "--event-log", str(events))
        with interrupts_left_to_children():
            return subprocess.call(
                self._command(*arguments), cwd=self.project_directory, env=environment, stdout=display
            )

    def answer(self, stack: str, *arguments: str) -> str:
        """Run a Pulumi command on `stack` and return what it prints.

        Raises WorkspaceError with what it says if it fails.
        """
        self.prepare(stack)
        return self._answer(stack, *arguments)

    def stack(self, name: str) -> automation.Stack:
        """Return stack `name` for Pulumi's Automation API: summaries, events and outputs as typed values."""
        self.prepare(name)
        # The Automation API adds to this process's environment, so what must not reach the engine is emptied.
        environment = {**withheld(os.environ), **self.environment(name)}
        workspace = _Workspace(
            work_dir=str(self.project_directory),
            pulumi_home=str(self.home / "pulumi"),
            env_vars=environment,
            pulumi_command=_Command(self.cli),
        )
        return automation.Stack.select(name, workspace)

    def prepare(self, stack: str) -> None:
        """Bring the copies of the project's and the stack's files up to date and make the stack if it is new."""
        source = self.checkout / f"Pulumi.{stack}.yaml"
        if not source.is_file():
            known = ", ".join(stack_names(self.checkout)) or "none"
            raise WorkspaceError(f"There is no stack {stack!r}: {source} does not exist. Stacks with a file: {known}")
        with self._alone():
            self._prepare(stack, source)
            self._start_clusters(source)

    def existing_clusters(self, stack: str) -> list[Cluster]:
        """List the clusters that `stack` expects to exist, by the contexts that its file names."""
        return [self._cluster(context) for context in contexts(read(self.checkout / f"Pulumi.{stack}.yaml"))]

    def clusters(self, stack: str) -> list[Cluster]:
        """List the clusters of `stack` that there are: those that it expects, and the one that it made on EKS."""
        made = self._cluster(f"{read(self.checkout / 'Pulumi.yaml')['name']}-{stack}")
        return [cluster for cluster in (*self.existing_clusters(stack), made) if cluster.directory.exists()]

    def _cluster(self, context: str) -> Cluster:
        return Cluster(clusters_directory(self.cloud_directory) / context)

    def _start_clusters(self, source: Path) -> None:
        """Start the clusters that a stack expects to exist, and write where they are to the engine's kubeconfig."""
        for context in contexts(read(source)):
            cluster = self._cluster(context)
            cluster.start()
            kubeconfig = self.home / "kubeconfig"
            kubeconfig.touch(mode=0o600)
            kubeconfig.write_text(json.dumps(cluster.kubeconfig(context)))

    def _prepare(self, stack: str, source: Path) -> None:
        project = read(self.checkout / "Pulumi.yaml")
        write(self.project_directory / "Pulumi.yaml", project_copy(project, self.checkout))
        target = self.project_directory / source.name
        seen = self.project_directory / f".{source.name}.sha256"
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        missing_secrets: list[str] = []
        # Values set by hand in the copy stay until the checkout's file changes.
        if not (target.exists() and seen.exists() and seen.read_text() == digest):
            previous: Document = read(target) if target.exists() else {}
            copy = stack_copy(read(source), previous)
            write(target, copy.document)
            missing_secrets = copy.missing_secrets
        if not self._exists(str(project["name"]), stack):
            self._answer(stack, "stack", "init", stack, "--no-select", "--secrets-provider", "passphrase")
        for path in missing_secrets:
            self._answer(stack, "config", "set", "--secret", "--path", path, given=secrets.token_urlsafe(24))
        seen.write_text(digest)

    def _official_provider(self, cli: PulumiCli) -> Path | None:
        if self._kubernetes == "official":
            return ensure_provider(cache_directory(), cli)
        return find_provider(cache_directory()) if self._kubernetes == "as found" else None

    def _exists(self, project: str, stack: str) -> bool:
        # The layout of the file backend; asking the CLI instead would add half a second to every command.
        return any((self.home / "backend" / ".pulumi" / "stacks" / project).glob(f"{stack}.json*"))

    def _alone(self) -> AbstractContextManager[None]:
        """Keep other processes from changing the sandbox's files at the same time."""
        return exclusive(self.home / "lock")

    def _command(self, *arguments: str) -> list[str]:
        return [str(self.cli.executable), *arguments]

    def _answer(self, stack: str, *arguments: str, given: str = "") -> str:
        done = subprocess.run(
            self._command(*arguments, "--non-interactive"),
            cwd=self.project_directory,
            env=self.environment(stack),
            input=given,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise WorkspaceError(f"pulumi {' '.join(arguments)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout


class _Workspace(automation.LocalWorkspace):
    """A workspace whose stacks are named by each command: to select one would be a start of the CLI for nothing."""

    def select_stack(self, stack_name: str) -> None:
        """Leave all as it is: the stack was made if it was new."""


class _Command(automation.PulumiCommand):
    """The sandbox's own CLI for the Automation API, which would look for one on PATH or in a layout of its own."""

    def __init__(self, cli: PulumiCli) -> None:
        self.command = str(cli.executable)
        self.version = VersionInfo.parse(cli.version)


def write_once(path: Path, text: str) -> None:
    """Write `text` to `path`, readable by its owner alone, unless the file exists."""
    if not path.exists():
        part = path.with_name(f"{path.name}.part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(text)
        part.rename(path)


def install_language_host(pulumi_home: Path, program_runner: Path) -> None:
    """Make this project's language host the plugin that the engine finds for Python in `pulumi_home`."""
    launcher = pulumi_home / "plugins" / "language-python-v0.0.1" / "pulumi-language-python"
    install_command(launcher, language_host.__file__, "--program-runner", str(program_runner))


def install_command(path: Path, script: str, *arguments: str) -> None:
    """Make `path` a command that runs a Python script of this checkout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-P", script, *arguments]
    part = path.with_name(f"{path.name}.part")
    part.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    part.chmod(0o755)
    part.rename(path)


@contextmanager
def interrupts_left_to_children() -> Iterator[None]:
    """Let Ctrl-C reach only the processes started inside, so that the clouds outlast the engine."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
