"""From a pull request to production, on the real engine in the sandbox."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from pulumi import automation

from delivery import engine
from delivery.changes import Change, Changes, Said
from delivery.comment import comment
from sandbox import stack_files
from sandbox.workspace import Sandbox
from tests.sandbox import lifecycle

GOLDEN = Path(__file__).parent / "golden"
STACK = "dev"
NOT_NEEDED = ("app", "database", "edge", "ecs", "image", "storage", "alarms")


@dataclass(frozen=True)
class Life:
    """What was told of a stack in turn."""

    created: Changes
    changed: Changes
    refused: str
    left: Changes
    deployed: Changes
    steady: Changes
    drifted: Changes
    wrong: Changes
    forbidden: Changes
    undone: str


@pytest.fixture(scope="module")
def life(module_sandbox: Sandbox) -> Life:
    stack = module_sandbox.stack(STACK)
    lifecycle.without_cluster(stack)
    lifecycle.remove(stack, *NOT_NEEDED)
    created = engine.preview(stack)
    engine.deploy(stack, created)

    lifecycle.set_path(stack, "network.nat", "none")
    changed = engine.preview(stack)
    # Somebody else has merged meanwhile.
    lifecycle.set_path(stack, "network.az_count", "3")
    refused = ""
    try:
        engine.deploy(stack, changed)
    except engine.DifferentError as error:
        refused = str(error)
    left = engine.drift(stack)
    lifecycle.set_path(stack, "network.az_count", "2")
    deployed, steady = engine.deploy(stack, changed), engine.drift(stack)

    by_hand(module_sandbox)
    drifted = engine.drift(stack)
    lifecycle.set_path(stack, "network.az_count", "3")
    lifecycle.set_path(stack, "network.cidr", "10.30.0.0/16")
    run_instead(module_sandbox, OPENED)
    # The exemptions are for what is not in this part of the stack.
    settings = stack_files.read(POLICIES / "config.yaml")
    stack_files.write(module_sandbox.home / "policies.yaml", {**settings, "exemptions": []})
    known = {"POLICY_PACK_CONFIG": str(module_sandbox.home / "policies.yaml")}
    stack.workspace.env_vars = {**stack.workspace.env_vars, **known}
    forbidden = engine.preview(stack, [POLICIES])
    undone = ""
    try:
        engine.deploy(stack, forbidden, [POLICIES])
    except engine.DifferentError as error:
        undone = str(error)
    lifecycle.set_path(stack, "network.az_count", "9")
    wrong = engine.preview(stack)
    return Life(created, changed, refused, left, deployed, steady, drifted, wrong, forbidden, undone)


ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
OPENED = f"""
import os, runpy, sys
os.chdir({str(ROOT)!r})
sys.path.insert(0, {str(ROOT)!r})
from tests.policies.stacks import Line, change

change([Line("", "aws:ec2/subnet:Subnet", "map_public_ip_on_launch", True, "public-a")])
runpy.run_path({str(ROOT / "__main__.py")!r}, run_name="__main__")
"""
"""The program after a change that gives a public address to whatever starts in a subnet."""


def run_instead(sandbox: Sandbox, program: str) -> None:
    """Let the engine run another program until the sandbox prepares the stack anew."""
    directory = sandbox.home / "changed"
    directory.mkdir()
    (directory / "__main__.py").write_text(program, encoding="utf-8")
    project = stack_files.read(sandbox.project_directory / "Pulumi.yaml")
    stack_files.write(sandbox.project_directory / "Pulumi.yaml", {**project, "main": str(directory)})


def by_hand(sandbox: Sandbox) -> None:
    """Change something in the cloud, past the program."""
    [vpc] = [each for each in lifecycle.exported(sandbox, STACK)["resources"] if each["type"] == "aws:ec2/vpc:Vpc"]
    sandbox.cloud.store.change(vpc["id"], "enableDnsHostnames", False, vpc["type"])


def told(account: Changes) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return what an account says without its values."""
    return [(each.kind, each.urn, each.properties) for each in account.changes]


def golden(name: str, text: str) -> None:
    """Compare with what is kept; a file that is not there is written, for people to look at."""
    path = GOLDEN / f"{name}.md"
    # The clouds draw ids anew each time.
    text = re.sub(r"-[0-9a-f]{17}\b", "-0", text)
    if not path.exists():
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path} was not there; it is written now: look at it")
    assert text == path.read_text(encoding="utf-8")


def test_the_comment_about_a_new_stack_lists_what_is_created(life: Life) -> None:
    assert {change.kind for change in life.created.changes} == {"create"}
    golden("create", comment([life.created]))


def test_the_comment_about_a_change_begins_with_what_is_deleted(life: Life) -> None:
    assert {change.kind for change in life.changed.changes} >= {"delete"}
    golden("delete", comment([life.changed]))


def test_what_was_agreed_on_is_done_and_nothing_else(life: Life) -> None:
    # What a deployment does is known in full; what was agreed on was not.
    assert told(life.deployed) == told(life.changed)
    assert life.steady.changes == ()


def test_a_deployment_that_would_do_more_than_agreed_does_nothing(life: Life) -> None:
    assert "would be changed in another way than agreed on" in life.refused
    assert "agreed nothing, now create" in life.refused
    assert life.left.changes == ()


def test_a_change_by_hand_is_found(life: Life) -> None:
    [change] = life.drifted.changes
    assert (change.kind, change.type) == ("update", "aws:ec2/vpc:Vpc")
    assert change.properties == ("enableDnsHostnames",)


def test_a_preview_that_fails_says_why_in_the_comment(life: Life) -> None:
    assert life.wrong.stopped
    text = comment([life.steady, life.wrong])
    assert "auterity:network.az_count: 9 given" in text
    assert "**the preview failed**" in text


def test_the_comment_about_what_a_policy_forbids_says_so_before_all_else(life: Life) -> None:
    assert {each.policy for each in life.forbidden.said if each.mandatory} == {"aws-no-automatic-public-address"}
    assert {change.kind for change in life.forbidden.changes} >= {"create", "replace"}
    golden("policy", comment([Changes(stack="prod", same=484), life.forbidden]))


def test_what_a_policy_forbids_is_not_deployed_by_the_engine_either(life: Life) -> None:
    assert life.undone == "dev may not be deployed: a policy forbids it"


URN = "urn:pulumi:prod::auterity::auterity:database:RdsPostgres$aws:rds/instance:Instance::auterity-prod-postgres"
REPLACED = Changes(
    stack="prod",
    changes=(Change(kind="replace", urn=URN, properties=("storageEncrypted", "kmsKeyId")),),
    same=484,
    said=(
        Said(policy="aws-database-encrypted", mandatory=True, resource="auterity-prod-postgres", message="it is plain"),
        Said(policy="aws-tags", mandatory=False, resource="auterity-prod-postgres", message="no Owner"),
    ),
)


def test_the_comment_names_the_properties_of_a_replacement_and_the_policies_that_forbid_it() -> None:
    golden("replace", comment([Changes(stack="dev", same=396), REPLACED]))


def test_an_account_survives_a_file(tmp_path: Path) -> None:
    REPLACED.write(tmp_path / "account.json")
    assert Changes.read(tmp_path / "account.json") == REPLACED


def test_the_comment_says_what_a_value_is_and_what_it_would_be(life: Life) -> None:
    text = comment([life.forbidden])
    assert "`cidrBlock`: `10.20.0.0/16` → `10.30.0.0/16`" in text
    assert "`mapPublicIpOnLaunch`: `false` → `true`" in text


@pytest.mark.parametrize("what", ["preview", "now"])
def test_what_policies_forbid_is_not_deployed(module_sandbox: Sandbox, life: Life, what: str) -> None:
    stack: automation.Stack = module_sandbox.stack(STACK)
    with pytest.raises(engine.DifferentError, match="may not be deployed"):
        engine.deploy(stack, REPLACED if what == "preview" else life.changed)
