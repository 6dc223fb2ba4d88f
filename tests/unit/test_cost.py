"""What the estimate of a stack's monthly cost says."""

from __future__ import annotations

import json
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from operations.__main__ import app
from operations.cost import prices
from operations.cost.estimate import Estimate, estimate, of_state
from operations.cost.prices import OLD_DAYS, CostError, table
from operations.cost.resources import CHARGED, Resource, amount
from tests.unit.programs import STACKS, shipped

RELEASED = Path(__file__).parents[1] / "released"
PAGE = Path(__file__).parents[2] / "docs" / "cost.md"


def made(type: str, name: str, parent: str = "", **inputs: Any) -> Resource:
    return Resource(f"urn:pulumi:prod::auterity::{type}::{name}", type, parent, inputs)


def cost_of(*resources: Resource) -> Estimate:
    return estimate(resources, table())


def of_stack(stack: str) -> Estimate:
    return cost_of(*(Resource(each.urn, each.type, each.parent, each.inputs) for each in shipped(stack).resources))


def ask(*words: str, given: str = "") -> Result:
    return CliRunner().invoke(app, ["cost", *words], input=given, env={"COLUMNS": "100", "NO_COLOR": "1"})


@pytest.mark.parametrize("stack", STACKS)
def test_every_type_and_size_that_a_shipped_stack_has_is_priced_or_known_to_be_free(stack: str) -> None:
    assert of_stack(stack).unknown == ()


def test_a_stack_on_a_laptop_costs_nothing() -> None:
    assert of_stack("local").total == 0


def test_a_database_with_a_standby_pays_twice_for_instance_and_storage() -> None:
    inputs: dict[str, Any] = {"instanceClass": "db.t4g.medium", "allocatedStorage": 100, "multiAz": True}
    found = cost_of(made("aws:rds/instance:Instance", "db", **inputs))
    assert found.total == pytest.approx(2 * (0.065 * 730 + 100 * 0.115))


def test_tasks_are_as_many_as_their_service_wants() -> None:
    owner = made("auterity:ecs:EcsService", "app")
    task = made("aws:ecs/taskDefinition:TaskDefinition", "app", owner.urn, cpu="2048", memory="4096")
    service = made("aws:ecs/service:Service", "app", owner.urn, desiredCount=4)
    assert cost_of(owner, task).total == 0
    found = cost_of(owner, task, service)
    assert found.components == {"EcsService": pytest.approx(4 * 730 * (2 * 0.04048 + 4 * 0.004445))}


def test_pods_are_paid_for_where_the_stack_has_the_nodes() -> None:
    asked = {"cpu": "500m", "memory": "4Gi"}
    spec = {"replicas": 2, "template": {"spec": {"containers": [{"resources": {"requests": asked}}]}}}
    pods = made("kubernetes:apps/v1:Deployment", "app", spec=spec)
    assert cost_of(pods).total == 0
    with_cluster = cost_of(pods, made("aws:eks/cluster:Cluster", "eks"))
    # 4 GiB come with one vCPU, which is more than the half that is asked for.
    assert with_cluster.total == pytest.approx(730 * (0.10 + 2 * 1 * 0.0457))


@pytest.mark.parametrize(
    ("given", "expected"), [("250m", 0.25), ("2", 2), ("1Gi", 2**30), ("1.5G", 1.5e9), (None, 0), ("later", 0)]
)
def test_quantities_are_read_as_kubernetes_writes_them(given: str | None, expected: float) -> None:
    assert amount(given) == expected


def test_what_the_table_does_not_know_is_said_and_not_taken_for_free() -> None:
    found = cost_of(
        made("aws:redshift/cluster:Cluster", "dwh"), made("aws:rds/instance:Instance", "db", instanceClass="db.x9.huge")
    )
    assert found.unknown == ("aws:redshift/cluster:Cluster", "rds.db.x9.huge")
    state = {"deployment": {"resources": [{"urn": "urn:a::b::c::d", "type": "aws:redshift/cluster:Cluster"}]}}
    told = ask(given=json.dumps(state))
    assert "aws:redshift/cluster:Cluster has no price here" in told.stderr


def test_no_type_is_both_charged_for_and_free() -> None:
    both = [type for type in CHARGED if table().is_free(type) and not type.startswith("kubernetes:")]
    assert both == []


def test_a_component_s_parts_are_counted_with_the_outermost_one() -> None:
    outer, inner = made("auterity:aws:Vpc", "net"), made("auterity:aws:Nat", "nat")
    inner = Resource(inner.urn, inner.type, outer.urn, {})
    assert cost_of(outer, inner, made("aws:ec2/eip:Eip", "nat", inner.urn)).components == {
        "Vpc": pytest.approx(0.005 * 730)
    }


def test_the_command_adds_up_a_released_state() -> None:
    text = (RELEASED / "prod.json").read_text()
    told = json.loads(ask("--json", given=text).stdout)
    assert told["total"] == pytest.approx(estimate(of_state(text), table()).total, abs=0.01)
    assert told["total"] == pytest.approx(sum(line["monthly"] for line in told["lines"]), abs=0.01)
    assert told["unknown"] == []


def test_a_preview_is_told_as_the_difference(tmp_path: Path) -> None:
    def state(name: str, **inputs: Any) -> dict[str, Any]:
        type = "aws:rds/instance:Instance"
        return {"urn": f"urn:pulumi:prod::auterity::{type}::{name}", "type": type, "inputs": inputs}

    small, large = state("db", instanceClass="db.t4g.small"), state("db", instanceClass="db.t4g.medium")
    gone = state("old", instanceClass="db.t4g.micro")
    steps = [
        {"op": "update", "urn": small["urn"], "oldState": small, "newState": large},
        {"op": "delete", "urn": gone["urn"], "oldState": gone},
    ]
    preview = tmp_path / "preview.json"
    preview.write_text(json.dumps({"steps": steps}))
    told = json.loads(ask("--preview", str(preview), "--json").stdout)
    assert told["before"]["total"] == pytest.approx((0.032 + 0.016) * 730, abs=0.01)
    assert told["total"] == pytest.approx(0.065 * 730, abs=0.01)
    assert "+12.41" in ask("--preview", str(preview)).stdout


def test_how_much_is_used_can_be_said(tmp_path: Path) -> None:
    usage = tmp_path / "usage.yaml"
    usage.write_text("bucket_gb: 1000\n")
    bucket = {"urn": "urn:a::b::aws:s3/bucket:Bucket::c", "type": "aws:s3/bucket:Bucket"}
    told = ask("--usage", str(usage), "--json", given=json.dumps({"deployment": {"resources": [bucket]}}))
    assert json.loads(told.stdout)["total"] == pytest.approx(23)


@pytest.mark.parametrize("given", ["bucket_gb: -1\n", "buckets: 1\n", "- 1\n", "a: b: c\n"])
def test_wrong_words_on_usage_are_one_error_that_names_the_file(tmp_path: Path, given: str) -> None:
    usage = tmp_path / "usage.yaml"
    usage.write_text(given)
    told = ask("--usage", str(usage), given="{}")
    assert told.exit_code == 2
    assert "usage.yaml" in told.stderr


@pytest.mark.parametrize("given", ["", "[]", "{}", '{"deployment": 1}', '{"deployment": {"resources": [{}]}}'])
def test_what_is_no_state_is_one_clear_error(given: str) -> None:
    told = ask(given=given)
    assert told.exit_code == 2
    assert "pulumi stack export" in told.stderr


def test_a_price_names_pages_that_the_table_has(tmp_path: Path) -> None:
    wrong = tmp_path / "prices.yaml"
    wrong.write_text(prices.TABLE.read_text().replace("page: ecr}", "page: nowhere}"))
    with pytest.raises(CostError, match="'nowhere' given, allowed: rds"):
        prices.read(wrong)


def test_old_prices_are_said_to_be_old() -> None:
    assert not table().is_old(table().read + timedelta(days=OLD_DAYS))
    assert table().is_old(table().read + timedelta(days=OLD_DAYS + 1))


def test_the_page_shows_what_production_costs() -> None:
    resources = [
        {"urn": each.urn, "type": each.type, "parent": each.parent, "inputs": each.inputs}
        for each in shipped("prod").resources
    ]
    shown = ask(given=json.dumps({"deployment": {"resources": resources}})).stdout.rstrip()
    if os.environ.get("WRITE_SCREENS"):
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(re.sub(r"(?s)```text\n.*?\n```", f"```text\n{shown}\n```", text), encoding="utf-8")
    assert f"```text\n{shown}\n```" in PAGE.read_text(encoding="utf-8"), "write it anew: WRITE_SCREENS=1"
