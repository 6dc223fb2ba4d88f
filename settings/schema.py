"""The JSON Schema of a stack's file, by which editors complete and check it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from settings.loading import PROJECT
from settings.stack import StackSettings

SCHEMA_FILE = Path(__file__).with_name("stack.schema.json")


def stack_file_schema() -> dict[str, Any]:
    """Return the schema of ``Pulumi.<stack>.yaml``: every setting under its configuration key, and what Pulumi adds."""
    model = StackSettings.model_json_schema(ref_template="#/$defs/{model}")
    sections = {f"{PROJECT}:{key}": section for key, section in model["properties"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of one Auterity stack",
        "description": "Pulumi.<stack>.yaml. The settings are under `config`; the other keys are Pulumi's own.",
        "type": "object",
        "additionalProperties": False,
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "additionalProperties": False,
                "properties": sections,
                "patternProperties": {"^pulumi:": {}},
                "required": [f"{PROJECT}:{key}" for key in model["required"]],
            },
            "secretsprovider": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "encryptionsalt": {"type": "string"},
            "environment": {"description": "Pulumi ESC environments that the stack imports."},
        },
        "$defs": model["$defs"],
    }


def render() -> str:
    """Write the schema as the text that `SCHEMA_FILE` must hold."""
    return json.dumps(stack_file_schema(), indent=2) + "\n"
