"""A drawing as SVG: boxes that do not overlap, arrows that go to the right, the same text for the same state."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from operations.__main__ import app
from operations.diagram import draw
from operations.layout import arrange
from operations.svg import svg

RELEASED = Path(__file__).parents[1] / "released" / "prod.json"
SVG = "{http://www.w3.org/2000/svg}"

BOXES = st.sampled_from("abcdefghij")
ARROWS = st.sets(st.tuples(BOXES, BOXES).filter(lambda pair: pair[0] != pair[1]), max_size=30)


def texts(document: str) -> list[str]:
    return [str(each.text) for each in ElementTree.fromstring(document).iter(f"{SVG}text")]  # noqa: S314


def test_what_needs_stands_left_of_what_it_needs() -> None:
    layout = arrange("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    assert {box: column for box, (column, _) in layout.places.items()} == {"a": 0, "b": 1, "c": 2}
    assert len(layout.bends["a", "c"]) == 1
    assert layout.bends["a", "b"] == []


def test_an_arrow_that_passes_a_column_passes_beside_its_boxes() -> None:
    layout = arrange("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    assert abs(layout.bends["a", "c"][0] - layout.places["b"][1]) >= 0.5


def test_arrows_that_need_not_cross_do_not() -> None:
    places = arrange("abwxyz", [("a", "w"), ("b", "x"), ("a", "y"), ("b", "z")]).places
    upper, lower = sorted("ab", key=lambda box: places[box][1])
    targets = {"a": "wy", "b": "xz"}
    assert max(places[box][1] for box in targets[upper]) < min(places[box][1] for box in targets[lower])


@given(ARROWS)
def test_boxes_of_a_column_never_overlap_and_none_lies_above_the_edge(arrows: set[tuple[str, str]]) -> None:
    layout = arrange("abcdefghij", arrows)
    assert set(layout.places) == set("abcdefghij")
    for column in range(layout.columns):
        heights = sorted(height for where, height in layout.places.values() if where == column)
        assert all(lower - upper >= 1 - 1e-9 for upper, lower in pairwise(heights))
    assert min(height for _, height in layout.places.values()) >= 0


@given(ARROWS)
def test_arrows_go_to_the_right_but_for_those_that_close_a_circle(arrows: set[tuple[str, str]]) -> None:
    layout = arrange("abcdefghij", arrows)
    for one, other in layout.bends:
        assert layout.places[one][0] < layout.places[other][0]
    backwards = arrows - set(layout.bends)
    assert bool(backwards) == any(_reaches(other, one, arrows) for one, other in arrows)


def _reaches(one: str, other: str, arrows: set[tuple[str, str]]) -> bool:
    seen, todo = set(), [one]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo += [target for source, target in arrows if source == here]
    return other in seen


@given(st.permutations("abcdef"), st.permutations([("a", "b"), ("b", "c"), ("a", "d"), ("d", "e"), ("f", "e")]))
def test_a_layout_does_not_depend_on_the_order_of_what_is_given(
    boxes: list[str], arrows: list[tuple[str, str]]
) -> None:
    assert arrange(boxes, arrows) == arrange("abcdef", sorted(arrows))


def test_nothing_is_drawn_as_an_empty_sheet() -> None:
    assert texts(svg({}, [], (), "Nothing")) == []


def test_what_most_need_is_said_below_the_drawing() -> None:
    drawn = svg({"a": ["App"], "b": ["Foundation"]}, [], ["Foundation"], "Two")
    assert texts(drawn)[-1] == "needed by most, and drawn without arrows: Foundation"
    assert drawn.count('class="ground"') == 1


def test_text_is_no_markup() -> None:
    assert texts(svg({"a": ["<b>&", 'x"']}, [], (), "<")) == ["<b>&", 'x"']


def test_a_box_is_as_wide_as_its_longest_line() -> None:
    narrow, wide = (
        float(ElementTree.fromstring(svg({"a": ["App", name]}, [], (), "One")).get("width", "0"))  # noqa: S314
        for name in ("a", "a-very-long-name-of-a-component")
    )
    assert wide > narrow + 100


def test_a_released_state_of_production_is_drawn_as_svg_by_the_command() -> None:
    answer = CliRunner().invoke(app, ["diagram", str(RELEASED), "--svg"])
    drawn = draw(json.loads(RELEASED.read_text()))
    assert answer.exit_code == 0
    assert answer.stdout == drawn.svg()
    assert {"RdsPostgres", "Edge", "Vpc"} <= set(texts(answer.stdout))
    assert answer.stdout.count('class="arrow"') == len(drawn.needs)


@pytest.mark.parametrize("nested", [[], ["--nested"]])
def test_both_forms_of_a_drawing_show_the_same_components(nested: list[str]) -> None:
    picture, mermaid = (
        CliRunner().invoke(app, ["diagram", str(RELEASED), *nested, *form]).stdout for form in (["--svg"], [])
    )
    assert picture.count('class="box"') + picture.count('class="ground"') == mermaid.count('["')
    assert ("in RdsPostgres" in picture) == bool(nested)
