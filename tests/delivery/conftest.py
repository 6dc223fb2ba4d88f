"""Stacks that lived on the real engine."""

from tests.sandbox.conftest import module_sandbox

__all__ = ["module_sandbox"]
