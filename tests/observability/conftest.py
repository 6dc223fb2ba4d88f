"""The real checkers and servers."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.toolchain.cache import cache_directory
from sandbox.toolchain.monitoring_binaries import ensure_monitoring


@pytest.fixture(scope="session")
def program() -> Callable[[str], Path]:
    """Find one of the programs, or build it."""
    return lambda name: ensure_monitoring(name, cache_directory())


@pytest.fixture(scope="session")
def promtool(program: Callable[[str], Path]) -> Path:
    """Prometheus' checker."""
    return program("promtool")
