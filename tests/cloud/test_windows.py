"""What waits for a maintenance window, and what does not."""

from __future__ import annotations

import pytest

from sandbox.cloud.aws.windows import pass_windows
from sandbox.cloud.server import Cloud
from tests.cloud.hands import Hands, Made
from tests.cloud.landscape import database


@pytest.fixture
def waiting(aws: Hands) -> Made:
    """A database whose class was changed, to be done in the window."""
    main = database(aws)
    return aws.update(main, **{**main.inputs, "instanceClass": "db.r7g.xlarge", "applyImmediately": False})


def test_a_change_that_waits_for_its_window_is_not_told_before(aws: Hands, waiting: Made) -> None:
    found = aws.read(waiting)
    assert found is not None
    assert waiting["instanceClass"] == found["instanceClass"] == "db.r7g.large"
    assert aws.diff(waiting, **waiting.inputs).diffs == ["instanceClass"]


def test_the_window_brings_what_was_asked_for(cloud: Cloud, aws: Hands, waiting: Made) -> None:
    assert [resource.id for resource in pass_windows(cloud.store)] == [waiting.id]
    found = aws.read(waiting)
    assert found is not None
    assert found["instanceClass"] == "db.r7g.xlarge"
    assert not aws.diff(found, **waiting.inputs).changes


def test_a_change_that_applies_immediately_does_not_wait_and_takes_along_what_waits(aws: Hands, waiting: Made) -> None:
    changed = aws.update(waiting, **{**waiting.inputs, "multiAz": True, "applyImmediately": True})
    assert (changed["instanceClass"], changed["multiAz"]) == ("db.r7g.xlarge", True)


def test_what_needs_no_window_does_not_wait(aws: Hands) -> None:
    main = database(aws)
    changed = aws.update(main, **{**main.inputs, "deletionProtection": True, "applyImmediately": False})
    assert changed["deletionProtection"] is True
