"""A simulated cloud of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cloud.server import Cloud
from tests.cloud.hands import Hands


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """An empty cloud."""
    with Cloud(tmp_path / "cloud") as running:
        yield running


@pytest.fixture
def aws(cloud: Cloud) -> Hands:
    """AWS in us-east-1."""
    return Hands(cloud)
