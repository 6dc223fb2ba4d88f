"""Resources as nobody would write them: any value at any place, unknown ones among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from pulumi_policy import proxy

from policies.catalogue import rules_of
from tests.policies.cases import CASES
from tests.policies.cases.model import Later, Ref

SENTINELS = [getattr(proxy, name) for name in dir(proxy) if name.startswith("UNKNOWN_")]
"""Every text by which the engine says that a value is not known."""

TEXTS = st.one_of(
    st.sampled_from(
        ["", "*", "0.0.0.0/0", "::/0", "1e999", "NaN", "-1", "true", "{}", "[[[", "Allow", "a:b@c/d", "99"]
    ),
    st.sampled_from(["{" * 5000, '{"Statement": [1, {"Action": {"a": 1}, "Condition": [], "Principal": {"AWS": 3}}]}']),
    st.text(max_size=12),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXTS,
    st.sampled_from(SENTINELS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def written(value: Any) -> Any:
    """Return a value of a case as plain data."""
    if isinstance(value, Ref):
        return f"{value.resource}.{value.output}"
    if isinstance(value, Later):
        return SENTINELS[0]
    if isinstance(value, Mapping):
        return {key: written(each) for key, each in value.items()}
    return [written(each) for each in value] if isinstance(value, list) else value


@st.composite
def twisted(draw: st.DrawFn, value: Any) -> Any:
    """Draw a value with any of its parts replaced by anything."""
    if draw(st.integers(0, 5)) == 0:
        return draw(VALUES)
    if isinstance(value, dict):
        changed = {key: draw(twisted(each)) for key, each in value.items()}
        return changed | draw(st.dictionaries(st.sampled_from([*changed, "Statement", "spec"]), VALUES, max_size=1))
    if isinstance(value, list):
        return [draw(twisted(each)) for each in value]
    return value


def stacks(area: str, least: int = 1) -> st.SearchStrategy[list[tuple[str, str, dict[str, Any], dict[str, list[str]]]]]:
    """Draw at least so many resources that the rules of an area look at: type, name, inputs and dependencies."""
    names = {rule.name for rule in rules_of(area)}
    known = [made for case in CASES if case.rule in names for made in case.resources.values()]

    @st.composite
    def resource(draw: st.DrawFn) -> tuple[str, str, dict[str, Any], dict[str, list[str]]]:
        made = draw(st.sampled_from(known))
        inputs = {key: draw(twisted(written(value))) for key, value in made.properties.items()}
        return made.type, draw(st.sampled_from("abcd")), inputs, {}

    return st.lists(resource(), min_size=least, max_size=4, unique_by=lambda each: (each[0], each[1]))
