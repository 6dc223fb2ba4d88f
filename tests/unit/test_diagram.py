"""What a drawing of a stack's architecture shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from operations.__main__ import app
from operations.diagram import Drawing, Part, draw

RELEASED = Path(__file__).parents[1] / "released" / "prod.json"


def urn(type: str, name: str) -> str:
    return f"urn:pulumi:dev::auterity::{type}::{name}"


def resource(type: str, name: str, parent: str | None = None, needs: tuple[str, ...] = ()) -> dict[str, object]:
    made = {"urn": urn(type, name), "type": type, "custom": not type.startswith("auterity:"), "dependencies": needs}
    return {**made, "parent": parent} if parent else made


def test_an_arrow_goes_from_what_needs_to_what_is_needed() -> None:
    network, app_ = urn("auterity:aws:Vpc", "net"), urn("auterity:ecs:EcsService", "app")
    others = [
        each
        for name in ("one", "two")
        for each in (
            resource("auterity:aws:Other", name),
            resource("aws:sqs/queue:Queue", name, urn("auterity:aws:Other", name)),
        )
    ]
    state = [
        resource("auterity:aws:Vpc", "net"),
        resource("aws:ec2/vpc:Vpc", "net", network),
        resource("auterity:ecs:EcsService", "app"),
        resource("aws:ecs/service:Service", "app", app_, (urn("aws:ec2/vpc:Vpc", "net"),)),
        *others,
    ]
    drawn = draw({"deployment": {"resources": state}})
    assert drawn.needs == {(app_, network)}
    assert 'n0["EcsService"]' in drawn.mermaid()
    assert "n0 --> n3" in drawn.mermaid()


def test_what_most_need_is_named_and_drawn_without_arrows() -> None:
    state = [resource("auterity:k8s:Foundation", "f"), resource("kubernetes:core/v1:Namespace", "f")]
    state[1]["parent"] = urn("auterity:k8s:Foundation", "f")
    for name in "abc":
        state.append(resource("auterity:k8s:App", name))
        owner, needs = urn("auterity:k8s:App", name), (urn("kubernetes:core/v1:Namespace", "f"),)
        state.append(resource("kubernetes:apps/v1:Deployment", name, owner, needs))
    drawn = draw({"deployment": {"resources": state}})
    assert drawn.needs == frozenset()
    assert "drawn without arrows: Foundation" in drawn.mermaid()


def test_in_brief_a_kind_is_one_box_and_an_arrow_that_others_make_superfluous_is_left_out() -> None:
    a, b, c, d = (urn("auterity:x:Kind", name) for name in "abcd")
    parts = {each: Part(each, each[-1], kind, "") for each, kind in ((a, "A"), (b, "B"), (c, "C"), (d, "C"))}
    drawn = Drawing(parts, frozenset({(a, b), (b, c), (a, d), (d, c)}), ("C", "C")).brief()
    assert sorted(part.kind for part in drawn.parts.values()) == ["A", "B", "C"]
    assert drawn.needs == {(a, b), (b, c)}
    assert drawn.ground == ("C",)


def test_in_brief_what_led_to_something_still_does() -> None:
    whole = draw(json.loads(RELEASED.read_text()))
    brief = whole.brief()
    kinds = [
        {(drawn.parts[one].kind, drawn.parts[other].kind) for one, other in drawn.needs} for drawn in (whole, brief)
    ]
    assert kinds[1] < kinds[0]
    assert closure(kinds[1]) == closure(kinds[0])


def closure(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Add what two arrows lead to, until nothing is added; no arrow from a kind to itself."""
    more = arrows | {(one, end) for one, other in arrows for start, end in arrows if other == start and one != end}
    return arrows if more == arrows else closure(more)


def test_a_released_state_of_production_is_drawn_with_its_database_behind_the_network() -> None:
    drawn = draw(json.loads(RELEASED.read_text()))
    kinds = {(drawn.parts[one].kind, drawn.parts[other].kind) for one, other in drawn.needs}
    assert ("RdsProxy", "RdsPostgres") in kinds
    assert ("EcsService", "Edge") in kinds


def test_a_drawing_does_not_depend_on_the_order_of_the_state() -> None:
    state = json.loads(RELEASED.read_text())
    first = draw(state).mermaid()
    state["deployment"]["resources"].reverse()
    assert draw(state).mermaid() == first


def test_the_inside_of_components_is_drawn_where_it_is_asked_for() -> None:
    answer = CliRunner().invoke(app, ["diagram", str(RELEASED), "--nested"])
    assert "subgraph RdsPostgres" in answer.stdout
    assert "subgraph" not in CliRunner().invoke(app, ["diagram", str(RELEASED)]).stdout


@pytest.mark.parametrize("given", ["[]", "{}", "no state"])
def test_what_is_no_state_is_one_clear_error(given: str) -> None:
    answer = CliRunner().invoke(app, ["diagram"], input=given)
    assert answer.exit_code == 2
    assert answer.stderr.startswith("error: standard input: ")
    assert answer.stdout == ""
