"""Record the state of every cloud stack as today's code makes it, in a sandbox of its own."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.released import STACKS, recording_sandbox, state_file

ABOUT_THE_RECORDING = ("created", "modified", "sourcePosition", "stackTrace")
"""What the engine notes of when, and from which line of which checkout, a resource was registered."""


def main() -> None:
    """Bring each stack up and write its state down."""
    for stack in STACKS:
        with tempfile.TemporaryDirectory() as directory, recording_sandbox(Path(directory)) as sandbox:
            sandbox.stack(stack).up()
            state = json.loads(sandbox.answer(stack, "stack", "export").replace(directory, "/sandbox"))
            for resource in state["deployment"]["resources"]:
                for key in ABOUT_THE_RECORDING:
                    resource.pop(key, None)
            state_file(stack).write_text(json.dumps(state, indent=1) + "\n")


main()
