"""YAML as the engine reads it, which differs from what PyYAML takes for it.

The engine decodes stack files by go-yaml, version 3: of YAML 1.1 it has octal numbers alone, so that ``no`` and
``12:30`` are texts, and it refuses a key that stands twice in a mapping.

Source: https://pkg.go.dev/gopkg.in/yaml.v3, 'Compatibility', and its ``resolve``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?(?:0[bB][01_]+|0[oO]?[0-7_]+|0[xX][0-9a-fA-F_]+|0|[1-9][0-9_]*)")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_OTHER_THAN_NUMBERS = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class EngineLoader(yaml.SafeLoader):
    """Reads plain values and mappings as go-yaml 3 does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Make a mapping, each of whose keys stands in it once."""
        seen: dict[Any, yaml.Node] = {}
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            name = self.construct_object(key, deep=True)
            if name in seen:
                first = seen[name].start_mark.line + 1
                raise yaml.constructor.ConstructorError(
                    None, None, f"mapping key {name!r} already defined at line {first}", key.start_mark
                )
            seen[name] = key
        return super().construct_mapping(node, deep)

    def _integer(self, node: yaml.ScalarNode) -> int:
        digits = str(node.value).replace("_", "").lower()
        sign = -1 if digits.startswith("-") else 1
        digits = digits.lstrip("+-")
        octal = re.fullmatch(r"0o?([0-7]+)", digits)
        return sign * (int(octal[1], 8) if octal else int(digits, 0))


EngineLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _OTHER_THAN_NUMBERS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern, _first in (
    ("bool", _BOOLEAN, "tTfF"),
    ("int", _INTEGER, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
):
    EngineLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern.pattern})$"), list(_first)
    )
EngineLoader.add_constructor("tag:yaml.org,2002:int", EngineLoader._integer)
