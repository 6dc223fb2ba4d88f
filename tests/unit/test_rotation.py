"""What the program renders for another version of a login: who is told of it, and when."""

from __future__ import annotations

import pytest

from tests.unit.programs import object_of
from tests.unit.rotation import DEPLOYMENT, SECRET, rendered

STORES = ("database", "cache", "queue")


@pytest.mark.parametrize("store", STORES)
def test_no_pod_learns_of_a_new_login_before_the_server_was_seen_to_accept_it(store: str) -> None:
    recording = rendered(2)
    [waiting] = [
        job.urn for job in recording.of_type("kubernetes:batch/v1:Job") if job.name == f"auterity-local-{store}-login"
    ]
    assert waiting in object_of(recording, DEPLOYMENT, "auterity-app").depends_on


@pytest.mark.parametrize("name", ["database-auterity", "database-kong", "cache-login", "queue-login"])
def test_a_new_login_leaves_the_secret_of_the_one_in_use_as_it_is(name: str) -> None:
    before, after = (rendered(version).named(f"auterity-local-{name}", SECRET).inputs for version in (1, 2))
    assert before == after


@pytest.mark.parametrize("store", STORES)
def test_a_new_login_restarts_no_server(store: str) -> None:
    before, after = (
        object_of(rendered(version), "kubernetes:apps/v1:StatefulSet", f"auterity-{store}").inputs for version in (1, 2)
    )
    assert before == after
