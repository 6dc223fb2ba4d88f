"""Production from its first preview to its end, on the real engine; that of dev is in tests/kubernetes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import config
from pulumi import automation

from components.protection import KEEPS_DATA
from delivery import engine
from delivery.changes import Changes
from operations.diagram import draw
from sandbox.protection import lift_deletion_protection
from sandbox.workspace import Sandbox
from tests.kubernetes import watching
from tests.kubernetes.watching import Watched
from tests.sandbox import changed_contents, lifecycle
from tests.sandbox.changed_contents import checkout_with_changes
from tests.sandbox.lifecycle import Step
from tests.stacks import Made, Stacks

STACK = "prod"
VPC = "aws:ec2/vpc:Vpc"
DRAWING = Path(__file__).parents[2] / "docs/architecture/prod.svg"


REREAD = {
    "app.environment.APP_LOG_LEVEL": "DEBUG",
    "gateway.password_version": "2",
    "vault.certificate_days": "300",
    "observability.logs.retention_days": "60",
    "observability.objectives.availability_percent": "99",
}
"""Settings, and values, for which pods are started anew: they read their files once."""


@dataclass
class Contents:
    """What a change of everything that pods mount did: to which objects, and what was seen of their workloads."""

    mounted: set[tuple[str, str, str]]
    changed: set[tuple[str, str, str]]
    step: Step
    seen: Watched


@dataclass
class Life:
    """What happened to the stack, step by step."""

    preview: Step
    up: Step
    again: Step
    refreshed: Step
    drifted: Step
    mended: Step
    changed: Step
    waiting: Changes
    kept: str
    lost: list[str]
    contents: Contents
    state: dict[str, Any]
    secrets: list[str]
    outputs: Mapping[str, automation.OutputValue]
    refused: str
    destroyed: Step
    left: list[str]


@pytest.fixture(scope="module")
def life(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Live the whole life of the stack once; every test looks at another part of it."""
    with stacks.copied(STACK, tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield live(sandbox, stacks.made(STACK), checkout_with_changes(tmp_path_factory.mktemp("checkout")))


def live(sandbox: Sandbox, made: Made, changes: Path) -> Life:
    """Go on from the stack's first `up`; the checkout `changes` has the program that changes what pods mount."""
    stack = sandbox.stack(STACK)
    again = lifecycle.up(stack)
    refreshed = lifecycle.refresh(stack)
    secrets = _generated_secrets(sandbox)

    store = sandbox.cloud.store
    [vpc] = [resource for resource in store.list() if resource.type == VPC]
    store.change(vpc.id, "enableDnsHostnames", False, VPC)
    drifted = lifecycle.refresh(stack)
    mended = lifecycle.up(stack)

    lifecycle.set_path(stack, "database.slow_query_ms", "250")
    lifecycle.set_path(stack, "database.instance_class", "db.r7g.xlarge")
    changed = lifecycle.up(stack)
    waiting = engine.drift(stack)
    contents = change_contents(sandbox, stack, changes)

    kept, lost = _without(sandbox, stack, "storage", "cache")

    with pytest.raises(automation.CommandError) as refused:
        lifecycle.destroy(stack)
    sandbox.answer(STACK, "state", "unprotect", "--all", "--yes")
    lift_deletion_protection(sandbox, STACK)
    destroyed = lifecycle.destroy(stack)
    left = [resource.type for resource in store.list()]
    said = str(refused.value)
    return Life(
        made.previewed.step,
        made.up,
        again,
        refreshed,
        drifted,
        mended,
        changed,
        waiting,
        kept,
        lost,
        contents,
        made.state,
        secrets,
        made.outputs,
        said,
        destroyed,
        left,
    )


def change_contents(sandbox: Sandbox, stack: automation.Stack, checkout: Path) -> Contents:
    """Change every ConfigMap and Secret of the running stack at once, and settings that pods are started anew for."""
    for path, value in REREAD.items():
        lifecycle.set_path(stack, path, value)
    [cluster] = sandbox.clusters(STACK)
    api = config.new_client_from_config_dict(cluster.kubeconfig())
    mounted = changed_contents.mounted(api) & set(changed_contents.contents(api))
    with (
        Sandbox(sandbox.home, checkout=checkout, checkpoints=False, kubernetes="official") as changing,
        watching.watched(api) as seen,
    ):
        step = lifecycle.up(changing.stack(STACK))
    keys = changed_contents.contents(api)
    return Contents(mounted, {each for each in mounted if changed_contents.KEY in keys.get(each, ())}, step, seen)


def test_the_first_preview_creates_and_does_nothing_else(life: Life) -> None:
    assert set(life.preview.counts) == {"create"}


def test_up_creates_exactly_what_the_preview_showed(life: Life) -> None:
    assert life.up.operations == life.preview.operations


def test_a_second_up_changes_nothing(life: Life) -> None:
    assert life.again.operations == {}


def test_a_refresh_of_an_untouched_cloud_changes_nothing(life: Life) -> None:
    assert life.refreshed.operations == {}


def test_a_refresh_finds_what_was_changed_by_hand(life: Life) -> None:
    assert life.drifted.operations or life.mended.operations
    assert "enableDnsHostnames" in life.drifted.output


def test_up_undoes_what_was_changed_by_hand_and_touches_nothing_else(life: Life) -> None:
    assert life.mended.operations == {f"auterity-{STACK}": "update"}


def test_a_changed_setting_changes_exactly_the_resource_that_holds_it(life: Life) -> None:
    # Of one logical name: the parameter group and the instance.
    assert life.changed.operations == {f"auterity-{STACK}-postgres": "update"}
    assert life.changed.counts["update"] == 2


def test_a_change_that_waits_for_the_maintenance_window_is_no_drift(life: Life) -> None:
    assert life.waiting.changes == ()
    assert [(each.name, each.properties) for each in life.waiting.waiting] == [
        (f"auterity-{STACK}-postgres", ("instanceClass",))
    ]


def test_a_section_that_keeps_data_is_not_removed(life: Life) -> None:
    assert "because it is protected" in life.kept


def test_what_keeps_data_and_what_guards_it_outlives_the_removal_of_its_section(life: Life) -> None:
    assert life.lost == []


def test_everything_that_pods_mount_was_changed_on_the_running_stack(life: Life) -> None:
    kinds = {kind for kind, _, _ in life.contents.mounted}
    assert kinds == {"ConfigMap", "Secret"}
    assert life.contents.mounted - life.contents.changed == set()


def test_no_workload_is_deleted_for_what_it_mounts(life: Life) -> None:
    assert life.contents.seen.deleted == []


def test_there_are_never_fewer_pods_than_their_budget_asks_for_while_they_are_replaced(life: Life) -> None:
    seen = life.contents.seen
    assert {"auterity-app", "auterity-gateway", "auterity-loki", "auterity-prometheus", "auterity-vault"} <= seen.rolled
    assert max(seen.wanted.values()) > 1
    assert seen.short == {}


def test_no_generated_secret_stands_in_the_state_in_plain_text(life: Life) -> None:
    state = json.dumps(life.state)
    assert [secret for secret in life.secrets if secret in state] == []


def test_no_generated_secret_is_printed(life: Life) -> None:
    printed = life.preview.output + life.up.output + life.refreshed.output + life.destroyed.output
    assert [secret for secret in life.secrets if secret in printed] == []


def test_the_drawing_in_the_documentation_is_that_of_the_state(life: Life) -> None:
    drawn = draw({"deployment": life.state}).brief().svg()
    if os.environ.get("WRITE_SCREENS"):
        DRAWING.write_text(drawn)
    assert drawn == DRAWING.read_text()


def test_there_are_generated_secrets_to_look_for(life: Life) -> None:
    assert len(life.secrets) > 1


def test_the_database_is_found_by_the_stacks_outputs(life: Life) -> None:
    assert life.outputs["database_endpoint"].value.endswith(":5432")
    assert life.outputs["database_secret_arn"].value.startswith("arn:aws:secretsmanager:us-east-1:")


def test_it_refuses_to_be_destroyed_before_its_protection_is_lifted(life: Life) -> None:
    assert "protected" in life.refused


def test_destroy_leaves_nothing_but_the_databases_final_snapshot(life: Life) -> None:
    assert [kind for kind in life.left if kind != "aws:rds/snapshot:Snapshot"] == []


def _without(sandbox: Sandbox, stack: automation.Stack, *sections: str) -> tuple[str, list[str]]:
    """Take sections out of the stack, as if nobody had looked at a preview, and put them back.

    Returns what the engine said, and what was gone by then, or after that, of what keeps data or guards it.
    """
    guards = tuple(f"aws:s3/bucket{part}" for part in ("Policy", "PublicAccessBlock", "ServerSide", "Versioning"))
    store = sandbox.cloud.store
    before = {(each.type, each.id) for each in store.list() if each.type in KEEPS_DATA or each.type.startswith(guards)}
    values = {section: stack.get_config(f"auterity:{section}") for section in sections}
    for section in sections:
        stack.remove_config(f"auterity:{section}")
    with pytest.raises(automation.CommandError) as refused:
        lifecycle.up(stack)
    lost = before - {(each.type, each.id) for each in store.list()}
    for section, value in values.items():
        stack.set_config(f"auterity:{section}", value)
    lifecycle.up(stack)
    lost |= before - {(each.type, each.id) for each in store.list()}
    return str(refused.value), sorted(map(str, lost))


def _generated_secrets(sandbox: Sandbox) -> list[str]:
    """List every value that was generated to be secret: passwords, and the passphrase of the state itself."""
    opened = json.loads(sandbox.answer(STACK, "stack", "export", "--show-secrets"))["deployment"]
    passwords = [
        json.loads(resource["outputs"]["result"]["plaintext"])
        for resource in opened["resources"]
        if resource["type"] == "random:index/randomPassword:RandomPassword"
    ]
    return [(sandbox.home / "passphrase").read_text(), *passwords]
