"""What the operator is told of a database on Amazon RDS, asked by AWS's own command of moto."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from operations.__main__ import app
from tests.real.object_stores import aws, environment

INSTANCE = "auterity-prod-postgres"
CLOSED = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Run CloudWatch and RDS; return the environment of whoever asks them."""
    with aws(tmp_path_factory.mktemp("aws")) as server:
        yield {
            **server.told,
            "AWS_ENDPOINT_URL": server.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/nowhere",
            "PATH": f"{environment()}{os.pathsep}{os.environ['PATH']}",
        }


def measured(cloud: Mapping[str, str], metric: str, value: float) -> None:
    words = ["--namespace=AWS/RDS", f"--metric-name={metric}", f"--value={value}"]
    command = ["aws", "cloudwatch", "put-metric-data", *words, f"--dimensions=DBInstanceIdentifier={INSTANCE}"]
    subprocess.run(command, env={**os.environ, **cloud}, check=True, capture_output=True)


def seen(cloud: Mapping[str, str], check: str, *words: str) -> list[dict[str, str]]:
    options = [f"--database={INSTANCE}", "--json", f"--prometheus={CLOSED}", "--region=us-east-1"]
    answer = CliRunner().invoke(app, [*words, *options], env=dict(cloud))
    return [each for each in json.loads(answer.stdout) if each["check"] == check]


def test_a_database_that_is_busy_is_told_by_cloudwatch(cloud: Mapping[str, str]) -> None:
    for metric, value in (("FreeableMemory", 2.0**30), ("SwapUsage", 0.0)):
        measured(cloud, metric, value)
    # Prometheus is away: of the stores in the cluster nothing is known, and the check says that alone.
    found = seen(cloud, "Heaps of the stores", "troubleshoot", "memory")
    assert [each["state"] for each in found] == ["unknown"]
    measured(cloud, "CPUUtilization", 97)
    found = seen(cloud, "Database on RDS", "troubleshoot", "latency")
    assert found[0] == {
        "check": "Database on RDS",
        "state": "failing",
        "saw": f"{INSTANCE}: CPUUtilization 97",
        "advice": "docs/runbooks/database.md",
    }
    assert found[1]["saw"] == f"CloudWatch has no DatabaseConnections of {INSTANCE}"


def test_memory_of_a_database_is_told_in_bytes(cloud: Mapping[str, str]) -> None:
    measured(cloud, "FreeableMemory", 2.0**30)
    found = seen(cloud, "Database on RDS", "troubleshoot", "memory")
    assert (found[0]["state"], found[0]["saw"]) == ("ok", f"{INSTANCE}: FreeableMemory 1 GiB")


def test_a_question_that_aws_does_not_answer_is_unknown_in_its_own_words(cloud: Mapping[str, str]) -> None:
    found = seen({**cloud, "AWS_ENDPOINT_URL": CLOSED}, "Maintenance of the database", "checklist", "weekly")
    assert [each["state"] for each in found] == ["unknown"]
    assert "Could not connect to the endpoint URL" in found[0]["saw"]


def test_without_aws_command_it_is_said(cloud: Mapping[str, str], tmp_path: Path) -> None:
    found = seen({**cloud, "PATH": str(tmp_path)}, "Database on RDS", "troubleshoot", "memory")
    assert found[0]["saw"].startswith(f"AWS cannot be asked about {INSTANCE} (--database): ")
