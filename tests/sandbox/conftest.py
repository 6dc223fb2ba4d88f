"""Stacks that lived on the real engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.workspace import Sandbox
from tests.sandbox import lifecycle


@pytest.fixture(scope="module")
def module_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that the tests of one module share."""
    with lifecycle.sandbox_below(tmp_path_factory.mktemp("sandbox")) as running:
        yield running
