"""restic, which keeps the backups: the one on PATH, else built from its Go module."""

from pathlib import Path

from sandbox.toolchain.go_build import GoProgram, required_version
from sandbox.toolchain.go_programs import ensure_program

MODULE = Path(__file__).parent / "backup-binaries" / "restic"
"""Go module that requires the program; its go.mod is the one place that names the version."""

OFFICIAL = "install the official program on PATH (https://github.com/restic/restic/releases)"


def restic_version() -> str:
    """Return the release of restic that is used, such as ``0.18.1``."""
    return required_version(MODULE, "github.com/restic/restic")


def ensure_restic(cache_directory: Path) -> Path:
    """Return restic; if PATH has not the right release, it is built below the cache.

    Raises:
        ToolchainError: it can be neither found nor built.
    """
    version = restic_version()
    package = "github.com/restic/restic/cmd/restic"
    program = GoProgram("restic", f"restic {version}", MODULE, package, "2 minutes on 2 cores")
    return ensure_program(program, cache_directory, OFFICIAL)
