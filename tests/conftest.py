"""How many examples generated tests look at, and the stacks that are up already."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.stacks import Stacks

settings.register_profile("default", max_examples=200, deadline=None)
settings.register_profile("proof", max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("default")


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Stacks:
    """The shipped stacks, brought up once in a run: tests/stacks.py says how to look and how to change."""
    base = tmp_path_factory.getbasetemp()
    # Each worker of a run has its own directory below the run's.
    directory = (base.parent if hasattr(request.config, "workerinput") else base) / "stacks"
    directory.mkdir(exist_ok=True)
    return Stacks(directory)
