"""The script that brings Kong's tables to a release, from each state in which a deployment may find them.

Kong itself cannot be had here: what stands for it keeps the states, refusals and exit codes of
``kong/cmd/migrations.lua`` and ``kong/cmd/utils/migrations.lua``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.workload.gateway import LOGIN, MIGRATE

KONG = f"""#!{sys.executable}
import json, os, pathlib, sys
assert os.environ["KONG_PG_PASSWORD"] == "secret" and "KONG_PG_PASSWORD_FILE" not in os.environ
file, released, command = pathlib.Path(os.environ["TABLES"]), os.environ["RELEASE"].split(), sys.argv[2]
state = json.loads(file.read_text())
file.with_name("steps").open("a").write(command + " ")
known = None if state is None else state["executed"] + state["pending"]
new = [] if known is None else [each for each in released if each not in known]
if command == "list":
    if known is None:
        sys.exit(3)
    if new:
        print("New migrations available:", *new)
    sys.exit(4 if state["pending"] else 5 if new else 0)
if (known is None) != (command == "bootstrap"):
    sys.exit("the database needs bootstrapping, or has been bootstrapped")
if command == "bootstrap":
    state = {{"executed": released, "pending": []}}
if command == "up":
    if state["pending"]:
        sys.exit("Database has pending migrations; run 'kong migrations finish'")
    state["pending"] = new
if command == "finish":
    state = {{"executed": known, "pending": []}}
file.write_text(json.dumps(state))
"""


@pytest.mark.parametrize(
    ("before", "executed", "pending", "steps"),
    [
        (None, ["3.8", "3.9"], [], "list bootstrap list"),
        ({"executed": ["3.8", "3.9"], "pending": []}, ["3.8", "3.9"], [], "list list"),
        ({"executed": ["3.8"], "pending": []}, ["3.8"], ["3.9"], "list up list"),
        ({"executed": ["3.8"], "pending": ["3.9"]}, ["3.8"], ["3.9"], "list list"),
        ({"executed": [], "pending": ["3.8"]}, ["3.8"], ["3.9"], "list finish list up list"),
    ],
    ids=["empty", "up to date", "another release", "rollout interrupted", "release before it interrupted"],
)
def test_tables_are_ready_for_the_rollout_from_each_state(
    tmp_path: Path, before: object, executed: list[str], pending: list[str], steps: str
) -> None:
    tables = tmp_path / "tables"
    tables.write_text(json.dumps(before))
    (tmp_path / "password").write_text("secret")
    program = tmp_path / "bin" / "kong"
    program.parent.mkdir()
    program.write_text(KONG)
    program.chmod(0o755)
    environment = {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "KONG_PG_PASSWORD_FILE": str(tmp_path / "password"),
        "TABLES": str(tables),
        "RELEASE": "3.8 3.9",
    }
    command = ["bash", "-euc", MIGRATE.replace(LOGIN, str(tmp_path))]
    subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=30)
    assert json.loads(tables.read_text()) == {"executed": executed, "pending": pending}
    assert (tmp_path / "steps").read_text().split() == steps.split()
