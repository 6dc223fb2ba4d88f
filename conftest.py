"""In which order test files are run."""

from __future__ import annotations

from pathlib import Path

import pytest

SLOWEST_FIRST = (
    "tests/sandbox/test_stack_life.py",
    "tests/kubernetes/test_local_stack.py",
    "tests/real/test_backup_faults.py",
    "tests/kubernetes/test_eks.py",
    "tests/toolchain/test_command_line.py",
    "tests/kubernetes/test_running_stack.py",
    "tests/delivery/test_delivery.py",
    "tests/real/test_watching.py",
)
"""Begun last, one of these would keep the other workers waiting. Who needs a stack that another makes comes later."""

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the slowest files to the front; each file stays on one worker."""
    slowest = {str(HERE / name): place for place, name in enumerate(SLOWEST_FIRST)}
    items.sort(key=lambda item: slowest.get(str(item.path), len(slowest)))
