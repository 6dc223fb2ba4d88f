"""The major upgrade of the database on RDS, walked as docs/runbooks/database-upgrade.md says, on the real engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pulumi import automation

from sandbox import stack_files
from sandbox.workspace import Sandbox
from tests.sandbox import lifecycle
from tests.sandbox.lifecycle import Step

STACK = "dev"
NAME = f"auterity-{STACK}-postgres"
INSTANCE = "aws:rds/instance:Instance"
NOT_NEEDED = ("cache", "messaging", "storage", "image", "app", "runtimes", "edge", "alarms", "ecs", "registry")
"""Sections that have no part in it."""


@dataclass
class Walk:
    """What happened at each step: what the engine did, and what the instance is after it."""

    refused: str
    too_early: str
    prepared: Step
    copied: Step
    in_place: Step
    ended: Step
    instances: list[dict[str, Any]]


@pytest.fixture(scope="module")
def walk(module_sandbox: Sandbox) -> Walk:
    """Upgrade from 15 to 16 by a blue/green deployment, and from 16 to 17 in place."""
    stack, store = module_sandbox.stack(STACK), module_sandbox.cloud.store
    lifecycle.without_cluster(stack)
    for section in NOT_NEEDED:
        stack.remove_config(f"auterity:{section}")
    instances: list[dict[str, Any]] = []

    def deploy(**settings: Any) -> Step:
        file = module_sandbox.project_directory / f"Pulumi.{STACK}.yaml"
        written: Any = stack_files.read(file)
        section = {**written["config"]["auterity:database"], **settings}
        written["config"]["auterity:database"] = {key: value for key, value in section.items() if value is not None}
        stack_files.write(file, written)
        step = lifecycle.up(stack)
        [instance] = [found for found in store.list() if found.type == INSTANCE]
        instances.append(dict(instance.outputs))
        return step

    def refused(**settings: Any) -> str:
        with pytest.raises(automation.CommandError) as caught:
            deploy(**settings)
        return str(caught.value)

    deploy()
    not_said = refused(engine_version="16")
    # RDS looks at what the instance is, and not at what the same deployment would make of it.
    blue_green = {
        "upgrade": "blue_green",
        "apply_immediately": True,
        "master_password": "stack",
        "parameters": {"rds.logical_replication": "1"},
    }
    too_early = refused(**blue_green)
    prepared = deploy(**{**blue_green, "engine_version": "15", "upgrade": None})
    copied = deploy(engine_version="16", upgrade="blue_green")
    in_place = deploy(engine_version="17", upgrade="in_place")
    ended = deploy(upgrade=None, apply_immediately=False)
    return Walk(not_said, too_early, prepared, copied, in_place, ended, instances)


def test_another_major_release_is_refused_until_the_upgrade_is_asked_for(walk: Walk) -> None:
    assert "AllowMajorVersionUpgrade flag must be present" in walk.refused


def test_a_blue_green_upgrade_is_refused_while_rds_manages_the_password(walk: Walk) -> None:
    assert "can't create a blue/green deployment" in walk.too_early


def test_the_stack_takes_the_master_password_over_without_another_instance(walk: Walk) -> None:
    before, prepared = walk.instances[:2]
    assert before["masterUserSecrets"]
    assert not prepared["masterUserSecrets"]
    assert prepared["resourceId"] == before["resourceId"]


def test_the_upgrade_goes_from_15_over_16_to_17_at_one_address(walk: Walk) -> None:
    assert [each["engineVersionActual"].split(".")[0] for each in walk.instances] == ["15", "15", "16", "17", "17"]
    assert len({each["address"] for each in walk.instances}) == 1


def test_a_blue_green_upgrade_switches_to_a_copy_and_one_in_place_does_not(walk: Walk) -> None:
    _, prepared, copied, in_place, _ = (each["resourceId"] for each in walk.instances)
    assert copied != prepared
    assert in_place == copied


@pytest.mark.parametrize("step", ["prepared", "copied", "in_place", "ended"])
def test_no_step_of_the_upgrade_replaces_the_instance(walk: Walk, step: str) -> None:
    operations = getattr(walk, step).operations
    assert operations
    # Of one logical name: the instance is updated, and the parameter group of another release is another one.
    assert set(operations) <= {NAME, f"auterity-{STACK}-database-master", f"auterity-{STACK}"} | {
        name for name in operations if "password" in name or "proxy" in name or "secrets" in name
    }
