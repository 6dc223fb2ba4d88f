"""What reviewers see of values, and by what two previews count as the same."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.automation import EngineEvent, OpType
from pulumi.automation.events import (
    DiffKind,
    PropertyDiff,
    ResourcePreEvent,
    StepEventMetadata,
    StepEventStateMetadata,
)
from pulumi.runtime.rpc import UNKNOWN

from delivery.changes import Change, Changes, Listener, Value
from delivery.comment import comment
from delivery.engine import different
from delivery.values import ABSENT, at, digest, shown

TYPE = "aws:rds/instance:Instance"
URN = f"urn:pulumi:prod::auterity::{TYPE}::auterity-prod-postgres"


def previewed(old: dict[str, Any], new: dict[str, Any], *paths: str, op: OpType = OpType.UPDATE) -> Changes:
    """Tell the listener of a preview's step."""
    states = [StepEventStateMetadata(TYPE, URN, "id", "", "", inputs=each, outputs=each) for each in (old, new)]
    diff = {path: PropertyDiff(DiffKind.UPDATE, True) for path in paths}
    top = [path.split(".")[0] for path in paths]
    step = StepEventMetadata(op, URN, TYPE, "", old=states[0], new=states[1], diffs=top, detailed_diff=diff)
    listener = Listener("prod")
    listener.hear(EngineEvent(1, 1, resource_pre_event=ResourcePreEvent(step)))
    return listener.account()


def test_reviewers_see_the_old_and_the_new_value() -> None:
    account = previewed({"instanceClass": "db.t4g.micro"}, {"instanceClass": "db.r7g.large"}, "instanceClass")
    assert "  - `instanceClass`: `db.t4g.micro` → `db.r7g.large`\n" in comment([account])


def test_another_value_than_the_one_agreed_on_is_not_deployed() -> None:
    agreed, now = (
        previewed({"instanceClass": "db.t4g.medium"}, {"instanceClass": each}, "instanceClass")
        for each in ("db.t4g.micro", "db.r7g.large")
    )
    assert different(agreed, agreed) == []
    assert different(agreed, now) == [
        "  auterity-prod-postgres: agreed to update instanceClass, now with other values",
        "    instanceClass: agreed db.t4g.micro, now db.r7g.large",
    ]


def test_what_is_made_with_other_values_is_another_thing() -> None:
    agreed, now = (
        previewed({}, {"instanceClass": each}, op=OpType.CREATE) for each in ("db.t4g.micro", "db.r7g.large")
    )
    assert different(agreed, now) == ["  auterity-prod-postgres: agreed to create, now with other values"]


def test_a_secret_is_told_by_its_mask() -> None:
    account = previewed({"password": "[secret]"}, {"password": "[secret]"}, "password")
    assert "  - `password`: `[secret]` → `[secret]`\n" in comment([account])


def test_what_is_not_known_yet_is_said_to_be_so() -> None:
    assert shown("a", UNKNOWN) == ("a", "(known once deployed)")


def test_two_previews_of_a_name_that_is_drawn_are_the_same() -> None:
    first, second = (
        {"name": f"logs-{end}", "retention": 7, "nested": [{"id": end, "__defaults": ["id"]}], "__defaults": ["name"]}
        for end in ("1a2b", "3c4d")
    )
    assert digest(first) == digest(second) != digest({**second, "retention": 8})
    drawn = [
        {"metadata": {"name": f"app-{end}", "annotations": {"pulumi.com/autonamed": "true"}}}
        for end in ("1a2b", "3c4d")
    ]
    assert digest(drawn[0]) == digest(drawn[1])
    assert digest({"metadata": {"name": "a"}}) != digest({"metadata": {"name": "b"}})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a", 1),
        ("b.c", 2),
        ("list[1].d", 3),
        ('b["x.y/z"]', 4),
        ("list[9]", ABSENT),
        ("a.b", ABSENT),
        ("none", ABSENT),
    ],
)
def test_a_path_of_the_engine_leads_to_its_value(path: str, value: object) -> None:
    values = {"a": 1, "b": {"c": 2, "x.y/z": 4}, "list": [0, {"d": 3}]}
    assert at(values, path) == value


def test_of_a_long_value_the_part_that_differs_is_shown() -> None:
    statements = [{"Sid": f"S{number}", "Action": "s3:GetObject"} for number in range(30)]
    before, after = shown(statements, [*statements[:20], {"Sid": "S20", "Action": "s3:*"}, *statements[21:]])
    assert "s3:GetObject" in before
    assert "s3:*" in after
    assert max(len(before), len(after)) <= 102


@pytest.mark.parametrize("value", ["a `quoted` @team", "```", "![](https://example.com)", "first\nsecond"])
def test_no_value_speaks_markdown(value: str) -> None:
    [line] = [each for each in comment([previewed({"a": "b"}, {"a": value}, "a")]).splitlines() if "→" in each]
    quoted = line.partition("→ ")[2]
    fence = quoted[: len(quoted) - len(quoted.lstrip("`"))]
    assert quoted.endswith(fence)
    assert fence not in quoted[len(fence) : -len(fence)]


def test_a_comment_stays_below_what_github_takes() -> None:
    values = tuple(Value(path=f"property{number}", before="a" * 100, after="b" * 100) for number in range(20))
    changes = tuple(Change(kind="replace", urn=f"{URN}-{number}", values=values) for number in range(200))
    assert len(comment([Changes(stack="dev", changes=changes), Changes(stack="prod", changes=changes)])) < 65_536
