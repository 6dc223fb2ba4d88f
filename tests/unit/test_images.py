"""What users rely on of the images that the cluster pulls."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from components.images import TABLE, registry_of, table
from components.images.pin import pinned
from settings import PROJECT, SettingsError, load
from tests.unit.programs import ROOT, STACKS, shipped, stack_config, with_section
from tests.unit.recording import Recording

MIRRORS = {
    host: f"registry.example.com/{host.partition('.')[0]}" for host in ("docker.io", "quay.io", "registry.k8s.io")
}
ECR = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/docker-hub-AbCdEf"
RULE = "aws:ecr/pullThroughCacheRule:PullThroughCacheRule"


def pod_specs(recording: Recording) -> Iterator[dict[str, Any]]:
    """Find the description of every pod that a stack runs."""

    def search(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            if "containers" in value:
                yield value
            for part in value.values():
                yield from search(part)
        elif isinstance(value, list):
            for part in value:
                yield from search(part)

    for resource in recording.resources:
        if resource.type.startswith("kubernetes:"):
            yield from search(resource.inputs)


def images(recording: Recording) -> set[str]:
    """List the images of all containers."""
    return {
        container["image"]
        for pod in pod_specs(recording)
        for container in (*pod.get("initContainers", ()), *pod["containers"])
    }


def with_registry(stack: str, **registry: Any) -> Recording:
    return with_section(stack, "registry", **registry)


@cache
def cached_in_ecr() -> Recording:
    return with_registry("prod", pull_through_cache={"docker_hub_secret": ECR})


@pytest.mark.parametrize(
    ("reference", "host", "rest"),
    [
        # https://docs.docker.com/reference/cli/docker/image/tag/, 'Extended description'
        ("alpine:3.20", "docker.io", "library/alpine:3.20"),
        ("mycorp/repo:1.0", "docker.io", "mycorp/repo:1.0"),
        ("localhost/repo:1.0", "localhost", "repo:1.0"),
        ("my_registry:5000/repo:1.0", "my_registry:5000", "repo:1.0"),
        ("registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0", "registry.k8s.io", None),
    ],
)
def test_a_reference_is_split_as_docker_splits_it(reference: str, host: str, rest: str | None) -> None:
    assert registry_of(reference) == (host, rest or reference.partition("/")[2])


def test_no_module_but_the_table_names_a_version_of_an_image() -> None:
    repositories = "|".join(re.escape(reference.partition(":")[0]) for reference in table().values())
    named = re.compile(rf"[\"'](?:docker\.io/)?(?:{repositories}):[v0-9]")
    sources = [path for folder in ("components", "composition") for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in sources if named.search(path.read_text())] == []


def test_every_image_of_the_table_has_an_exact_tag() -> None:
    exact = r"[a-z0-9_./-]+:v?\d+\.\d+(\.\d+)?(-alpine)?(@sha256:[0-9a-f]{64})?"
    assert [reference for reference in table().values() if not re.fullmatch(exact, reference)] == []


def test_no_two_images_of_the_table_have_the_same_digest() -> None:
    digests = [digest for _, _, digest in (reference.partition("@") for reference in table().values()) if digest]
    assert digests
    assert len(set(digests)) == len(digests)


def test_pinning_writes_a_digest_behind_each_tag_and_changes_nothing_else() -> None:
    text = re.sub("@sha256:[0-9a-f]{64}", "", TABLE.read_text())
    asked: list[str] = []

    def digest_of(tagged: str) -> str:
        asked.append(tagged)
        return f"sha256:{len(asked):064x}"

    once = pinned(text, digest_of)
    services = yaml.safe_load(once)["services"]
    assert [service["image"].partition("@")[0] for service in services.values()] == asked
    assert len(asked) == len(table())
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", service["image"]) for service in services.values())
    assert re.sub(r"@sha256:[0-9a-f]{64}", "", once) == text
    # Again, it asks for the same tags, and what was there goes.
    asked.clear()
    assert pinned(once, digest_of) == once


def test_every_image_of_the_table_runs_somewhere() -> None:
    running = set[str]().union(*(images(shipped(stack)) for stack in STACKS))
    assert set(table().values()) - running == set()


@pytest.mark.parametrize("stack", STACKS)
def test_with_mirrors_nothing_of_others_is_pulled_past_them(stack: str) -> None:
    mirrored = images(with_registry(stack, mirrors=MIRRORS))
    own = images(shipped(stack)) - set(table().values())
    assert [image for image in mirrored - own if not image.startswith("registry.example.com/")] == []


def test_a_mirror_keeps_the_path_of_a_repository() -> None:
    mirrored = images(with_registry("local", mirrors=MIRRORS))
    assert f"registry.example.com/docker/library/{table()['postgres']}" in mirrored
    assert "registry.example.com/quay/" + table()["node-exporter"].removeprefix("quay.io/") in mirrored


def test_every_pod_signs_in_with_the_pull_secret() -> None:
    pods = list(pod_specs(with_registry("prod", pull_secret="registry-login")))
    assert [pod for pod in pods if pod.get("imagePullSecrets") != [{"name": "registry-login"}]] == []


def test_without_a_pull_secret_no_pod_names_one() -> None:
    assert [pod for pod in pod_specs(shipped("prod")) if "imagePullSecrets" in pod] == []


def test_a_pull_through_cache_has_a_rule_for_each_registry_of_the_table() -> None:
    recording = cached_in_ecr()
    cached = {rule.inputs["upstreamRegistryUrl"] for rule in recording.of_type(RULE)}
    hosts = {registry_of(reference)[0].replace("docker.io", "registry-1.docker.io") for reference in table().values()}
    assert cached == hosts


def test_only_docker_hub_gets_credentials_in_the_pull_through_cache() -> None:
    recording = with_registry("prod", pull_through_cache={"docker_hub_secret": ECR})
    signed_in = {
        rule.inputs["upstreamRegistryUrl"]: rule.inputs.get("credentialArn") for rule in recording.of_type(RULE)
    }
    assert signed_in == {"registry-1.docker.io": ECR, "quay.io": None, "registry.k8s.io": None}


def test_nodes_may_bring_images_into_the_cache_and_nowhere_else() -> None:
    recording = cached_in_ecr()
    [granted] = [each for each in recording.of_type("aws:iam/rolePolicy:RolePolicy") if "pull-through" in each.name]
    [statement] = json.loads(granted.inputs["policy"])["Statement"]
    assert sorted(resource.rpartition("repository/")[2] for resource in statement["Resource"]) == [
        f"prod-{part}/*" for part in ("docker", "quay", "registry")
    ]


def test_without_the_setting_there_is_no_cache_in_ecr() -> None:
    assert shipped("prod").of_type(RULE) == []


def test_mirrors_beside_a_pull_through_cache_are_refused() -> None:
    registry = {"mirrors": MIRRORS, "pull_through_cache": {"docker_hub_secret": ECR}}
    with pytest.raises(SettingsError, match=r"registry\.mirrors.*pull_through_cache"):
        load({**stack_config("prod"), f"{PROJECT}:registry": json.dumps(registry)})


def test_a_secret_that_ecr_would_not_read_is_refused() -> None:
    registry = {"pull_through_cache": {"docker_hub_secret": ECR.replace("ecr-pullthroughcache/", "")}}
    with pytest.raises(SettingsError, match="docker_hub_secret"):
        load({**stack_config("prod"), f"{PROJECT}:registry": json.dumps(registry)})


def test_dependency_updates_read_the_table() -> None:
    assert f"directory: /{TABLE.parent.relative_to(ROOT)}" in (ROOT / ".github/dependabot.yml").read_text()


@cache
def for_arm64(stack: str) -> Recording:
    return with_section(stack, "app", architecture="ARM64")


def of_the_stack(pod: dict[str, Any]) -> bool:
    """Tell whether a pod runs an image that the stack's own people build."""
    containers = (*pod.get("initContainers", ()), *pod["containers"])
    return any(container["image"] not in table().values() for container in containers)


@pytest.mark.parametrize("stack", STACKS)
def test_pods_of_images_for_arm64_start_on_such_nodes_alone(stack: str) -> None:
    pods = [pod for pod in pod_specs(for_arm64(stack)) if of_the_stack(pod)]
    assert pods
    assert [pod for pod in pods if pod.get("nodeSelector") != {"kubernetes.io/arch": "arm64"}] == []


def test_pods_of_images_of_others_start_on_any_node() -> None:
    others = [pod for pod in pod_specs(for_arm64("dev")) if not of_the_stack(pod)]
    assert [pod for pod in others if "nodeSelector" in pod] == []


def test_for_arm64_eks_gets_a_pool_of_such_nodes() -> None:
    [pool] = for_arm64("dev").of_type("kubernetes:karpenter.sh/v1:NodePool")
    requirements = pool.inputs["spec"]["template"]["spec"]["requirements"]
    assert {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]} in requirements


def test_for_amd64_eks_keeps_its_own_pools() -> None:
    assert shipped("dev").of_type("kubernetes:karpenter.sh/v1:NodePool") == []


def test_a_cluster_of_others_gets_no_pool_of_nodes() -> None:
    assert for_arm64("local").of_type("kubernetes:karpenter.sh/v1:NodePool") == []
