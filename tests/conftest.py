"""How tests are spread over the processors: by module, so that what a module sets up is set up once."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a module's tests in one process, and each life of a stack in one."""
    for item in items:
        life = getattr(item, "callspec", None) and item.callspec.params.get("life")  # type: ignore[attr-defined]
        module = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(f"{module} {life}" if life else module))
