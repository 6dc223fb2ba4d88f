"""What everything that belongs to a stack is called."""

from __future__ import annotations

import pulumi

from settings import PROJECT


def stack_prefix() -> str:
    """Return the prefix of every name of the stack."""
    return f"{PROJECT}-{pulumi.get_stack()}"
