"""A drawing as SVG, by nothing but Python: for pages, mails and reports that show no Mermaid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from operations.layout import Arrow, arrange

LETTERS = (7.2, 6.1)
"""Width of a letter in px, on average: of a name at 13 px, and of what stands below it at 11 px. No font is asked."""

BOX, ROW, GAP, MARGIN = 34, 58, 72, 16
"""Height of a box, of a row; room between columns, and around it all; in px."""

STYLE = """
  .paper { fill: #ffffff }
  rect.box { fill: #eef2fb; stroke: #3f51b5 }
  rect.ground { fill: #f5f5f5; stroke: #757575; stroke-dasharray: 4 3 }
  text { font: 13px sans-serif; fill: #1a1a1a; text-anchor: middle }
  text.small { font-size: 11px; fill: #555555 }
  text.note { text-anchor: start }
  path.arrow { fill: none; stroke: #7986cb; marker-end: url(#head) }
  #head path { fill: #7986cb }
"""


def svg(labels: Mapping[str, Sequence[str]], arrows: Sequence[Arrow], ground: Sequence[str], title: str) -> str:
    """Draw boxes and arrows.

    Args:
        labels: box to its lines of text, one or two.
        arrows: pairs of boxes.
        ground: names of what most need, which the arrows leave out; said below the drawing.
        title: what the drawing shows, for readers who do not see it.

    Returns:
        An SVG document.
    """
    layout = arrange(labels, arrows)
    widths = [0.0] * layout.columns
    for box, (column, _) in layout.places.items():
        wide = max(letter * len(line) for letter, line in zip(LETTERS, labels[box], strict=False))
        widths[column] = max(widths[column], wide + 20)
    lefts = [MARGIN + sum(widths[:column]) + GAP * column for column in range(layout.columns)]
    width = 2 * MARGIN + sum(widths) + GAP * (layout.columns - 1)
    rows = [height for _, height in layout.places.values()] + [
        bend for bends in layout.bends.values() for bend in bends
    ]
    bottom = MARGIN + ROW * (max(rows, default=0) + 1)
    height = bottom + (2 * MARGIN if ground else 0)

    def middle(row: float) -> float:
        return MARGIN + ROW * row + BOX / 2

    root = ElementTree.Element(
        "svg",
        {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width:.0f} {height:.0f}", "role": "img"},
        width=f"{width:.0f}",
        height=f"{height:.0f}",
    )
    ElementTree.SubElement(root, "title").text = title
    ElementTree.SubElement(root, "style").text = STYLE
    head = {"id": "head", "viewBox": "0 0 8 8", "refX": "8", "refY": "4", "markerWidth": "8", "orient": "auto"}
    ElementTree.SubElement(ElementTree.SubElement(root, "marker", head), "path", d="M0 0 L8 4 L0 8 z")
    ElementTree.SubElement(root, "rect", {"class": "paper"}, width="100%", height="100%")
    for one, other in sorted(arrows):
        (start, row), (end, last) = layout.places[one], layout.places[other]
        points = [(lefts[start] + widths[start], middle(row))]
        for column, bend in enumerate(layout.bends.get((one, other), ()), start + 1):
            points += [(lefts[column], middle(bend)), (lefts[column] + widths[column], middle(bend))]
        points.append((lefts[end], middle(last)))
        ElementTree.SubElement(root, "path", {"class": "arrow"}, d=_curve(points))
    for box, (column, row) in sorted(layout.places.items()):
        left, top, lines = lefts[column], middle(row) - BOX / 2, labels[box]
        kind = "ground" if lines[0] in ground else "box"
        size = {"x": f"{left:.1f}", "y": f"{top:.1f}", "width": f"{widths[column]:.1f}", "height": str(BOX), "rx": "5"}
        ElementTree.SubElement(root, "rect", {"class": kind, **size})
        for place, line in enumerate(lines):
            x, y = left + widths[column] / 2, middle(row) + (4.5 if len(lines) == 1 else 13 * place - 2)
            small = {"class": "small"} if place else {}
            ElementTree.SubElement(root, "text", small, x=f"{x:.1f}", y=f"{y:.1f}").text = line
    if ground:
        note = ElementTree.SubElement(root, "text", {"class": "small note"}, x=str(MARGIN), y=f"{bottom + MARGIN:.0f}")
        note.text = f"needed by most, and drawn without arrows: {', '.join(ground)}"
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Join points by curves that leave and arrive level."""
    (x, y), *others = points
    words = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in others:
        half = (x + to_x) / 2
        words.append(f"C{half:.1f} {y:.1f} {half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return " ".join(words)
