"""Record the state of every cloud stack as today's code makes it, in a sandbox of its own."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from sandbox.workspace import Sandbox
from tests.released import STACKS, state_file


def main() -> None:
    """Bring each stack up and write its state down."""
    for stack in STACKS:
        with tempfile.TemporaryDirectory() as directory, Sandbox(Path(directory)) as sandbox:
            sandbox.stack(stack).up()
            # In plain text, because another sandbox has another key; every secret in it was generated for this run.
            exported = json.loads(sandbox.answer(stack, "stack", "export", "--show-secrets"))
            state_file(stack).write_text(json.dumps(_without_places(exported, directory), indent=1) + "\n")


def _without_places(exported: dict[str, object], directory: str) -> dict[str, object]:
    text = json.dumps(exported).replace(directory, "/sandbox")
    return dict(json.loads(text))


main()
