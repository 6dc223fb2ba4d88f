"""An `up` of production that is killed anywhere: what the cloud made is adopted, and the next `up` converges."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from proofs.stacks import behave, inventory, sandbox_in, start, up, wait_until_made
from sandbox.recovery import recover

POINTS = 40
"""How many places of the deployment are killed, spread evenly over what it creates."""

SLOW = {"*": {"create": 0.05}}
"""Seconds by which creations are slowed, so that several are under way at any moment."""


@pytest.mark.parametrize("point", range(1, POINTS + 1))
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT], ids=lambda kill: kill.name)
def test_a_killed_deployment_is_recovered_and_completed_without_orphan_or_double(
    kill: signal.Signals, point: int, whole: Counter[tuple[str, str]], tmp_path: Path
) -> None:
    if kill is signal.SIGINT and point % 4:
        pytest.skip("an interrupt lets the engine finish what is under way: ten points are enough")
    with sandbox_in(tmp_path / "sandbox") as sandbox:
        behave(sandbox, latencies=SLOW)
        process = start(sandbox, "up", "--yes", "--skip-preview")
        # The last places stay clear of the end, where there may be nothing left to kill.
        wait_until_made(sandbox, point * 95 * whole.total() // (POINTS * 100), process)
        os.killpg(process.pid, kill) if kill is signal.SIGKILL else process.send_signal(kill)
        process.communicate(timeout=120)
        if kill is signal.SIGKILL:
            assert process.returncode == -signal.SIGKILL, "the deployment ended before it could be killed"
        behave(sandbox)
        recover(sandbox, "prod")
        code, output = up(sandbox)
        assert code == 0, output
        assert inventory(sandbox) == whole
        code, output = up(sandbox, "--expect-no-changes")
        assert code == 0, output
