"""What is the same in two stacks that were made of the same settings."""

from __future__ import annotations

import re
from typing import Any

DRAWN = re.compile(
    r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----|vector\(\d{10}\)|[0-9a-f]{6,}(-[0-9a-f]{4,})*", re.DOTALL
)
"""What is drawn anew in each stack: certificates and when they end, ends of names and digests of them."""


def alike(value: Any) -> Any:
    """Make what is drawn anew the same in every text."""
    if isinstance(value, dict):
        return {alike(key): alike(item) for key, item in value.items()}
    if isinstance(value, list):
        return [alike(item) for item in value]
    return DRAWN.sub("#", value) if isinstance(value, str) else value
