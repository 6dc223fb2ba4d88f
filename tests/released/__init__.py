"""States of the stacks as they were last released, and what may be replaced on purpose.

`python -m tests.released` (or `make record-release`) records the states anew, as a part of a release.
"""

from __future__ import annotations

from pathlib import Path

DIRECTORY = Path(__file__).parent
STACKS = ("dev", "prod")


def state_file(stack: str) -> Path:
    """Return the file that holds a stack's recorded state, as `pulumi stack export` writes it."""
    return DIRECTORY / f"{stack}.json"
