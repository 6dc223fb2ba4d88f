"""What is left of a state whose writer was killed in the middle of the file."""

from __future__ import annotations

from pathlib import Path

from sandbox.recovery import recover
from sandbox.workspace import Sandbox
from tests.sandbox import lifecycle


def test_a_state_that_was_torn_in_writing_is_recovered(tmp_path: Path) -> None:
    # Its engine writes the state down at each step, as everybody's does: what it wrote before is what is left.
    with Sandbox(tmp_path / "sandbox") as sandbox:
        stack = sandbox.stack("dev")
        lifecycle.without_cluster(stack)
        lifecycle.up(stack)
        [file] = (sandbox.home / "backend" / ".pulumi" / "stacks").glob("*/dev.json")
        file.write_text("")
        recovery = recover(sandbox, "dev")
        assert dict(recovery.adopted) == {}
        assert lifecycle.up(stack).operations == {}
