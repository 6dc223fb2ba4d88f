"""actionlint, which knows GitHub's workflows: the one on PATH, else built from its Go module."""

from pathlib import Path

from sandbox.toolchain.go_build import GoProgram, required_version
from sandbox.toolchain.go_programs import ensure_program

MODULE = Path(__file__).parent / "checkers" / "actionlint"
"""Go module that requires the program; its go.mod is the one place that names the version."""


def ensure_action_lint(cache_directory: Path) -> Path:
    """Return the program.

    Raises:
        ToolchainError: it can be neither found nor built.
    """
    version = required_version(MODULE, "github.com/rhysd/actionlint")
    package = "github.com/rhysd/actionlint/cmd/actionlint"
    program = GoProgram("actionlint", f"actionlint {version}", MODULE, package, "half a minute")
    return ensure_program(program, cache_directory, "install it on PATH (https://github.com/rhysd/actionlint/releases)")
