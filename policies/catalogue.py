"""All rules of the pack, by area."""

from __future__ import annotations

from types import ModuleType

from policies import backups, gcp
from policies.aws import caches, compute, databases, edge, identity, network, storage, stores, tags
from policies.kubernetes import access, bounds, pods, service
from policies.rules import Rule

AREAS: dict[str, tuple[ModuleType, ...]] = {
    "AWS network": (network,),
    "AWS data stores": (databases, stores, caches),
    "AWS buckets": (storage,),
    "AWS identity and keys": (identity,),
    "AWS containers, logs and messages": (compute,),
    "AWS load balancers": (edge,),
    "AWS tags": (tags,),
    "Kubernetes pods": (pods,),
    "Kubernetes namespaces and access": (access, bounds),
    "Kubernetes services": (service,),
    "Google Cloud": (gcp,),
    "Backups": (backups,),
}
"""The modules of each area; every rule that stands in one of them is part of the pack."""


def rules_of(area: str) -> tuple[Rule, ...]:
    """List the rules of an area in the order in which they are written."""
    return tuple(rule for module in AREAS[area] for rule in vars(module).values() if isinstance(rule, Rule))


RULES: tuple[Rule, ...] = tuple(rule for area in AREAS for rule in rules_of(area))
"""All rules."""
