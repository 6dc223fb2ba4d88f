"""Record the state of every cloud stack as today's code makes it, in a sandbox of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.released import STACKS, recording_sandbox, state_file


def main() -> None:
    """Bring each stack up and write its state down."""
    for stack in STACKS:
        with tempfile.TemporaryDirectory() as directory, recording_sandbox(Path(directory)) as sandbox:
            sandbox.stack(stack).up()
            state = sandbox.answer(stack, "stack", "export")
            state_file(stack).write_text(state.replace(directory, "/sandbox"))


main()
