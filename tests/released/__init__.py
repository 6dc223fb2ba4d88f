"""States of the stacks as they were last released, and what may be replaced on purpose.

`python -m tests.released` (or `make record-release`) records the states anew, as a part of a release.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.workspace import Sandbox

DIRECTORY = Path(__file__).parent
STACKS = ("dev", "prod")

PASSPHRASE = "the recorded states and nothing else"
"""Opens the secrets of the recorded states, each of which was generated for the recording alone."""


def state_file(stack: str) -> Path:
    """Return the file that holds a stack's recorded state, as `pulumi stack export` writes it."""
    return DIRECTORY / f"{stack}.json"


def recording_sandbox(directory: Path) -> Sandbox:
    """Return a sandbox in an empty directory that can write and read the recorded states' secrets.

    The cluster of a recorded state is not there to be asked, which the official Kubernetes provider insists on.
    """
    (directory / "passphrase").write_text(PASSPHRASE)
    return Sandbox(directory, kubernetes="thin")
