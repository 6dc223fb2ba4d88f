"""Programs that are taken from PATH, else built from their Go modules."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from sandbox.toolchain.cache import exclusive, staged
from sandbox.toolchain.go_build import GoProgram, build, find_go
from sandbox.toolchain.progress import say


def ensure_program(program: GoProgram, cache_directory: Path, instead: str) -> Path:
    """Return a program, in the right minor release: from PATH, else built below the cache.

    Raises:
        ToolchainError: it cannot be built; it says what to do `instead`.
    """
    found = shutil.which(program.name, path=os.environ.get("PATH", os.defpath))
    wanted = program.title.rpartition(" ")[2]
    if found and _minor(version_of(Path(found))) == _minor(wanted):
        return Path(found)
    # A build with other tags is another program.
    home = cache_directory / program.name / "+".join([wanted, *program.tags])
    if not home.exists():
        with exclusive(home.with_name(f"{home.name}.lock")):
            if not home.exists():
                if found:
                    say(f"Not using {found}: another release than {wanted}")
                go = find_go(program.title, instead)
                with staged(home) as part:
                    build(go, program, part / program.name)
    return home / program.name


def version_of(executable: Path) -> str | None:
    """Ask a program for its release; None if it does not answer with one."""
    for question in (["--version"], ["version", "--client"], ["version"]):
        try:
            answer = subprocess.run([executable, *question], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return None
        found = re.search(r"v?(\d+\.\d+\.\d+)", answer.stdout)
        if answer.returncode == 0 and found:
            return found.group(1)
    return None


def _minor(version: str | None) -> str | None:
    """Return what must be the same: patches within a minor release are alike."""
    return version.rpartition(".")[0] if version else None
