"""Backups into S3 and Google Cloud Storage as their APIs are, and restores from each alone.

PostgreSQL is real, the commands are those that the scheduled jobs run. What is compared is compared independently.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.backing_up import DATABASE, Site, fill, site, whole
from tests.real.object_stores import gcs, s3
from tests.real.quick_repositories import make
from tests.real.services import Postgres, postgres


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres) -> Iterator[Site]:
    """A server whose database has one backup, called `night`, in each target."""
    directory = tmp_path_factory.mktemp("backup")
    fill(postgres_server)
    with s3(directory) as first, gcs(directory) as second:
        made = site(directory, postgres_server, {"s3": first, "gcs": second})
        make(made)
        made.run("run", "--id", "night")
        yield made


@pytest.mark.parametrize("target", ["s3", "gcs"])
def test_a_lost_server_comes_back_from_each_target_alone(backed_up: Site, target: str, tmp_path: Path) -> None:
    before = whole(backed_up.server)
    with postgres() as fresh:
        backed_up.restore(target, into=fresh)
        assert whole(fresh) == before


@pytest.mark.parametrize("target", ["s3", "gcs"])
def test_a_destroyed_database_comes_back_on_its_own_server(backed_up: Site, target: str) -> None:
    before = whole(backed_up.server)
    with backed_up.connect("postgres") as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())
    backed_up.restore(target)
    assert whole(backed_up.server) == before


def test_a_database_with_something_in_it_is_not_overwritten_unless_it_is_named(backed_up: Site) -> None:
    with backed_up.connect() as connection:
        connection.execute("CREATE TABLE later (a integer)")
        refused = backed_up.restore("s3", code=3)
        assert f"--overwrite {DATABASE}" in refused
        backed_up.restore("s3", "--overwrite", "other", code=3)
        assert connection.execute("SELECT to_regclass('later')").fetchone() == ("later",)
    backed_up.restore("s3", "--overwrite", DATABASE)
    with backed_up.connect() as connection:
        assert connection.execute("SELECT to_regclass('later')").fetchone() == (None,)


def test_a_backup_is_restored_beside_its_database_under_another_name(backed_up: Site) -> None:
    before = whole(backed_up.server)
    backed_up.restore("gcs", "--database", f"{DATABASE}=shop_yesterday")
    with backed_up.connect("shop_yesterday") as connection:
        assert connection.execute("SELECT count(*) FROM shop.orders").fetchone() == (5000,)
    assert whole(backed_up.server) == before
    with backed_up.connect("postgres") as connection:
        connection.execute("DROP DATABASE shop_yesterday")


def test_init_makes_a_repository_in_each_cloud_and_leaves_one_that_is_there_alone(backed_up: Site) -> None:
    known = backed_up.plan["targets"]
    backed_up.replan(targets=[{**target, "repository": f"{target['repository']}-new"} for target in known])
    backed_up.run("init")
    made = backed_up.restic("gcs", "cat", "config").stdout
    backed_up.run("init")
    assert backed_up.restic("gcs", "cat", "config").stdout == made
    assert backed_up.restic("s3", "list", "snapshots").stdout == ""
    backed_up.replan(targets=known)


def test_both_targets_list_and_verify_the_backup(backed_up: Site) -> None:
    listed = backed_up.run("list").stdout
    assert [line.count("night") for line in listed.splitlines() if "night" in line] == [1, 1]
    verified = backed_up.run("verify", "--run", "night", "--everything").stderr
    assert "s3: night is whole" in verified
    assert "gcs: night is whole" in verified


def test_the_same_run_again_writes_nothing(backed_up: Site) -> None:
    before = backed_up.restic("s3", "list", "snapshots").stdout
    backed_up.run("run", "--id", "night")
    assert backed_up.restic("s3", "list", "snapshots").stdout == before


def test_a_second_night_adds_little_to_what_is_there(backed_up: Site) -> None:
    def held(target: str) -> int:
        stats = backed_up.restic(target, "stats", "--mode=raw-data", "--json").stdout
        return int(stats.partition('"total_size":')[2].partition(",")[0])

    with backed_up.connect() as connection:
        connection.execute("CREATE TABLE much AS SELECT n, md5(n::text) FROM generate_series(1, 1200000) n")
        backed_up.run("run", "--id", "much")
        before = held("gcs")
        connection.execute("INSERT INTO much VALUES (0, 'one more')")
        backed_up.run("run", "--id", "next")
        connection.execute("DROP TABLE much")
    # Each repository cuts elsewhere, by a secret of its own, into pieces of 0.5 to 8 MiB. Some at the beginning and the
    # end of 23 MB are new; without `--rsyncable`, all would be.
    assert held("gcs") - before < before / 2


def test_no_password_is_on_a_command_line_or_in_the_log(backed_up: Site) -> None:
    said = backed_up.run("run", "--id", "quiet")
    for secret in (backed_up.server.password, "a key of the tests"):
        assert secret not in said.stdout + said.stderr
