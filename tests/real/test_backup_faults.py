"""What goes wrong at night: it is reported, the other target is complete, nothing earlier is lost, and the next run is
whole again.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.workspace import CHECKOUT
from tests.real.backing_up import Site, connected, fill, site, whole
from tests.real.backup_runs import backed_up_in_directories, healthy, running, runs
from tests.real.object_stores import gcs, s3
from tests.real.quick_repositories import make
from tests.real.reference_app import eventually
from tests.real.services import Postgres, postgres

DUMPING = "application_name = 'auterity-backup' AND query LIKE 'COPY%TO stdout%'"


@pytest.fixture(scope="module")
def in_clouds(tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres) -> Iterator[Site]:
    """A server with one backup, called `before`, in each of two clouds."""
    directory = tmp_path_factory.mktemp("clouds")
    fill(postgres_server)
    with s3(directory) as first, gcs(directory) as second:
        made = site(directory, postgres_server, {"s3": first, "gcs": second})
        make(made)
        made.run("run", "--id", "before")
        yield made


@pytest.fixture
def in_directories(tmp_path: Path, postgres_server: Postgres) -> Site:
    """A server with more rows, and one backup, called `before`, in each of two directories."""
    return backed_up_in_directories(tmp_path, postgres_server)


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


def test_a_full_disk_is_reported_and_the_next_run_is_whole(in_directories: Site, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", small], check=True)
    try:
        targets = in_directories.plan["targets"]
        in_directories.replan(targets=[{"name": "small", "repository": str(small / "kept")}, targets[1]])
        make(in_directories)
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


def spoil(at: Site, target: str) -> None:
    """Change one bit of the last piece but one of the dump in a target that is a directory.

    A later dump of the same data has that piece, too: its beginning tells when it was made, its end is a checksum.
    """
    [repository] = (Path(each["repository"]) for each in at.plan["targets"] if each["name"] == target)
    [dump] = json.loads(at.restic(target, "snapshots", "--json", "--tag", "dump").stdout)
    [file] = json.loads(at.restic(target, "cat", "tree", dump["id"]).stdout)["nodes"]
    pack, piece = next(
        (pack["id"], blob)
        for index in at.restic(target, "list", "index").stdout.split()
        for pack in json.loads(at.restic(target, "cat", "index", index).stdout)["packs"]
        for blob in pack["blobs"]
        if blob["id"] == file["content"][-2]
    )
    path = repository / "data" / pack[:2] / pack
    content = bytearray(path.read_bytes())
    content[piece["offset"] + piece["length"] // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def runbook(heading: str) -> list[str]:
    """Return the operator's commands in a section of the runbook, without their beginning."""
    text = (CHECKOUT / "docs/runbooks/backups.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^ {4,}python -m operations backup (.*?)(?: +#.*)?$", text, re.MULTILINE)


def dumping(at: Site) -> bool:
    """Say whether a dump is on its way."""
    with connected(at.server, "postgres") as connection:
        query = f"SELECT count(*) FROM pg_stat_activity WHERE {DUMPING}"
        return connection.execute(query.encode()).fetchone() != (0,)
