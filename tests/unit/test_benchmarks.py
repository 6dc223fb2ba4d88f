"""What the benchmarks compute from a recorded deployment."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from benchmarks import flat, report
from benchmarks.creation_times import CREATION_TIMES
from benchmarks.critical_path import Made, longest_chain, made
from sandbox.cloud.sdk_types import sdk_type

STACK = "urn:pulumi:test::auterity::"
PROVIDER = f"{STACK}pulumi:providers:aws::aws"
SECONDS = {"aws:kms/key:Key": 10.0, "aws:cloudwatch/logGroup:LogGroup": 1.0, "aws:rds/instance:Instance": 800.0}


def urn(type: str, name: str) -> str:
    return f"{STACK}{type}::{name}"


def resource(type: str, name: str, inputs: dict[str, Any] | None = None, **state: Any) -> dict[str, Any]:
    return {
        "urn": urn(type, name),
        "custom": True,
        "id": name,
        "type": type,
        "inputs": inputs or {},
        "provider": f"{PROVIDER}::1",
        "created": "2026-11-23T10:00:00.123456789Z",
        **state,
    }


def deployment(*resources: dict[str, Any]) -> dict[str, Any]:
    provider = resource("pulumi:providers:aws", "aws", {"region": "us-east-1", "defaultTags": '{"tags": {"a": "b"}}'})
    component = resource("auterity:network:Vpc", "net", custom=False)
    return {"resources": [{**provider, "urn": PROVIDER, "id": "1"}, component, *resources]}


def seconds(each: Made) -> float:
    return SECONDS[each.type]


KEY = resource("aws:kms/key:Key", "key")
LOG = resource(
    "aws:cloudwatch/logGroup:LogGroup",
    "log",
    dependencies=[urn("aws:kms/key:Key", "key")],
    propertyDependencies={"kmsKeyId": [urn("aws:kms/key:Key", "key")]},
)
INSTANCE = resource(
    "aws:rds/instance:Instance",
    "db",
    dependencies=[LOG["urn"]],
    propertyDependencies={"engine": []},
)


def test_the_longest_chain_follows_the_values_and_not_depends_on() -> None:
    weight, chain = longest_chain(made(deployment(KEY, LOG, INSTANCE)), seconds)
    assert (weight, [each.urn for each in chain]) == (800.0, [INSTANCE["urn"]])


def test_the_longest_chain_follows_depends_on_where_that_is_asked_for() -> None:
    weight, chain = longest_chain(made(deployment(KEY, LOG, INSTANCE)), seconds, orders=True)
    assert (weight, [each.urn for each in chain]) == (811.0, [KEY["urn"], LOG["urn"], INSTANCE["urn"]])


def test_components_and_providers_are_not_waited_for() -> None:
    assert set(made(deployment(KEY))) == {KEY["urn"]}


def test_the_end_of_a_creation_keeps_its_fraction_of_a_second() -> None:
    assert made(deployment(KEY))[KEY["urn"]].ended % 1 == pytest.approx(0.123457, abs=1e-6)


def test_the_flat_program_constructs_every_resource_by_its_class_with_its_inputs() -> None:
    inputs = {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": True}
    program = flat.program(deployment(resource("aws:ec2/vpc:Vpc", "net", inputs)))
    ast.parse(program)
    assert program.splitlines()[-1] == (
        "aws.ec2.Vpc('net', cidr_block='10.0.0.0/16', enable_dns_support=True, "
        "opts=pulumi.ResourceOptions(provider=provider_0))"
    )
    assert "auterity:network" not in program


def test_the_flat_program_configures_the_provider_with_structures() -> None:
    program = flat.program(deployment())
    assert "default_tags={'tags': {'a': 'b'}}" in program


def test_the_flat_program_leaves_generated_names_to_the_provider() -> None:
    inputs = {"__defaults": ["name"], "name": "log-1234567", "retentionInDays": 30}
    program = flat.program(deployment(resource("aws:cloudwatch/logGroup:LogGroup", "log", inputs)))
    assert "log-1234567" not in program
    assert "retention_in_days=30" in program


def test_the_flat_program_names_an_input_that_the_sdk_does_not_have() -> None:
    with pytest.raises(ValueError, match=r"aws\.ec2\.Vpc takes no colour"):
        flat.program(deployment(resource("aws:ec2/vpc:Vpc", "net", {"colour": "red"})))


@pytest.mark.parametrize("token", CREATION_TIMES)
def test_every_type_with_a_creation_time_exists(token: str) -> None:
    assert sdk_type(token) is not None


def test_a_part_that_is_measured_again_takes_its_own_place_on_the_page(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("# Old\n\n## (a) First\n\nOld, a.\n\n## (b) Second\n\nOld, b.\n\n## Creation times\n\nOld.\n")
    report.write(["## (b) Second, renamed\n\nNew, b.", "## (c) Third\n\nNew, c."], "Measured now.", page)
    text = page.read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["## (a) First", "## (b) Second, renamed", "## (c) Third", "## Creation times"]
    assert "Old, a." in text
    assert "Old, b." not in text
    assert "## (c) Third\n\nMeasured now.\n\nNew, c." in text
