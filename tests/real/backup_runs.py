"""A database with one backup in each of two targets, and what became of the runs after that one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.real.backing_up import DATABASE, Site, connected, fill, site
from tests.real.quick_repositories import make
from tests.real.services import Postgres

ROWS = 600_000


def backed_up_in_directories(directory: Path, server: Postgres) -> Site:
    """Fill a server, more rows than usual, and keep one backup of it, called `before`, in each of two directories."""
    fill(server)
    with connected(server, DATABASE) as connection:
        connection.execute(f"CREATE TABLE much AS SELECT n, md5(n::text) FROM generate_series(1, {ROWS}) n".encode())
    made = site(directory, server, {})
    make(made)
    made.run("run", "--id", "before")
    return made


def runs(at: Site, target: str) -> list[str]:
    """List the complete runs in a target, as restic itself shows them."""
    listed = json.loads(at.restic(target, "snapshots", "--json", "--tag", "manifest").stdout)
    return [tag.removeprefix("run=") for each in listed for tag in each["tags"] if tag.startswith("run=")]


def healthy(at: Site, name: str) -> None:
    """Run once more, and see all of it in both targets, the first backup too."""
    at.run("run", "--id", name)
    for target in at.plan["targets"]:
        found = runs(at, target["name"])
        assert "before" in found
        assert name in found
        at.run("verify", "--target", target["name"], "--run", "before")


def running(at: Site, name: str) -> subprocess.Popen[bytes]:
    """Start a run."""
    return subprocess.Popen(
        at.command("run", "--id", name), env=at.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
