"""A JSON Schema's limits, and values, in the words of a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def limits(schema: Mapping[str, Any]) -> str:
    """Say which values a JSON Schema lets in, besides their type; empty where it lets in all."""
    return "; ".join(_limits(schema))


def _limits(schema: Mapping[str, Any]) -> Iterator[str]:
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else []):
        yield ", ".join(code(shown(choice)) for choice in choices)
    for low, high, noun in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " in the list"),
    ):
        yield from _range(schema.get(low), schema.get(high), noun)
    if "exclusiveMinimum" in schema:
        yield f"more than {schema['exclusiveMinimum']:,}"
    if "exclusiveMaximum" in schema:
        yield f"less than {schema['exclusiveMaximum']:,}"
    if "pattern" in schema:
        yield f"like {code(schema['pattern'])}"
    if "format" in schema:
        yield str(schema["format"]).replace("ipv4network", "an IPv4 block")
    if examples := schema.get("examples"):
        yield f"such as {code(shown(examples[0]))}"
    yield from _prefixed("each", schema.get("items"))
    yield from _prefixed("names", schema.get("propertyNames"))
    for pattern, value in schema.get("patternProperties", {}).items():
        yield f"names like {code(pattern)}"
        yield from _prefixed("values", value)
    yield from _prefixed("values", schema.get("additionalProperties"))


def _range(low: float | None, high: float | None, noun: str) -> Iterator[str]:
    if low is not None and high is not None:
        yield f"{low:,} to {high:,}{noun}" if low != high else f"{low:,}{noun}"
    elif low is not None:
        yield f"at least {low:,}{noun}"
    elif high is not None:
        yield f"at most {high:,}{noun}"


def _prefixed(word: str, schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping) and "$ref" not in schema and (inner := limits(schema)):
        yield f"{word} {inner}"


def shown(value: object) -> str:
    """Write a value as a stack file could hold it."""
    return value if isinstance(value, str) else json.dumps(value)


def code(text: str) -> str:
    """Mark a text as code, in a table."""
    return f"`{text}`".replace("|", "\\|") if text else "empty"


def cell(text: str | None) -> str:
    """Put a docstring into a cell of a table."""
    return " ".join((text or "").replace("``", "`").replace("|", "\\|").split())
