"""What goes wrong at night: it is reported, the other target is complete, nothing earlier is lost, and the next run is
whole again.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sandbox.workspace import CHECKOUT
from tests.real.backing_up import DATABASE, Site, connected, fill, site, whole
from tests.real.object_stores import gcs, s3
from tests.real.quick_repositories import make
from tests.real.reference_app import eventually
from tests.real.services import Postgres, postgres

ROWS = 600_000

KILLS = 30
"""Points of a run, evenly over its time, at which it is killed."""

DUMPING = "application_name = 'auterity-backup' AND query LIKE 'COPY%TO stdout%'"


@pytest.fixture(scope="module")
def in_clouds(tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres) -> Iterator[Site]:
    """A server with one backup, called `before`, in each of two clouds."""
    directory = tmp_path_factory.mktemp("clouds")
    fill(postgres_server)
    with s3(directory) as first, gcs(directory) as second:
        made = site(directory, postgres_server, {"s3": first, "gcs": second})
        made.run("init")
        made.run("run", "--id", "before")
        yield made


@pytest.fixture
def in_directories(tmp_path: Path, postgres_server: Postgres) -> Site:
    """A server with more rows, and one backup, called `before`, in each of two directories."""
    fill(postgres_server)
    with connected(postgres_server, DATABASE) as connection:
        connection.execute(f"CREATE TABLE much AS SELECT n, md5(n::text) FROM generate_series(1, {ROWS}) n".encode())
    made = site(tmp_path, postgres_server, {})
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


def test_a_cloud_that_does_not_answer_stops_nobody_else(in_clouds: Site) -> None:
    in_clouds.replan(limits={"reach": 5, "transfer": 60, "lock": 5})
    in_clouds.stores["gcs"].stop()
    failed = in_clouds.run("run", "--id", "without-gcs", code=1)
    assert "gcs: failed" in failed.stderr
    assert "s3: done" in failed.stderr
    in_clouds.stores["gcs"].start()
    in_clouds.run("run", "--id", "without-gcs")
    assert runs(in_clouds, "s3") == ["before", "without-gcs"]
    assert runs(in_clouds, "gcs") == ["before", "without-gcs"]


def test_a_cloud_that_hangs_stops_nobody_else(in_clouds: Site) -> None:
    in_clouds.replan(limits={"reach": 5, "transfer": 60, "lock": 5})
    with in_clouds.stores["s3"].hanging():
        failed = in_clouds.run("run", "--id", "without-s3", code=1)
    assert "s3: failed" in failed.stderr
    assert "gcs: done" in failed.stderr
    healthy(in_clouds, "with-s3")


def test_a_wrong_key_is_refused_and_changes_nothing(in_clouds: Site) -> None:
    key = in_clouds.directory / "key"
    right = key.read_text()
    key.write_text("another key")
    failed = in_clouds.run("run", "--id", "wrong-key", code=1)
    assert failed.stderr.count("the password is not one of this repository") >= 2
    key.write_text(right)
    healthy(in_clouds, "right-key")


def test_a_repository_that_is_gone_is_reported_and_not_made_anew(in_directories: Site) -> None:
    first, second = (Path(target["repository"]) for target in in_directories.plan["targets"])
    first.rename(first.with_name("elsewhere"))
    failed = in_directories.run("run", "--id", "gone", code=1)
    assert "first: failed" in failed.stderr
    assert not (first / "config").exists()
    assert runs(in_directories, "second") == ["before", "gone"]
    assert second.exists()


def test_a_database_that_is_killed_leaves_no_backup_and_loses_none(in_directories: Site) -> None:
    server = in_directories.server
    with running(in_directories, "killed") as process:
        eventually(lambda: dumping(in_directories))
        server.stop()
        assert process.wait(120) == 1
    server.start()
    assert runs(in_directories, "first") == ["before"]
    assert runs(in_directories, "second") == ["before"]
    healthy(in_directories, "after")


def test_a_session_that_is_ended_in_the_middle_of_a_dump_spoils_one_target_at_most(in_directories: Site) -> None:
    with running(in_directories, "cut") as process, connected(in_directories.server, "postgres") as connection:
        eventually(lambda: dumping(in_directories))
        one = f"SELECT pid FROM pg_stat_activity WHERE {DUMPING} ORDER BY pid LIMIT 1"
        connection.execute(f"SELECT pg_terminate_backend(({one}))".encode())
        assert process.wait(120) == 1
    assert sorted("cut" in runs(in_directories, target) for target in ("first", "second")) == [False, True]
    in_directories.run("run", "--id", "cut")
    assert runs(in_directories, "first") == runs(in_directories, "second") == ["before", "cut"]


def test_a_run_that_is_killed_anywhere_leaves_nothing_that_counts_and_nothing_in_the_way(in_directories: Site) -> None:
    server = in_directories.server
    began = time.monotonic()
    in_directories.run("run", "--id", "whole")
    whole_run = time.monotonic() - began
    for number in range(KILLS):
        with running(in_directories, f"killed-{number}") as process:
            time.sleep(whole_run * (number + 1) / KILLS)
            kill(process)
        for target in ("first", "second"):
            assert {"before", "whole"} <= set(runs(in_directories, target))
    for target in ("first", "second"):
        for run in runs(in_directories, target):
            in_directories.run("verify", "--target", target, "--run", run)
    healthy(in_directories, "after")
    in_directories.run("prune")
    dumps = json.loads(in_directories.restic("first", "snapshots", "--json", "--tag", "dump").stdout)
    assert len(dumps) == len(runs(in_directories, "first"))
    with postgres() as fresh:
        in_directories.restore("second", into=fresh)
        assert whole(fresh) == whole(server)


def test_a_full_disk_is_reported_and_the_next_run_is_whole(in_directories: Site, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", small], check=True)
    try:
        targets = in_directories.plan["targets"]
        in_directories.replan(targets=[{"name": "small", "repository": str(small / "kept")}, targets[1]])
        in_directories.run("init")
        in_directories.run("run", "--id", "early")
        used = sum(path.stat().st_blocks for path in small.rglob("*")) // 2
        subprocess.run(["mount", "-o", f"remount,size={used + 4096}k", small], check=True)
        with in_directories.connect() as connection:
            connection.execute("UPDATE much SET md5 = md5(md5)")
        failed = in_directories.run("run", "--id", "full", code=1)
        assert "small: failed" in failed.stderr
        assert "no space left" in failed.stderr
        assert runs(in_directories, "small") == ["early"]
        assert runs(in_directories, "second") == ["before", "early", "full"]
        in_directories.run("verify", "--target", "small", "--run", "early")
        subprocess.run(["mount", "-o", "remount,size=200m", small], check=True)
        in_directories.run("run", "--id", "full")
        assert runs(in_directories, "small") == ["early", "full"]
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_spoilt_object_is_found_and_the_other_target_restores(in_directories: Site) -> None:
    spoil(in_directories, "first")
    assert "first: failed" in in_directories.run("verify", code=1).stderr
    # What is spoilt is not written again, since the repository believes to have it: reading back notices.
    failed = in_directories.run("run", "--id", "spoilt", code=1)
    assert "first: failed" in failed.stderr
    assert "second: done" in failed.stderr
    with postgres() as fresh:
        in_directories.restore("first", code=1, into=fresh)
        with connected(fresh, "postgres") as connection:
            left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'shop%'").fetchall()
        assert left == []
        in_directories.restore("second", into=fresh)
        assert whole(fresh) == whole(in_directories.server)
    for command, code in zip(runbook("A spoilt backup"), (1, 0, 0, 0, 0), strict=True):
        in_directories.run(*command.replace("s3", "first").split(), code=code)
    assert {"before", "repaired"} <= set(runs(in_directories, "first"))
    in_directories.run("prune")
    in_directories.run("verify", "--target", "first", "--run", "before", "--everything")


def test_a_backup_that_no_run_can_write_again_is_forgotten_where_it_is_spoilt_and_stays_elsewhere(
    in_directories: Site,
) -> None:
    with in_directories.connect() as connection:
        connection.execute("DROP TABLE much")
    spoil(in_directories, "first")
    in_directories.run("repair", "--target", "first", code=1)
    in_directories.run("run", "--id", "later")
    in_directories.run("repair", "--target", "first", "--forget")
    assert runs(in_directories, "first") == ["later"]
    assert runs(in_directories, "second") == ["before", "later"]
    in_directories.run("prune")
    in_directories.run("verify", "--everything")


def running(at: Site, name: str) -> subprocess.Popen[bytes]:
    """Start a run."""
    return subprocess.Popen(
        at.command("run", "--id", name), env=at.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def spoil(at: Site, target: str) -> None:
    """Change one bit of the largest file of data in a target that is a directory."""
    [repository] = (Path(each["repository"]) for each in at.plan["targets"] if each["name"] == target)
    files = (path for path in (repository / "data").rglob("*") if path.is_file())
    pack = max(files, key=lambda path: path.stat().st_size)
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(content)


def runbook(heading: str) -> list[str]:
    """Return the operator's commands in a section of the runbook, without their beginning."""
    text = (CHECKOUT / "docs/runbooks/backups.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^ {4,}python -m operations backup (.*?)(?: +#.*)?$", text, re.MULTILINE)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a run with all that it has started, as a container's end does."""
    with contextlib.suppress(psutil.NoSuchProcess):
        own = psutil.Process(process.pid)
        for each in (own, *own.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait()


def dumping(at: Site) -> bool:
    """Say whether a dump is on its way."""
    with connected(at.server, "postgres") as connection:
        query = f"SELECT count(*) FROM pg_stat_activity WHERE {DUMPING}"
        return connection.execute(query.encode()).fetchone() != (0,)
