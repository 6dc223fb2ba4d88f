"""What is drift, and what only waits for a maintenance window, by the engine's events."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.automation import EngineEvent, OpType
from pulumi.automation.events import ResourcePreEvent, ResOutputsEvent, StepEventMetadata, StepEventStateMetadata

from delivery.changes import Change, Changes, Listener, Value
from delivery.comment import comment

TYPE = "aws:rds/instance:Instance"
URN = f"urn:pulumi:prod::auterity::{TYPE}::auterity-prod-postgres"
ASKED = {"applyImmediately": False, "instanceClass": "db.r7g.xlarge", "backupRetentionPeriod": 14}
LEFT = {**ASKED, "instanceClass": "db.r7g.large", "status": "available"}
"""What the deployment left: the class waits."""


def found(now: dict[str, Any], diffs: list[str], asked: dict[str, Any] = ASKED) -> Changes:
    """Tell the listener how a refresh has found a resource."""

    def step(op: OpType, outputs: dict[str, Any]) -> StepEventMetadata:
        old, new = (
            StepEventStateMetadata(TYPE, URN, "id", "parent", "provider", inputs=asked, outputs=each)
            for each in (LEFT, outputs)
        )
        return StepEventMetadata(op, URN, TYPE, "provider", old=old, new=new, diffs=diffs)

    listener = Listener("prod")
    refresh = ResourcePreEvent(step(OpType.REFRESH, LEFT))
    listener.hear(EngineEvent(1, 1, resource_pre_event=refresh))
    result = ResOutputsEvent(step(OpType.UPDATE if diffs else OpType.SAME, now))
    listener.hear(EngineEvent(2, 1, res_outputs_event=result))
    return listener.account()


def change(*properties: str) -> Change:
    return Change(kind="update", urn=URN, properties=properties)


def test_what_was_deployed_and_waits_for_its_window_is_no_drift() -> None:
    account = found(LEFT, ["instanceClass"])
    assert (account.changes, account.waiting) == ((), (change("instanceClass"),))


def test_what_somebody_has_changed_is_drift_beside_what_waits() -> None:
    account = found({**LEFT, "backupRetentionPeriod": 1}, ["backupRetentionPeriod", "instanceClass"])
    values = (Value(path="backupRetentionPeriod", before="14", after="1"),)
    assert account.changes == (change("backupRetentionPeriod").model_copy(update={"values": values}),)
    assert account.waiting == (change("instanceClass"),)


def test_another_value_than_the_one_that_waits_is_drift() -> None:
    account = found({**LEFT, "instanceClass": "db.t4g.micro"}, ["instanceClass"])
    values = (Value(path="instanceClass", before="db.r7g.large", after="db.t4g.micro"),)
    assert account.changes == (change("instanceClass").model_copy(update={"values": values}),)
    assert account.waiting == ()


@pytest.mark.parametrize("immediately", [True, None])
def test_nothing_waits_where_changes_apply_immediately(immediately: bool | None) -> None:
    asked = {**ASKED, "applyImmediately": immediately}
    assert found(LEFT, ["instanceClass"], asked).changes == (change("instanceClass"),)


def test_a_secret_that_may_have_changed_is_drift() -> None:
    account = found({**LEFT, "instanceClass": "[secret]"}, ["instanceClass"])
    assert account.waiting == ()


def test_the_comment_says_what_waits() -> None:
    text = comment([Changes(stack="prod", waiting=(change("instanceClass"),), same=484)])
    assert "**1 waiting for a maintenance window**, as deployed:" in text
    assert "`auterity-prod-postgres` (aws:rds/instance:Instance): `instanceClass`" in text
