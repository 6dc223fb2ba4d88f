"""What checks Kong's declarative files: decK's own rules, as a small program around its Go module."""

from pathlib import Path

from sandbox.toolchain.go_build import GoProgram, required_version
from sandbox.toolchain.go_programs import ensure_program

MODULE = Path(__file__).parent / "checkers" / "kongfile"
"""Go module of the program; its go.mod is the one place that names decK's rules' version."""

RULES = "github.com/kong/go-database-reconciler"


def ensure_kong_file(cache_directory: Path) -> Path:
    """Return the program, built below the cache where it is not there: ``kongfile FILE`` ends with 0 for a good file.

    Raises:
        ToolchainError: it cannot be built.
    """
    version = required_version(MODULE, RULES)
    program = GoProgram("kongfile", f"decK's rules {version}", MODULE, ".", "half a minute")
    return ensure_program(program, cache_directory, "leave tests/real/test_gateway.py out")
