"""Kong's declarative files, as the ConfigMaps hold them, by the rules of the tool that hands them over.

Kong itself has no package here; its options are checked against its documentation alone.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from components.workload.gateway_configuration import declaration
from sandbox.toolchain.cache import cache_directory
from sandbox.toolchain.kong_file import ensure_kong_file
from settings import GatewaySettings
from tests.unit.programs import STACKS, shipped


def check(path: Path, text: str) -> subprocess.CompletedProcess[str]:
    path.write_text(text)
    command = [ensure_kong_file(cache_directory()), path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("stack", STACKS)
def test_the_shipped_file_is_a_good_one(stack: str, tmp_path: Path) -> None:
    made = shipped(stack).named(f"auterity-{stack}-gateway", "kubernetes:core/v1:ConfigMap")
    found = check(tmp_path / "kong.yml", made.inputs["data"]["kong.yml"])
    assert (found.returncode, found.stdout) == (0, "1 services, 4 plugins\n"), found.stderr


def test_a_file_without_hidden_paths_is_a_good_one(tmp_path: Path) -> None:
    found = check(tmp_path / "kong.yml", declaration(GatewaySettings(hidden_paths=()), "app.shop.svc", 8000))
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("hosts", ["a"], "Additional property hosts is not allowed"),
        ("port", "eighty", "Invalid type"),
    ],
)
def test_a_wrong_service_is_refused(key: str, value: object, complaint: str, tmp_path: Path) -> None:
    document = yaml.safe_load(declaration(GatewaySettings(), "app.shop.svc", 8000))
    document["services"][0][key] = value
    found = check(tmp_path / "kong.yml", yaml.safe_dump(document))
    assert found.returncode == 1
    assert complaint in found.stderr
