"""Generated wrong settings: each is refused, by its key, before anything is registered.

What is wrong is decided by the JSON Schema, with a validator that is not ours. `make proof` looks at 3,000 of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings import SettingsError, load
from settings.schema import stack_file_schema
from tests.unit.programs import stack_config

SCHEMA = stack_file_schema()
DEFINITIONS = SCHEMA["$defs"]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference, and take the one structure out of an optional section."""
    if "$ref" in schema:
        return resolved(DEFINITIONS[schema["$ref"].rpartition("/")[2]])
    structures = [option for option in schema.get("anyOf", []) if "$ref" in option]
    return resolved(structures[0]) if structures else schema


def keys(schema: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """List every key below a section with its own schema."""
    for key, subschema in schema.get("properties", {}).items():
        yield (*path, key), subschema
        yield from keys(resolved(subschema), (*path, key))


SECTIONS = SCHEMA["properties"]["config"]["properties"]
KEYS = [entry for full, schema in SECTIONS.items() for entry in keys(resolved(schema), (full.partition(":")[2],))]
TEXT_SECTIONS = {full.partition(":")[2] for full, schema in SECTIONS.items() if schema.get("type") == "string"}


def is_right(schema: dict[str, Any], value: Any) -> bool:
    return jsonschema.Draft202012Validator({**schema, "$defs": DEFINITIONS}).is_valid(value)


@st.composite
def wrong_values(draw: st.DrawFn) -> tuple[tuple[str, ...], Any]:
    path, schema = draw(st.sampled_from(KEYS))
    return path, draw(ANYTHING.filter(lambda value: not is_right(schema, value)))


def set_at(document: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    head, *rest = path
    inner = document.get(head)
    below = set_at(inner if isinstance(inner, dict) else {}, tuple(rest), value) if rest else value
    return {**document, head: below}


def configured(document: dict[str, Any]) -> dict[str, str]:
    return {
        f"auterity:{key}": value if isinstance(value, str) and key in TEXT_SECTIONS else json.dumps(value)
        for key, value in document.items()
    }


PROD = {
    key.partition(":")[2]: value if key.partition(":")[2] in TEXT_SECTIONS else json.loads(value)
    for key, value in stack_config("prod").items()
}


def test_there_are_keys_to_get_wrong() -> None:
    assert len(KEYS) > 40


@given(wrong_values())
def test_a_wrong_value_anywhere_is_refused_by_its_key(wrong: tuple[tuple[str, ...], Any]) -> None:
    path, value = wrong
    with pytest.raises(SettingsError) as caught:
        load(configured(set_at(PROD, path, value)))
    named = f"auterity:{'.'.join(path)}"
    assert any(line.startswith((f"{named}:", f"{named}.")) for line in caught.value.lines), caught.value.lines


@given(st.sampled_from([path for path, _ in KEYS]), st.from_regex(r"[a-z_]{3,20}", fullmatch=True))
def test_an_unknown_key_anywhere_is_refused_by_its_name(beside: tuple[str, ...], key: str) -> None:
    path = (*beside[:-1], key)
    if path in [known for known, _ in KEYS] or path[0] in TEXT_SECTIONS or path[0] == "tags" or "[" in key:
        return
    with pytest.raises(SettingsError) as caught:
        load(configured(set_at(PROD, path, 1)))
    assert any(key in line for line in caught.value.lines)
