"""What users rely on of the app's image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_docker as docker
import pulumi_random as random
import pytest

from components.account import AwsAccount
from components.image import AppImage, AppImageArgs
from components.image_names import content_digest, content_tag
from settings import ImageBuild, ImageSettings
from tests.unit.recording import REGION, Recording, record

REPOSITORY = "aws:ecr/repository:Repository"
IMAGE = "docker:index/image:Image"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY app /app\n")
    (tmp_path / "app").write_text("print('orders')\n")
    return tmp_path


def image(settings: ImageSettings, architecture: str = "X86_64") -> tuple[Recording, dict[str, Any]]:
    found: dict[str, Any] = {}

    def build() -> None:
        provider = aws.Provider("aws", region=REGION)
        made = AppImage(
            "auterity-test",
            AppImageArgs(settings, AwsAccount.of(provider, REGION), architecture),
            pulumi.ResourceOptions(providers=[provider, docker.Provider("docker"), random.Provider("random")]),
        )
        made.reference.apply(lambda value: found.update(reference=value))
        if made.repository_arn is not None:
            made.repository_arn.apply(lambda value: found.update(repository_arn=value))

    return record(build), found


def built(context: Path, **build: Any) -> Recording:
    return image(ImageSettings(build=ImageBuild(context=str(context), **build)))[0]


def test_an_image_that_exists_is_used_and_nothing_is_made() -> None:
    recording, found = image(ImageSettings(reference="registry.example.com/team/app:1.4.2"))
    assert found == {"reference": "registry.example.com/team/app:1.4.2"}
    assert [r.type for r in recording.resources if r.custom and not r.type.startswith("pulumi:")] == []


def test_an_image_of_another_accounts_ecr_says_where_to_pull_it() -> None:
    _, found = image(ImageSettings(reference="210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.4.2"))
    assert found["repository_arn"] == "arn:aws:ecr:eu-west-1:210987654321:repository/team/app"


def test_an_image_that_the_pipeline_has_published_is_run_by_the_tag_that_names_its_sources(context: Path) -> None:
    build = ImageBuild(context=str(context), published_in="210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/app")
    recording, found = image(ImageSettings(build=build))
    assert found["reference"] == f"{build.published_in}:{content_tag(build, 'X86_64')}"
    assert found["repository_arn"] == "arn:aws:ecr:eu-west-1:210987654321:repository/team/app"
    assert [r.type for r in recording.resources if r.custom and not r.type.startswith("pulumi:")] == []


@pytest.mark.parametrize("repository", ["app", "registry.example.com/app:1.4.2", "registry.example.com/App"])
def test_what_is_published_into_is_a_repository_with_its_registry_and_without_a_tag(
    context: Path, repository: str
) -> None:
    with pytest.raises(ValueError, match="published_in"):
        ImageBuild(context=str(context), published_in=repository)


def test_a_tag_never_moves_and_every_push_is_scanned(context: Path) -> None:
    repository = built(context).only(REPOSITORY).inputs
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    [encryption] = repository["encryptionConfigurations"]
    assert encryption["encryptionType"] == "KMS"


def test_the_repository_forgets_all_but_the_newest(context: Path) -> None:
    recording = built(context, keep_images=5)
    rules = json.loads(recording.only("aws:ecr/lifecyclePolicy:LifecyclePolicy").inputs["policy"])["rules"]
    assert [rule["selection"]["countNumber"] for rule in rules] == [1, 5]


def test_what_runs_is_the_digest_of_what_was_pushed(context: Path) -> None:
    _, found = image(ImageSettings(build=ImageBuild(context=str(context))))
    assert "@sha256:" in found["reference"]


def test_each_build_is_pushed_under_a_tag_of_its_own_that_names_its_sources(context: Path) -> None:
    recording = built(context)
    tag = content_tag(ImageBuild(context=str(context)), "X86_64")
    attempt = recording.only("random:index/randomId:RandomId")
    assert attempt.inputs["keepers"] == {"sources": tag}
    assert recording.only(IMAGE).inputs["imageName"].rpartition(":")[2].startswith(f"{tag}-")


def test_the_registrys_password_is_a_secret(context: Path) -> None:
    assert "registry" in built(context).only(IMAGE).secret_inputs


def test_the_image_is_built_for_the_processor_of_the_tasks(context: Path) -> None:
    recording, _ = image(ImageSettings(build=ImageBuild(context=str(context))), "ARM64")
    assert recording.only(IMAGE).inputs["build"]["platform"] == "linux/arm64"


def test_the_same_sources_have_the_same_tag_wherever_they_lie(context: Path, tmp_path_factory: Any) -> None:
    other = tmp_path_factory.mktemp("other")
    for file in context.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    assert digest(context) == digest(other)


def digest(context: Path, platform: str = "linux/amd64", **build: Any) -> str:
    return content_digest(ImageBuild(context=str(context), **build), platform)


def test_other_sources_get_a_tag_of_their_own(context: Path) -> None:
    before = digest(context)
    (context / "app").write_text("print('invoices')\n")
    assert digest(context) != before


def test_a_moved_file_gets_a_tag_of_its_own(context: Path) -> None:
    before = digest(context)
    (context / "app").rename(context / "main")
    assert digest(context) != before


def test_another_platform_or_argument_gets_a_tag_of_its_own(context: Path) -> None:
    assert len({digest(context), digest(context, "linux/arm64"), digest(context, args={"A": "1"})}) == 3


def test_what_docker_ignores_changes_no_tag(context: Path) -> None:
    (context / ".dockerignore").write_text("# notes\n*.md\n")
    before = digest(context)
    (context / "notes.md").write_text("not in the image")
    assert digest(context) == before


@pytest.mark.parametrize("reference", ["app", "app:latest", "registry.example.com/app:main", "UPPER/app:1", "app:1:2"])
def test_an_image_without_an_exact_version_is_refused(reference: str) -> None:
    with pytest.raises(ValueError, match="reference"):
        ImageSettings(reference=reference)


@pytest.mark.parametrize("reference", ["app:1.4.2", f"registry.example.com:5000/team/app@sha256:{64 * 'a'}"])
def test_an_exact_version_is_a_tag_or_a_digest(reference: str) -> None:
    assert ImageSettings(reference=reference).reference == reference


def test_a_dockerfile_that_is_not_there_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a file below context"):
        ImageBuild(context=str(tmp_path))


@pytest.mark.parametrize("tag", ["", ":3", ":v2", ":lts", ":dev", ":latest", ":3-alpine"])
def test_an_image_whose_tag_moves_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="exact tag"):
        ImageSettings(reference=f"registry.example.com:5000/team/app{tag}")


@pytest.mark.parametrize("tag", [":3.9", ":v1.19.2", ":20261130", ":0f3c9ab41d2e", "@sha256:" + 64 * "0"])
def test_an_image_whose_tag_stays_is_taken(tag: str) -> None:
    reference = f"registry.example.com:5000/team/app{tag}"
    assert ImageSettings(reference=reference).reference == reference
