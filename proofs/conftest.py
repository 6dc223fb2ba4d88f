"""What every proof compares with."""

from __future__ import annotations

from collections import Counter

import pytest

from proofs.stacks import inventory, sandbox_in, up
from tests.sandbox.conftest import module_sandbox

__all__ = ["module_sandbox", "whole"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Counter[tuple[str, str]]:
    """What an undisturbed deployment makes."""
    with sandbox_in(tmp_path_factory.mktemp("whole")) as sandbox:
        code, output = up(sandbox)
        assert code == 0, output
        return inventory(sandbox)
