"""Building a program from its Go module."""

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.progress import long_step, run

COMPILER_FLAGS = ("all=-l", "std=")
"""No inlining outside of Go's own packages: compiling takes a third less time, and what runs takes a little more."""


@dataclass(frozen=True)
class GoProgram:
    """What to build, and from where.

    Attributes:
        name: name of the executable.
        title: what to call it in front of people.
        module: directory of the Go module that requires it; its go.mod is the one place that names the version.
        package: the package to build, seen from there.
        variables: full name of a string variable of the program to the value that the linker puts there.
        tags: build tags.
        inlined: patterns of further packages that are compiled with inlining: those where the program spends its time.
        profile: where the program was seen to spend it, for the compiler (https://go.dev/doc/pgo).
        usually: how long a build takes into an empty cache.
    """

    name: str
    title: str
    module: Path
    package: str
    usually: str
    variables: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()
    inlined: tuple[str, ...] = ()
    profile: Path | None = None


def required_version(module: Path, requirement: str) -> str:
    """Return the version of a module that a go.mod asks for, such as ``1.36.3``."""
    found = re.search(rf"^require {re.escape(requirement)} v(\S+)$", (module / "go.mod").read_text(), re.MULTILINE)
    if not found:
        raise ToolchainError(f"{module / 'go.mod'} does not require {requirement}")
    return found.group(1)


def go_environment() -> dict[str, str]:
    """Return the environment of Go's commands: without cgo no C compiler is needed, and no workspace file counts."""
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}


def find_go(title: str, instead: str) -> str:
    """Return the path of the Go command.

    Raises:
        ToolchainError: there is none; it says what to do `instead` of building.
    """
    go = shutil.which("go")
    if not go:
        raise ToolchainError(
            f"{title} has to be built here, and that needs Go: install Go 1.26 or newer (https://go.dev/dl/),"
            f" or {instead}"
        )
    return go


def build(go: str, program: GoProgram, executable: Path) -> None:
    """Build a program. What an interrupted build has compiled stays in Go's own cache: the next one goes on from there.

    Raises:
        ToolchainError: the build fails.
    """
    command = [
        go,
        "build",
        "-v",
        "-trimpath",
        "-buildvcs=false",
        *(f"-gcflags={flags}" for flags in (*COMPILER_FLAGS, *(f"{pattern}=" for pattern in program.inlined))),
        f"-ldflags={' '.join(['-s -w', *(f'-X {name}={value}' for name, value in program.variables)])}",
        *_tags(program.tags),
        *([f"-pgo={program.profile}"] if program.profile else []),
        f"-o={executable}",
        program.package,
    ]
    counts = {"modules": 0, "packages": 0}

    def follow(line: str) -> str:
        counts["modules" if line.startswith("go: downloading") else "packages"] += 1
        return f"{counts['modules']} modules downloaded, {counts['packages']} packages compiled"

    with long_step(f"Building {program.title} from its Go module", program.usually) as step:
        run(command, step, cwd=program.module, env=go_environment(), follow=follow)


def _tags(tags: Sequence[str]) -> list[str]:
    return [f"-tags={','.join(tags)}"] if tags else []
