"""A stack with everything that its pods are made of at the upper bound of its setting."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.unit.programs import ROOT, run_program, stack_config
from tests.unit.recording import Recording

LEFT = re.compile(r"copies|nodes|port$")
"""Settings that stay as the stack has them: how many there are, which other settings depend on, and names of ports."""

SECTIONS = ("app.pod", "gateway", "vault", "database.in_cluster", "cache.in_cluster", "messaging.in_cluster")
FURTHER = ("observability.metrics", "observability.logs", "observability.dashboards", "backup")


def at_the_upper_bounds(stack: str) -> Recording:
    """Record a shipped stack, each size and time of a pod as large as its setting goes."""
    schema = json.loads((ROOT / "settings" / "stack.schema.json").read_text())
    config: dict[str, Any] = {
        key: json.loads(value) if value.startswith("{") else value for key, value in stack_config(stack).items()
    }
    for section in (*SECTIONS, *FURTHER):
        first, *rest = section.split(".")
        if f"auterity:{first}" not in config:
            continue
        known = _model(schema, schema["properties"]["config"]["properties"][f"auterity:{first}"])
        given = config[f"auterity:{first}"]
        for part in rest:
            known, given = _model(schema, known["properties"][part]), given.setdefault(part, {})
        given.update(
            {
                name: about["maximum"]
                for name, about in known["properties"].items()
                if not LEFT.search(name) and "maximum" in about
            }
        )
    return run_program(stack, {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()})


def _model(schema: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    for each in (about, *about.get("anyOf", ()), *about.get("allOf", ())):
        if "$ref" in each:
            found: dict[str, Any] = schema["$defs"][each["$ref"].rpartition("/")[2]]
            return found
    return about
