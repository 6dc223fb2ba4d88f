"""The image's Dockerfile and what it installs."""

import re
import subprocess
import sys
from pathlib import Path

APP = Path(__file__).parents[1]
DEVELOPMENT = APP.parents[1] / "requirements-dev.txt"


def pins(requirements: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", requirements.read_text(), re.MULTILINE))


def test_the_dockerfile_has_no_finding() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([hadolint, APP / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_the_last_stage_runs_as_an_unprivileged_number() -> None:
    users = re.findall(r"^USER (.*)$", (APP / "Dockerfile").read_text(), re.MULTILINE)
    assert users[-1:] == ["10001:10001"]


def test_every_base_image_is_an_exact_version() -> None:
    for base in re.findall(r"^FROM (\S+)", (APP / "Dockerfile").read_text(), re.MULTILINE):
        assert re.search(r":\d+\.\d+\.\d+-", base), base


def test_every_package_has_a_hash() -> None:
    requirements = (APP / "requirements.txt").read_text()
    blocks = re.split(r"^(?=[a-z])", requirements, flags=re.MULTILINE)[1:]
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


def test_what_is_tested_is_what_the_image_installs() -> None:
    assert pins(APP / "requirements.txt").items() <= pins(DEVELOPMENT).items()
