"""The whole program of a stack, run against the recording monitor."""

from __future__ import annotations

import json
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.unit.recording import Recorded, Recording, record

ROOT = Path(__file__).parents[2]
STACKS = ("local", "dev", "prod")
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def stack_config(stack: str) -> dict[str, str]:
    """Read a stack file as the engine would hand it to the program."""
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in document.items()}


def run_program(stack: str, config: dict[str, str]) -> Recording:
    """Run ``__main__.py`` as the engine does."""
    return record(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"), stack=stack, config=config)


@cache
def shipped(stack: str) -> Recording:
    """Record a shipped stack once for all tests that only look."""
    return run_program(stack, stack_config(stack))


def with_section(stack: str, section: str, **changes: Any) -> Recording:
    """Record a shipped stack with some keys of one section changed."""
    config = stack_config(stack)
    key = f"auterity:{section}"
    config[key] = json.dumps({**json.loads(config.get(key, "{}")), **changes})
    return run_program(stack, config)


def object_of(recording: Recording, kind: str, name: str) -> Recorded:
    """Return the one object of the cluster that has a type and a name there."""
    [found] = [each for each in recording.of_type(kind) if each.inputs["metadata"]["name"] == name]
    return found


def files_of(recording: Recording, name: str) -> dict[str, str]:
    """Return what a ConfigMap holds."""
    return dict(object_of(recording, CONFIG_MAP, name).inputs["data"])
