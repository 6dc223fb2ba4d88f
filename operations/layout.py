"""Where boxes and arrows of a drawing go: columns from what needs to what is needed, with few crossings.

The layered method of Sugiyama, Tagawa and Toda (1981), small: the libraries of it in pure Python are no longer kept, or
their licence does not fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

SWEEPS = 12
"""Rounds of ordering and of straightening; drawings of the shipped stacks change no more after six."""

PASSING = 0.3
"""Height of an arrow that passes a column, in boxes."""

Arrow = tuple[str, str]


@dataclass(frozen=True)
class Layout:
    """Where everything is.

    Attributes:
        places: box to its column, from the left, and its height, in boxes from the top.
        bends: arrow to its heights in the columns between its ends, from the left.
        columns: how many columns there are.
    """

    places: Mapping[str, tuple[int, float]]
    bends: Mapping[Arrow, Sequence[float]]
    columns: int


def arrange(boxes: Iterable[str], arrows: Iterable[Arrow]) -> Layout:
    """Lay out boxes and arrows; the same ones, in whatever order, always alike.

    Args:
        boxes: what there is.
        arrows: pairs of boxes, each from one to another. Of a circle, one arrow goes backwards, and has no bends.
    """
    forward = _without_circles(sorted(boxes), sorted(arrows))
    ranks = _ranks(sorted(boxes), forward)
    last = max(ranks.values(), default=0)
    column = {box: last - rank for box, rank in ranks.items()}
    chains = {arrow: _chain(arrow, column) for arrow in forward}
    layers: list[list[str]] = [[] for _ in range(last + 1)]
    for box in sorted(column):
        layers[column[box]].append(box)
    for arrow, chain in sorted(chains.items()):
        for step, name in enumerate(chain[1:-1], column[arrow[0]] + 1):
            layers[step].append(name)
    beside: dict[str, tuple[list[str], list[str]]] = {name: ([], []) for layer in layers for name in layer}
    for chain in chains.values():
        for one, other in pairwise(chain):
            beside[one][1].append(other)
            beside[other][0].append(one)
    heights = _heights(layers, beside, {name: 1.0 if name in column else PASSING for name in beside})
    lowest = min(heights.values(), default=0.0)
    return Layout(
        {box: (column[box], heights[box] - lowest) for box in column},
        {arrow: [heights[name] - lowest for name in chain[1:-1]] for arrow, chain in chains.items()},
        last + 1,
    )


def _without_circles(boxes: Sequence[str], arrows: Sequence[Arrow]) -> list[Arrow]:
    """Leave out the arrows that close a circle, as a walk from the first box on meets them."""
    onward: dict[str, list[str]] = {box: [] for box in boxes}
    for one, other in arrows:
        onward[one].append(other)
    kept: list[Arrow] = []
    done: set[str] = set()

    def walk(box: str, above: frozenset[str]) -> None:
        done.add(box)
        for other in onward[box]:
            if other not in above:
                kept.append((box, other))
                if other not in done:
                    walk(other, above | {other})

    for box in boxes:
        if box not in done:
            walk(box, frozenset({box}))
    return kept


def _ranks(boxes: Sequence[str], arrows: Sequence[Arrow]) -> dict[str, int]:
    """Count, for each box, the longest way to one that needs nothing."""
    ranks = dict.fromkeys(boxes, 0)
    for _ in boxes:
        for one, other in arrows:
            ranks[one] = max(ranks[one], ranks[other] + 1)
    return ranks


def _chain(arrow: Arrow, column: Mapping[str, int]) -> list[str]:
    one, other = arrow
    return [one, *(f"{one} {other} {step}" for step in range(column[one] + 1, column[other])), other]


def _heights(
    layers: list[list[str]], beside: Mapping[str, tuple[list[str], list[str]]], sizes: Mapping[str, float]
) -> dict[str, float]:
    """Order each column by what stands beside it, then bring each box as near to that as its neighbours let it."""
    heights = {name: float(place) for layer in layers for place, name in enumerate(layer)}
    for sweep in range(2 * SWEEPS):
        # First from the left and from the right in turn, then by both sides.
        sides = (sweep % 2,) if sweep < SWEEPS else (0, 1)
        for layer in layers[:: -1 if sweep % 2 else 1]:
            wanted = {}
            for name in layer:
                near = [heights[other] for side in sides for other in beside[name][side]]
                wanted[name] = sum(near) / len(near) if near else heights[name]
            if sweep < SWEEPS:
                layer.sort(key=lambda name: (wanted[name], name))
            placed = _apart([wanted[name] for name in layer], [sizes[name] for name in layer])
            heights |= dict(zip(layer, placed, strict=True))
    return heights


def _apart(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Find the middles nearest to those wanted, in the same order, that let nothing overlap (least squares)."""
    least = [0.0, *accumulate((one + other) / 2 for one, other in pairwise(sizes))]
    blocks: list[tuple[float, int]] = []
    for height, offset in zip(wanted, least, strict=False):
        mean, count = height - offset, 1
        while blocks and blocks[-1][0] > mean:
            above, others = blocks.pop()
            mean, count = (mean * count + above * others) / (count + others), count + others
        blocks.append((mean, count))
    shifts = [mean for mean, count in blocks for _ in range(count)]
    return [shift + offset for shift, offset in zip(shifts, least, strict=False)]
