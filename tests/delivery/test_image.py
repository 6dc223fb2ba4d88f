"""The app's image, which the pipeline builds, scans and pushes once before any stack is brought up."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from delivery.image import ImageError, Workload, image_of
from settings import ImageBuild, ImageSettings
from tests.delivery.test_workflows import ROOT, script, shell
from tests.unit.test_image import image as stack_image

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/auterity/app"


def stack_file(directory: Path, **build: object) -> Path:
    """Write a stack's file whose app is built from the reference app's sources."""
    file = directory / "Pulumi.dev.yaml"
    sources = {"context": str(ROOT / "examples" / "app"), **build}
    file.write_text(yaml.safe_dump({"config": {"auterity:image": {"build": sources}}}))
    return file


def test_what_the_pipeline_pushes_is_what_the_stack_runs(tmp_path: Path) -> None:
    sources = str(ROOT / "examples" / "app")
    _, found = stack_image(ImageSettings(build=ImageBuild(context=sources, published_in=REPOSITORY)))
    assert image_of(stack_file(tmp_path, published_in=REPOSITORY)).reference == found["reference"]


def test_an_image_that_each_stack_builds_for_itself_has_no_registry_to_push_to(tmp_path: Path) -> None:
    assert image_of(stack_file(tmp_path)).registry == ""
    assert image_of(stack_file(tmp_path, published_in=REPOSITORY)).registry == REPOSITORY.split("/")[0]


@pytest.mark.parametrize(
    "text", ["config: {auterity:image: {reference: app:1.0.0}}", "config: {auterity:image: 3}", "["]
)
def test_a_stack_without_sources_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(text)
    with pytest.raises(ImageError, match=r"Pulumi\.dev\.yaml"):
        image_of(file)


def test_the_command_names_the_image_and_its_registry(tmp_path: Path) -> None:
    image = image_of(stack_file(tmp_path, published_in=REPOSITORY))
    answer = shell(script("deploy", "Which one"), tmp_path, STACK="dev", WORKLOAD="app")
    assert answer.returncode == 0, answer.stderr
    said = (tmp_path / "GITHUB_OUTPUT").read_text()
    assert said == f"reference={image.reference}\nregistry={image.registry}\n"


def docker(directory: Path, *, there: bool, says: str = "no such manifest: it") -> None:
    """Put a docker on PATH that notes how it is called, and knows an image or none."""
    (directory / "bin").mkdir()
    program = directory / "bin" / "docker"
    lines = ["#!/bin/sh", 'echo "$@" >> docker.log', '[ "$1" = manifest ] || { echo building; exit 0; }']
    lines += [] if there else [f"echo '{says}' >&2", "exit 1"]
    program.write_text("\n".join(lines) + "\n")
    program.chmod(0o755)


def pipeline_builds(directory: Path) -> tuple[int, list[str], str]:
    """Run the step that builds: its exit code, the calls of docker, and the outputs of the step."""
    answer = shell(script("deploy", "Build, unless it is there"), directory, STACK="dev", WORKLOAD="app")
    calls = (directory / "docker.log").read_text().splitlines()
    return answer.returncode, calls, (directory / "GITHUB_OUTPUT").read_text()


@pytest.mark.parametrize("there", [False, True])
def test_the_same_sources_are_built_once_for_all_stacks(tmp_path: Path, there: bool) -> None:
    image = image_of(stack_file(tmp_path, published_in=REPOSITORY))
    docker(tmp_path, there=there)
    code, calls, outputs = pipeline_builds(tmp_path)
    assert (code, calls[0]) == (0, f"manifest inspect {image.reference}")
    assert [call.split()[0] for call in calls[1:]] == ([] if there else ["build"])
    assert outputs == ("built=\n" if there else "built=yes\n")


def test_going_back_to_sources_of_before_builds_and_pushes_nothing(tmp_path: Path) -> None:
    context = tmp_path / "app"
    shutil.copytree(ROOT / "examples" / "app", context, ignore=shutil.ignore_patterns("tests"))
    stack_file(tmp_path, published_in=REPOSITORY, context=str(context))
    registry = Path(tmp_path, "registry")
    registry.touch()
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    known = '[ "$1" != manifest ] || grep -qx "$3" registry || { echo "no such manifest: $3" >&2; exit 1; }'
    kept = '[ "$1" != build ] || for word; do case "$word" in --tag=*) echo "${word#--tag=}" >> registry;; esac; done'
    program.write_text(f"#!/bin/sh\n{known}\n{kept}\n")
    program.chmod(0o755)
    for content in ("a", "b", "a"):
        (context / "Dockerfile").write_text(f"FROM scratch\nLABEL release={content}\n")
        answer = shell(script("deploy", "Build, unless it is there"), tmp_path, STACK="dev", WORKLOAD="app")
        assert answer.returncode == 0, answer.stderr
        (tmp_path / ".venv").unlink()
    assert (tmp_path / "GITHUB_OUTPUT").read_text().split() == ["built=yes", "built=yes", "built="]
    assert len(registry.read_text().splitlines()) == 2


def test_a_registry_that_does_not_answer_is_no_reason_to_build(tmp_path: Path) -> None:
    stack_file(tmp_path, published_in=REPOSITORY)
    docker(tmp_path, there=False, says="no basic auth credentials")
    code, calls, _ = pipeline_builds(tmp_path)
    assert (code, len(calls)) == (1, 1)


def test_the_image_of_the_backups_is_published_like_the_apps(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    build = {"context": str(ROOT / "operations"), "published_in": REPOSITORY}
    file.write_text(yaml.safe_dump({"config": {"auterity:backup": {"s3": {}, "image": {"build": build}}}}))
    image = image_of(file, Workload.BACKUP)
    assert image.reference.startswith(f"{REPOSITORY}:")
    assert image.build.context == str(ROOT / "operations")


def test_a_build_is_given_the_sources_the_platform_and_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = image_of(stack_file(tmp_path, published_in=REPOSITORY, args={"RELEASE": "1"}))
    docker(tmp_path, there=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    image.make()
    sources = ROOT / "examples" / "app"
    options = f"--platform=linux/amd64 --file={sources / 'Dockerfile'} --build-arg=RELEASE=1 --tag={image.reference}"
    assert (tmp_path / "docker.log").read_text() == f"build {options} {sources}\n"
