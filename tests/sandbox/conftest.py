"""Stacks that lived on the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.workspace import Sandbox
from tests.sandbox import lifecycle


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """An empty sandbox of the test's own."""
    with lifecycle.sandbox_below(tmp_path / "sandbox") as running:
        yield running


@pytest.fixture(scope="module")
def module_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that the tests of one module share."""
    with lifecycle.sandbox_below(tmp_path_factory.mktemp("sandbox")) as running:
        yield running
