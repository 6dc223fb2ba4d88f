"""What the sandbox's thin provider has made, the official one takes over: a stack of the first minutes lives on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from sandbox.workspace import Sandbox
from tests.sandbox import lifecycle
from tests.sandbox.lifecycle import Step

STACK = "dev"


@dataclass
class Handed:
    """What the thin provider made, what each did when asked for it again, and the app before and after a change."""

    made: Step
    again: Step
    taken_over: Step
    before: Any
    after: Any


def app_in(sandbox: Sandbox) -> Any:
    """Read the app's Deployment."""
    [cluster] = sandbox.clusters(STACK)
    api = config.new_client_from_config_dict(cluster.kubeconfig())
    return client.AppsV1Api(api).read_namespaced_deployment("auterity-app", "auterity")


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handed]:
    home: Path = tmp_path_factory.mktemp("sandbox")
    with lifecycle.sandbox_below(home, kubernetes="thin") as thin:
        stack = thin.stack(STACK)
        made, again = lifecycle.up(stack), lifecycle.up(stack)
        with Sandbox(home, kubernetes="official") as official:
            stack = official.stack(STACK)
            taken_over, before = lifecycle.up(stack), app_in(official)
            lifecycle.set_path(stack, "app.environment.APP_LOG_LEVEL", "DEBUG")
            lifecycle.up(stack)
            yield Handed(made, again, taken_over, before, app_in(official))


def test_the_thin_provider_makes_what_only_a_cluster_on_eks_knows(handed: Handed) -> None:
    assert {"auterity-dev-auterity-gateway", "auterity-dev-app-secrets"} <= set(handed.made.operations)


def test_the_thin_provider_has_nothing_to_do_the_second_time(handed: Handed) -> None:
    assert handed.again.operations == {}


def test_the_official_provider_has_nothing_to_do_either(handed: Handed) -> None:
    assert handed.taken_over.operations == {}


def test_the_official_provider_changes_in_place_what_the_thin_one_made(handed: Handed) -> None:
    assert handed.after.metadata.generation > handed.before.metadata.generation
    assert handed.after.metadata.uid == handed.before.metadata.uid
