"""What is left of a state whose writer was killed in the middle of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.recovery import recover
from tests.sandbox import lifecycle


@pytest.mark.parametrize("torn", ["dev.json", "dev.json.attrs"])
def test_a_file_of_the_backend_that_was_torn_in_writing_is_recovered(torn: str, tmp_path: Path) -> None:
    with lifecycle.sandbox_below(tmp_path / "sandbox") as sandbox:
        stack = sandbox.stack("dev")
        lifecycle.without_cluster(stack)
        lifecycle.up(stack)
        [file] = (sandbox.home / "backend" / ".pulumi" / "stacks").glob(f"*/{torn}")
        file.write_text("")
        recovery = recover(sandbox, "dev")
        assert dict(recovery.adopted) == {}
        assert lifecycle.up(stack).operations == {}
