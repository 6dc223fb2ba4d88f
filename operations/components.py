"""The platform's components in the state of a stack: which of them are around a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PREFIX = "auterity:"
"""What the types of the platform's components begin with."""


def kind(type: str) -> str:
    """Return the last part of a type token."""
    return type.rpartition(":")[2]


def owners(known: Mapping[str, Mapping[str, Any]], urn: str) -> list[str]:
    """List the components around a resource, itself included, from the innermost.

    Args:
        known: URN to what the state says of it: its ``type`` and its ``parent``, if it has one.
        urn: the resource.
    """
    found = []
    here = urn
    while here in known:
        if known[here]["type"].startswith(PREFIX):
            found.append(here)
        here = known[here].get("parent") or ""
    return found
