"""Nights that pass: what is kept is what an oracle says, at every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.backup import pruning
from operations.backup.manifest import DUMP, MANIFEST
from sandbox.toolchain.backup_binaries import ensure_restic
from sandbox.toolchain.cache import cache_directory
from tests.real.backing_up import Site, site
from tests.real.kept_backups import back_up_at, kept, nights, repositories, there
from tests.real.object_stores import gcs, s3
from tests.real.quick_repositories import make
from tests.real.services import Postgres, postgres

SKIPPED_WEEK = range(120, 127)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture(autouse=True)
def _restic_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(ensure_restic(cache_directory()).parent), prepend=":")


def test_of_400_nights_the_right_ones_remain_at_every_one(tmp_path: Path, server: Postgres) -> None:
    at = site(tmp_path, server, {})
    make(at)
    [repository, _] = repositories(at)
    policy, passed = repository.plan.retention, []
    for night in nights(400, without=SKIPPED_WEEK):
        passed.append(night)
        back_up_at(repository, night, dump=False)
        repository.forget_by(MANIFEST, policy)
        assert there(repository) == kept(passed, policy)


@pytest.mark.parametrize("cloud", ["s3", "gcs"])
def test_of_30_nights_in_a_cloud_the_right_ones_remain_with_their_dumps(
    tmp_path: Path, server: Postgres, cloud: str
) -> None:
    start = s3 if cloud == "s3" else gcs
    with start(tmp_path) as store:
        at: Site = site(tmp_path, server, {"cloud": store})
        make(at)
        [repository] = repositories(at)
        policy, passed = repository.plan.retention, []
        for night in nights(37, without=range(10, 17)):
            passed.append(night)
            back_up_at(repository, night)
            pruning.prune(repository)
            assert there(repository) == kept(passed, policy)
            assert there(repository, DUMP) == kept(passed, policy)
        repository.check(data=True)
