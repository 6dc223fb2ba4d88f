"""What is pinned: one version of each package and of Pulumi's CLI, wherever it is installed."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from sandbox.toolchain.pulumi_cli import pinned_version
from tests.unit.programs import ROOT

PIN = re.compile(r"^([a-zA-Z0-9_.\[\]-]+)==([^ ;]+)(?: ; (.+?))? \\$", re.MULTILINE)

APART = {"tests/real/object-stores.txt": "servers in an environment of their own, which nothing here imports"}
"""Files that are resolved by themselves, and why: what is installed in one of these meets nothing of the others."""

VERSION = (ROOT / ".pulumi.version").read_text().strip()


def files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.txt"], cwd=ROOT, capture_output=True, text=True, check=True)
    pinned = [ROOT / name for name in listed.stdout.split() if "--hash=sha256:" in (ROOT / name).read_text()]
    assert len(pinned) > 4
    return [path for path in pinned if str(path.relative_to(ROOT)) not in APART]


def test_a_package_has_one_version_in_all_files() -> None:
    versions: dict[str, dict[str, set[str]]] = {}
    for path in files():
        for package, version, marker in PIN.findall(path.read_text()):
            versions.setdefault(f"{package} {marker}", {}).setdefault(version, set()).add(str(path.relative_to(ROOT)))
    assert len(versions) > 100
    assert {package: where for package, where in versions.items() if len(where) > 1} == {}


def test_all_files_come_of_one_resolution() -> None:
    said = subprocess.run(["make", "-n", "lock"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = [each for each in said.replace("\\\n", "").splitlines() if "pip compile" in each]
    written = {each.rpartition(" -o ")[2].strip(): each for each in commands}
    assert set(written) == {str(path.relative_to(ROOT)) for path in files()} | set(APART)
    others = [each for name, each in written.items() if name not in {"requirements-dev.txt", *APART}]
    assert all("-c requirements-dev.txt" in each for each in others)
    # The others follow it: it comes first.
    assert "requirements-dev.txt" in commands[0].rpartition(" -o ")[2]


def test_no_package_is_held_by_an_epoch() -> None:
    # An epoch outranks every later version: no update of a package that gives such a numbering up is ever seen.
    epochs = [name for path in files() for name, version, _ in PIN.findall(path.read_text()) if "!" in version]
    assert epochs == []


def test_the_sandbox_runs_the_cli_that_deploys() -> None:
    assert pinned_version() == VERSION


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.stem)
def test_a_workflow_installs_that_cli(path: Path) -> None:
    for job in yaml.safe_load(path.read_text())["jobs"].values():
        for step in job.get("steps", ()):
            if "pulumi/actions" in step.get("uses", ""):
                assert step["with"]["pulumi-version-file"] == ".pulumi.version"


@pytest.mark.parametrize("path", sorted((ROOT / "deploy" / "operator").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_operator_runs_that_cli(path: Path) -> None:
    images = re.findall(r"image: pulumi/pulumi:(\S+)", path.read_text())
    assert images == [f"{VERSION}-nonroot"]


def test_the_programs_own_packages_are_the_ones_that_the_tests_have() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {name: version for name, version, _ in PIN.findall((ROOT / "requirements.txt").read_text())}
    for wanted in project["dependencies"]:
        name, _, version = wanted.partition("==")
        assert pinned[name] == version


PROGRAMS = (
    "Pulumi.yaml",
    "bootstrap/Pulumi.yaml",
    "bootstrap/github/Pulumi.yaml",
    "bootstrap/google/Pulumi.yaml",
    "policies/PulumiPolicy.yaml",
)
"""What the engine runs."""


def pinned(path: Path) -> dict[str, str]:
    """Return what `pip install -r` of a file installs: package to version."""
    text = path.read_text()
    found = {name: version for name, version, _ in PIN.findall(text)}
    for other in re.findall(r"^-r (\S+)$", text, re.MULTILINE):
        found |= pinned(path.parent / other)
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_the_engine_runs_has_the_one_environment_that_pulumi_install_makes(program: str) -> None:
    # Without its environment a program fails, and for a pack the engine waits for ever.
    options = yaml.safe_load((ROOT / program).read_text())["runtime"]["options"]
    directory = (ROOT / program).parent
    assert options["toolchain"] == "pip"
    assert (directory / options["virtualenv"]).resolve() == ROOT / ".venv"
    assert pinned(directory / "requirements.txt").items() <= pinned(ROOT / "requirements.txt").items()


@pytest.mark.parametrize("directory", ["bootstrap", "bootstrap/github", "bootstrap/google"])
def test_pulumi_install_in_the_bootstrap_and_at_the_root_make_the_same(directory: str) -> None:
    assert pinned(ROOT / directory / "requirements.txt") == pinned(ROOT / "requirements.txt")
