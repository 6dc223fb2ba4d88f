"""What a stack costs in a month, by component."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from operations import components
from operations.cost.prices import CostError, Table, Usage
from operations.cost.resources import CHARGED, Around, Resource, number

NONE = "(no component)"


@dataclass(frozen=True)
class Line:
    """What some resources of a component cost together.

    Attributes:
        component: kind of the outermost component around them, such as ``RdsPostgres``.
        price: name of the price.
        quantity: units, at all times or in a month.
        monthly: what they cost in a month; None if the table has no such price.
    """

    component: str
    price: str
    quantity: float
    monthly: float | None


@dataclass(frozen=True)
class Estimate:
    """What a stack costs.

    Attributes:
        lines: by component and price.
        unknown: types that are neither charged for nor known to be free, and prices that the table lacks.
    """

    lines: tuple[Line, ...]
    unknown: tuple[str, ...]

    @property
    def total(self) -> float:
        """Sum for a month."""
        return sum(line.monthly or 0 for line in self.lines)

    @property
    def components(self) -> dict[str, float]:
        """Component to its sum, the dearest first."""
        sums: dict[str, float] = defaultdict(float)
        for line in self.lines:
            sums[line.component] += line.monthly or 0
        return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def estimate(resources: Iterable[Resource], table: Table, usage: Usage | None = None) -> Estimate:
    """Say what some resources cost.

    Args:
        resources: all of a stack, components included.
        table: the prices.
        usage: how much is used; as the table assumes unless said.
    """
    known = {each.urn: each for each in resources}
    nodes = any(each.type == "aws:eks/cluster:Cluster" for each in known.values())
    places = {each.urn: {"type": each.type, "parent": each.parent} for each in known.values()}
    around = Around(usage or table.usage, _tasks(known), nodes)
    sums: dict[tuple[str, str], float] = defaultdict(float)
    unknown: set[str] = set()
    for each in known.values():
        charging = CHARGED.get(each.type)
        if charging is None:
            if not each.type.startswith(components.PREFIX) and not table.is_free(each.type):
                unknown.add(each.type)
            continue
        for charge in charging(each, around):
            sums[_component(places, each.urn), charge.price] += charge.quantity
    lines = []
    for (component, price), quantity in sorted(sums.items()):
        if not quantity:
            continue
        found = table.prices.get(price)
        if found is None:
            unknown.add(price)
        lines.append(Line(component, price, quantity, found.monthly * quantity if found else None))
    return Estimate(tuple(lines), tuple(sorted(unknown)))


def of_state(text: str) -> list[Resource]:
    """Read what ``pulumi stack export`` writes.

    Raises:
        CostError: it is something else.
    """
    try:
        listed = json.loads(text)["deployment"].get("resources") or []
        return [_resource(each) for each in listed if not each.get("delete")]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CostError("no state of a stack; allowed: what `pulumi stack export` writes") from error


def of_preview(text: str) -> tuple[list[Resource], list[Resource]]:
    """Read what ``pulumi preview --json`` writes: the resources before, and those after.

    Raises:
        CostError: it is something else.
    """
    try:
        before, after = {}, {}
        for step in json.loads(text)["steps"]:
            if old := step.get("oldState"):
                before[step["urn"]] = _resource(old)
            if (new := step.get("newState")) and not step["op"].startswith("delete"):
                after[step["urn"]] = _resource(new)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CostError("no preview; allowed: what `pulumi preview --json` writes") from error
    return list(before.values()), list(after.values())


def _resource(state: Mapping[str, Any]) -> Resource:
    return Resource(state["urn"], state["type"], state.get("parent") or "", state.get("inputs") or {})


def _component(places: Mapping[str, Mapping[str, str]], urn: str) -> str:
    """Name the outermost component around a resource."""
    around = components.owners(places, urn)
    return components.kind(places[around[-1]]["type"]) if around else NONE


def _tasks(known: Mapping[str, Resource]) -> dict[str, float]:
    """Count the tasks of each definition: those that the service of the same component wants."""
    services = {each.parent: each for each in known.values() if each.type == "aws:ecs/service:Service"}
    return {
        each.urn: number(services[each.parent].inputs.get("desiredCount"), 1)
        for each in known.values()
        if each.type == "aws:ecs/taskDefinition:TaskDefinition" and each.parent in services
    }
