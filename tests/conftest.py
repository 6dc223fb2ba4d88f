"""How tests are spread over the processors, and how many examples generated tests look at."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", max_examples=200, deadline=None)
settings.register_profile("proof", max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a module's tests in one process, and each life of a stack in one."""
    for item in items:
        life = getattr(item, "callspec", None) and item.callspec.params.get("life")  # type: ignore[attr-defined]
        module = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(f"{module} {life}" if life else module))
