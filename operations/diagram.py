"""A stack's architecture, drawn from its state: which component needs which."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from operations import components
from operations.svg import svg


class StateError(ValueError):
    """What was given is not the state of a stack."""


@dataclass(frozen=True)
class Part:
    """A component with resources of its own.

    Attributes:
        urn: the component's.
        name: its logical name.
        kind: last part of its type, such as ``RdsPostgres``.
        inside: kind of the outermost component that it is part of; empty if it is one itself, or stands for its parts.
    """

    urn: str
    name: str
    kind: str
    inside: str


@dataclass(frozen=True)
class Drawing:
    """What is drawn.

    Attributes:
        parts: components, by their URN.
        needs: pairs of URNs: the first could not be made without the second.
        ground: kinds of what more than half of all others need, which is drawn without arrows.
    """

    parts: Mapping[str, Part]
    needs: frozenset[tuple[str, str]]
    ground: tuple[str, ...]

    def brief(self) -> Drawing:
        """Draw one part for all of a kind, and no arrow where others lead to the same part already."""
        first = {(part.inside, part.kind): urn for urn, part in sorted(self.parts.items(), reverse=True)}
        one_of = {urn: first[part.inside, part.kind] for urn, part in self.parts.items()}
        needs = {(one_of[one], one_of[other]) for one, other in self.needs if one_of[one] != one_of[other]}
        for need in sorted(needs):
            if _leads(*need, needs - {need}):
                needs.remove(need)
        parts = {urn: part for urn, part in self.parts.items() if one_of[urn] == urn}
        return Drawing(parts, frozenset(needs), tuple(dict.fromkeys(self.ground)))

    def mermaid(self) -> str:
        """Write it for Mermaid (https://mermaid.js.org/syntax/flowchart.html)."""
        ordered = sorted(self.parts.values(), key=lambda part: (part.inside, part.kind, part.name))
        named = {part.urn: f"n{number}" for number, part in enumerate(ordered)}
        kinds = Counter((part.inside, part.kind) for part in ordered)
        lines = ["flowchart LR"]
        for inside in sorted({part.inside for part in ordered}):
            members = [part for part in ordered if part.inside == inside]
            shown = [f"{named[part.urn]}[{self._label(part, kinds)}]" for part in members]
            if inside:
                lines += [f"  subgraph {inside}", *(f"    {each}" for each in shown), "  end"]
            else:
                lines += [f"  {each}" for each in shown]
        lines += sorted(f"  {named[one]} --> {named[other]}" for one, other in self.needs)
        if self.ground:
            lines.append(f"  %% needed by most, and drawn without arrows: {', '.join(self.ground)}")
        return "\n".join(lines) + "\n"

    def svg(self) -> str:
        """Draw it as SVG; what a part is inside of stands below its name."""
        kinds = Counter((part.inside, part.kind) for part in self.parts.values())
        labels = {}
        for urn, part in self.parts.items():
            about = [part.name] if kinds[part.inside, part.kind] > 1 else []
            about += [f"in {part.inside}"] if part.inside else []
            labels[urn] = [part.kind, *([", ".join(about)] if about else [])]
        return svg(labels, sorted(self.needs), self.ground, "Components of the stack, and which needs which")

    def _label(self, part: Part, kinds: Mapping[tuple[str, str], int]) -> str:
        return f'"{part.kind}<br/>{part.name}"' if kinds[part.inside, part.kind] > 1 else f'"{part.kind}"'


def draw(deployment: Mapping[str, Any], *, nested: bool = False) -> Drawing:
    """Find components and what they need in a deployment, as ``pulumi stack export`` writes it.

    Args:
        deployment: the deployment.
        nested: draw components inside of components, too; else the outermost stands for all of its parts.

    Raises:
        StateError: it is no deployment.
    """
    try:
        resources: Sequence[Mapping[str, Any]] = deployment["deployment"].get("resources") or []
        known = {each["urn"]: each for each in resources}
        owners = {urn: components.owners(known, urn) if nested else components.owners(known, urn)[-1:] for urn in known}
    except (KeyError, TypeError, AttributeError) as error:
        raise StateError("no state of a stack; allowed: what `pulumi stack export` writes") from error
    parts = {
        owner[0]: Part(
            owner[0],
            known[owner[0]]["urn"].rpartition("::")[2],
            components.kind(known[owner[0]]["type"]),
            inside=components.kind(known[owner[-1]]["type"]) if len(owner) > 1 else "",
        )
        for urn, owner in owners.items()
        if owner and known[urn].get("custom")
    }
    needs = {
        (owners[each["urn"]][0], owners[other][0])
        for each in resources
        for other in _needed(each)
        if owners[each["urn"]] and owners.get(other)
    }
    needs = {(one, other) for one, other in needs if one != other and one in parts and other in parts}
    users = Counter(other for _, other in needs)
    ground = {urn for urn, count in users.items() if count > len(parts) / 2}
    arrows = frozenset((one, other) for one, other in needs if other not in ground)
    return Drawing(parts, arrows, tuple(sorted(parts[urn].kind for urn in ground)))


def _leads(one: str, other: str, needs: Set[tuple[str, str]]) -> bool:
    """Tell whether arrows lead from one part to another."""
    seen, ahead = set(), [one]
    while ahead:
        here = ahead.pop()
        if here not in seen:
            seen.add(here)
            ahead += [target for source, target in needs if source == here]
    return other in seen


def _needed(resource: Mapping[str, Any]) -> set[str]:
    by_property = (resource.get("propertyDependencies") or {}).values()
    return {*(resource.get("dependencies") or ()), *(urn for urns in by_property for urn in urns or ())}


def diagram(
    state: Annotated[
        Path | None, typer.Argument(help="What `pulumi stack export` wrote; standard input without it.", exists=True)
    ] = None,
    nested: Annotated[bool, typer.Option("--nested", help="Draw components inside of components, too.")] = False,
    brief: Annotated[
        bool, typer.Option("--brief", help="One box for each kind, and no arrow that others make superfluous.")
    ] = False,
    as_svg: Annotated[bool, typer.Option("--svg", help="Write SVG instead of Mermaid's language.")] = False,
) -> None:
    """Draw a stack's architecture from its state: an arrow says what needs what."""
    try:
        drawn = draw(json.loads(state.read_text(encoding="utf-8") if state else sys.stdin.read()), nested=nested)
    except (StateError, json.JSONDecodeError) as error:
        typer.echo(f"error: {state or 'standard input'}: {error}", err=True)
        raise typer.Exit(2) from error
    drawn = drawn.brief() if brief else drawn
    typer.echo(drawn.svg() if as_svg else drawn.mermaid(), nl=False)
