"""What a deployment had to wait for: the longest chain of resources that need each other's values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_ENGINE = "pulumi:"


@dataclass(frozen=True)
class Made:
    """A resource that a cloud made.

    Attributes:
        urn: the engine's name for it.
        type: Pulumi's type token.
        needs: URNs whose values are among its inputs.
        follows: URNs that it comes after without using a value of theirs (``depends_on``).
        ended: when the engine had recorded it, in seconds since the epoch.
    """

    urn: str
    type: str
    needs: frozenset[str]
    follows: frozenset[str]
    ended: float

    @property
    def name(self) -> str:
        """Type and logical name, for people."""
        package, _, kind = self.type.split(":")
        return f"{package}:{kind} {self.urn.rsplit('::', 1)[1]}"


def made(deployment: Mapping[str, Any]) -> dict[str, Made]:
    """Take the resources that a cloud made out of a deployment, as `pulumi stack export` writes it, by URN."""
    found = {}
    for resource in deployment["resources"]:
        if not resource["custom"] or resource["type"].startswith(_ENGINE):
            continue
        needs = frozenset(urn for urns in resource.get("propertyDependencies", {}).values() for urn in urns)
        found[resource["urn"]] = Made(
            urn=resource["urn"],
            type=resource["type"],
            needs=needs,
            follows=frozenset(resource.get("dependencies", ())) - needs,
            ended=_seconds(resource["created"]),
        )
    return found


def longest_chain(
    resources: Mapping[str, Made], weight: Callable[[Made], float], *, orders: bool = False
) -> tuple[float, list[Made]]:
    """Return the weight of the heaviest chain, and the chain from its first resource to its last.

    Args:
        resources: by URN; a dependency on anything else weighs nothing.
        weight: seconds that a resource takes.
        orders: whether `depends_on` counts, too, and not the values alone.
    """
    best: dict[str, tuple[float, list[Made]]] = {}

    def chain(urn: str) -> tuple[float, list[Made]]:
        if urn not in best:
            resource = resources[urn]
            before = resource.needs | (resource.follows if orders else frozenset())
            weighed, path = _heaviest(chain(other) for other in sorted(before) if other in resources)
            best[urn] = (weighed + weight(resource), [*path, resource])
        return best[urn]

    return _heaviest(chain(urn) for urn in resources)


def _heaviest(chains: Iterable[tuple[float, list[Made]]]) -> tuple[float, list[Made]]:
    return max(chains, key=lambda chain: chain[0], default=(0.0, []))


def _seconds(timestamp: str) -> float:
    # The engine writes nanoseconds; Python reads microseconds.
    moment, _, fraction = timestamp.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{moment}+00:00").timestamp() + float(f"0.{fraction or 0}")
