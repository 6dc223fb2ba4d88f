"""Whether a store runs in the cluster."""

from __future__ import annotations

from typing import Protocol, TypeVar


class Store(Protocol):
    """A section of a store that AWS or the cluster can run."""

    @property
    def managed(self) -> bool: ...


AnyStore = TypeVar("AnyStore", bound=Store)


def inside(section: AnyStore | None) -> AnyStore | None:
    """Return a store's section where the store runs in the cluster."""
    return section if section and not section.managed else None
