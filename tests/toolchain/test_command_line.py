"""``python -m sandbox``, as the Makefile's targets call it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.__main__ import LONGEST_SHOWN, shown
from sandbox.cloud.store import Resource, Store
from sandbox.kubernetes import Cluster
from sandbox.workspace import CHECKOUT

Command = Callable[..., "subprocess.CompletedProcess[str]"]

UNPROTECTED = (
    *("kubernetes", "gateway", "vault", "runtimes", "observability", "backup"),
    *("cache", "messaging", "storage", "database_proxy"),
)
"""Sections of production whose resources anybody may delete, and without which there is a stack."""


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Run a command of the sandbox in a home of the test's own."""
    env = {**os.environ, "AUTERITY_SANDBOX_HOME": str(tmp_path)}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "sandbox", *arguments],
            cwd=CHECKOUT,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def bucket(tmp_path: Path) -> str:
    """Make a bucket in the simulated cloud; returns its id."""
    store = Store(tmp_path / "cloud")
    properties = {"bucket": "logs", "forceDestroy": False}
    store.put(Resource("aws", "123456789012", "us-east-1", "aws:s3/bucket:Bucket", "logs", "logs", {}, properties))
    store.close()
    return "logs"


def test_an_unknown_stack_is_one_line_that_names_those_that_exist(command: Command) -> None:
    done = command("preview", "prd")
    assert done.returncode == 1
    assert done.stderr.startswith("error: There is no stack 'prd'")
    assert done.stderr.rstrip().endswith("dev, local, prod")
    assert "Traceback" not in done.stderr


def test_the_engine_s_exit_code_is_passed_on(command: Command) -> None:
    stack_not_found = 6
    assert command("pulumi", "dev", "stack", "output", "--stack", "gone").returncode == stack_not_found


def test_up_ends_with_the_outputs_and_what_to_try_next_and_destroy_takes_the_cluster_along(
    command: Command, tmp_path: Path
) -> None:
    done = command("up", "local")
    assert done.returncode == 0, done.stdout
    shown = done.stdout[done.stdout.index("Outputs of stack local") :]
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in shown.splitlines() if "│" in line]
    assert ["environment", "local"] in rows
    assert "make destroy STACK=local" in shown
    told = done.stderr[done.stderr.index("Bringing stack local up: usually") :].splitlines()
    assert re.fullmatch(r"  \d+ create", told[-1]), told
    assert len(told) < 20, told
    assert "auterity-app" in command("kubectl", "local", "get", "pods", "--namespace", "auterity").stdout

    cluster = Cluster(tmp_path / "cloud" / "kubernetes" / "kind-auterity-dev")
    running = list(cluster.daemons.running().values())
    assert len(running) == 6
    assert command("destroy", "local").returncode == 0
    assert [process for process in running if process.is_running()] == []
    gone = command("kubectl", "local", "get", "pods")
    assert gone.returncode == 1
    assert gone.stderr.startswith("error: Stack local has no running cluster")


def test_an_output_too_long_for_a_table_is_told_by_how_to_see_it() -> None:
    assert shown("dev", "zones", {"a": ["1", "2"], "b": 3}) == "a: 1\n2\nb: 3"
    told = shown("dev", "kubeconfig", "x" * (LONGEST_SHOWN + 1))
    assert told == "601 characters: make pulumi STACK=dev ARGS='stack output kubeconfig'"


def test_a_protected_stack_is_left_whole_until_its_protection_is_lifted_on_purpose(command: Command) -> None:
    for section in UNPROTECTED:
        assert command("pulumi", "prod", "config", "rm", f"auterity:{section}").returncode == 0
    assert command("up", "prod").returncode == 0
    before = command("cloud", "list").stdout

    refused = command("destroy", "prod")
    assert refused.returncode != 0
    assert "cannot be deleted" in refused.stderr
    assert "make destroy STACK=prod ARGS=--unprotect" in refused.stderr
    assert command("cloud", "list").stdout == before

    lifted = command("destroy", "prod", "--unprotect")
    assert lifted.returncode == 0, lifted.stdout
    assert "Switched deletion protection off: aws:rds/instance:Instance" in lifted.stderr
    assert json.loads(command("pulumi", "prod", "stack", "export").stdout)["deployment"].get("resources", []) == []


def test_the_clouds_are_listed_by_part_of_a_type(command: Command, bucket: str) -> None:
    assert bucket in command("cloud", "list", "s3").stdout
    assert bucket not in command("cloud", "list", "rds").stdout


def test_a_property_changed_by_hand_is_what_the_cloud_then_says(command: Command, bucket: str) -> None:
    assert command("cloud", "set", bucket, "forceDestroy", "true").returncode == 0
    assert json.loads(command("cloud", "show", bucket).stdout)["forceDestroy"] is True


def test_a_resource_removed_by_hand_is_gone(command: Command, bucket: str) -> None:
    assert command("cloud", "remove", bucket).returncode == 0
    done = command("cloud", "show", bucket)
    assert done.returncode == 1
    assert done.stderr.startswith("error: id 'logs'")


def test_what_waits_for_its_window_is_done_once_it_has_passed(command: Command, tmp_path: Path) -> None:
    store = Store(tmp_path / "cloud")
    waits = {"__pending": {"instanceClass": "db.r7g.xlarge"}}
    shown = {"instanceClass": "db.r7g.large"}
    store.put(Resource("aws", "123456789012", "us-east-1", "aws:rds/instance:Instance", "db-1", "main", waits, shown))
    store.close()
    assert command("cloud", "maintain").stdout == "Maintained aws:rds/instance:Instance db-1\n"
    assert json.loads(command("cloud", "show", "db-1").stdout)["instanceClass"] == "db.r7g.xlarge"
    assert command("cloud", "maintain").stdout == ""


def test_a_fault_that_the_clouds_do_not_know_is_refused_and_changes_nothing(command: Command, tmp_path: Path) -> None:
    assert command("faults", "add", "*", "create", "throttling").returncode == 0
    before = (tmp_path / "cloud" / "faults.json").read_text()
    done = command("faults", "add", "*", "reboot", "throttling")
    assert done.returncode == 1
    assert "'reboot' is not one of create, read, update, delete" in done.stderr
    assert (tmp_path / "cloud" / "faults.json").read_text() == before


def test_cleared_faults_are_gone(command: Command) -> None:
    command("faults", "latency", "*", "create", "2.5")
    assert "takes 2.5 s" in command("faults", "list").stdout
    command("faults", "clear")
    assert "takes" not in command("faults", "list").stdout
