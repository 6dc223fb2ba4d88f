"""The operator's checklists and troubleshooting, asked of real Prometheus, Alertmanager and Loki."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from operations.__main__ import app
from tests.real.platform_figures import remembered
from tests.real.reference_app import eventually
from tests.real.services import HOST, free_port
from tests.real.watching import Program, loki, program, rendered
from tests.unit.programs import files_of

SCREENS = Path(__file__).parents[2] / "docs" / "screens"
TENANT = "operators"
CLOSED = f"http://{HOST}:9"
"""An address at which nobody listens."""


@dataclass(frozen=True)
class Running:
    """Who is asked."""

    prometheus: Program
    alertmanager: Program
    logs: Program

    def ask(self, *words: str, **instead: str) -> Result:
        addresses = {"prometheus": self.prometheus.url, "alertmanager": self.alertmanager.url, "loki": self.logs.url}
        options = [f"--{name}={url}" for name, url in {**addresses, **instead}.items()]
        surroundings = {"LOKI_TENANT": TENANT, "COLUMNS": "140", "KUBECONFIG": "/nowhere", "NO_COLOR": "1"}
        return CliRunner().invoke(app, [*words, *options], env=surroundings)

    def findings(self, *words: str, **instead: str) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = {}
        for each in json.loads(self.ask(*words, "--json", **instead).stdout):
            found.setdefault(each["check"], []).append(each)
        return found

    def say(self, **labels: str) -> None:
        """Let an alert fire for a minute."""
        now = datetime.now(UTC)
        alert = {
            "labels": labels,
            "annotations": {"summary": f"{labels['alertname']} was made for a test", "runbook_url": "docs/runbooks"},
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(minutes=10)).isoformat(),
        }
        httpx2.post(f"{self.alertmanager.url}/api/v2/alerts", json=[alert]).raise_for_status()


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("platform")
    port, recording = free_port(), rendered({})
    (directory / "alertmanager.yml").write_text(files_of(recording, "auterity-alertmanager")["alertmanager.yml"])
    flags = [
        f"--config.file={directory}/alertmanager.yml",
        f"--storage.path={directory}/alerts",
        f"--web.listen-address={HOST}:{port}",
        "--cluster.listen-address=",
    ]
    with (
        remembered(directory, well=True) as prometheus,
        program("alertmanager", directory, port, flags) as alertmanager,
        loki(recording, directory) as logs,
    ):
        running = Running(prometheus, alertmanager, logs)
        running.say(alertname="Watchdog", severity="none")
        yield running


@pytest.fixture(scope="module")
def ill(well: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A platform about which Prometheus knows nothing good."""
    with remembered(tmp_path_factory.mktemp("ill"), well=False) as prometheus:
        yield replace(well, prometheus=prometheus)


def states(findings: dict[str, list[dict[str, str]]]) -> dict[str, set[str]]:
    return {check: {each["state"] for each in found} for check, found in findings.items()}


def test_a_platform_that_is_well_needs_nobody(well: Running) -> None:
    answer = well.ask("checklist", "daily")
    assert answer.exit_code == 0, answer.stdout
    assert states(well.findings("checklist", "daily")) == {
        check: {"ok"} for check in ("Targets", "Alerts", "Nodes", "Volumes", "Error logs", "Backups", "Certificates")
    }


def test_what_is_wrong_is_named_with_its_figures_and_a_runbook(ill: Running) -> None:
    answer = ill.ask("checklist", "daily")
    assert answer.exit_code == 1
    found = ill.findings("checklist", "daily")
    assert {each["saw"]: each["state"] for each in found["Nodes"]} == {
        "processors: 90 % in use at most, on node-a": "warning",
        "memory: 93.8 % in use at most, on node-a": "failing",
        "fullest disk: 95 % in use at most, on node-a": "failing",
    }
    [late] = [each for each in found["Backups"] if "gcs: the last" in each["saw"]]
    assert (late["state"], late["saw"]) == ("failing", "gcs: the last complete backup is 3 d old, 3 GiB")
    assert late["advice"].startswith("docs/runbooks/backups.md#")
    assert states(found)["Certificates"] == {"warning"}


def test_a_backend_that_is_away_is_said_and_keeps_no_other_check_from_its_own(well: Running) -> None:
    answer = well.ask("checklist", "daily", loki=CLOSED)
    assert answer.exit_code == 3
    found = well.findings("checklist", "daily", loki=CLOSED)
    [away] = found["Error logs"]
    assert away["state"] == "unknown"
    assert away["saw"].startswith(f"Loki cannot be asked at {CLOSED} (--loki): ")
    assert away["advice"] == "kubectl -n auterity-observability port-forward service/auterity-loki 3100"
    assert states(found)["Backups"] == {"ok"}


def test_every_backend_that_is_away_is_named_in_one_run(well: Running) -> None:
    found = well.findings("checklist", "weekly", loki=CLOSED, prometheus=CLOSED, alertmanager=CLOSED)
    away = {check for check, seen in states(found).items() if seen == {"unknown"}}
    # The exemptions from the security rules are in a file.
    assert set(found) - away == {"Security rules"}


def test_an_address_that_answers_something_else_is_not_taken_for_a_platform_that_is_well(well: Running) -> None:
    [away] = well.findings("checklist", "daily", loki=well.prometheus.url)["Error logs"]
    assert away["state"] == "unknown"
    assert "answers 404" in away["saw"]


def test_an_alert_that_fires_is_on_the_list_with_its_runbook(well: Running) -> None:
    well.say(alertname="QueueDepth", severity="warning", job="auterity-queue")
    try:
        [found] = well.findings("checklist", "daily")["Alerts"]
        assert (found["state"], found["advice"]) == ("warning", "docs/runbooks")
        assert found["saw"] == "QueueDepth: QueueDepth was made for a test"
    finally:
        resolve(well, "QueueDepth", severity="warning", job="auterity-queue")


def resolve(well: Running, name: str, **labels: str) -> None:
    ended = {"labels": {"alertname": name, **labels}, "endsAt": datetime.now(UTC).isoformat()}
    httpx2.post(f"{well.alertmanager.url}/api/v2/alerts", json=[ended]).raise_for_status()
    address = f"{well.alertmanager.url}/api/v2/alerts"
    eventually(lambda: name not in {each["labels"]["alertname"] for each in httpx2.get(address).json()})


def test_a_silent_watchdog_fails_though_nothing_else_fires(well: Running) -> None:
    resolve(well, "Watchdog", severity="none")
    try:
        [found] = well.findings("checklist", "daily")["Alerts"]
        assert (found["state"], found["saw"]) == ("failing", "the watchdog is silent: no alert arrives")
    finally:
        well.say(alertname="Watchdog", severity="none")


def test_lines_of_the_last_day_that_say_error_are_counted_and_the_newest_is_shown(well: Running) -> None:
    for line in ('{"level":"error","message":"no route"}', "level=error msg=broken", "level=info msg=fine"):
        value = [str(time.time_ns()), line]
        body = {"streams": [{"stream": {"namespace": "auterity", "job": "auterity-app"}, "values": [value]}]}
        headers = {"X-Scope-OrgID": "app-errors"}
        httpx2.post(f"{well.logs.url}/loki/api/v1/push", headers=headers, json=body).raise_for_status()

    def seen() -> list[dict[str, str]]:
        return well.findings("checklist", "daily", tenant="app-errors")["Error logs"]

    eventually(lambda: "2 lines of auterity-app" in seen()[0]["saw"])
    assert "the newest: level=error msg=broken" in seen()[0]["saw"]
    assert states({"Error logs": seen()}) == {"Error logs": {"warning"}}


def test_a_slow_platform_is_told_where_it_waits(ill: Running) -> None:
    found = ill.findings("troubleshoot", "latency")
    assert found["Database connection pool"][0]["saw"] == "7 requests of auterity-app wait for a connection"
    assert found["Cache hit ratio"][0]["saw"] == "10 % of auterity-app's look-ups are hits"
    assert found["Network latency"][0]["saw"] == "400 ms of 800 ms pass between gateway and app"
    assert found["Room to grow"][0]["state"] == "warning"


def test_a_quick_platform_has_nothing_to_troubleshoot(well: Running) -> None:
    answer = well.ask("troubleshoot", "latency")
    assert answer.exit_code == 0, answer.stdout


def test_only_a_check_that_has_something_to_apply_takes_the_word(well: Running) -> None:
    answer = well.ask("troubleshoot", "latency", "--apply")
    assert answer.exit_code == 2
    assert "allowed with: memory" in " ".join(answer.stderr.split())


@pytest.mark.parametrize(
    ("screen", "is_well", "words"),
    [
        ("checklist-daily", True, ["checklist", "daily"]),
        ("checklist-daily-failing", False, ["checklist", "daily"]),
        ("troubleshoot-latency", False, ["troubleshoot", "latency"]),
    ],
)
def test_the_screens_in_the_documentation_are_what_is_shown(
    well: Running, ill: Running, screen: str, is_well: bool, words: list[str]
) -> None:
    seen = re.sub(rf"{HOST}:\d+", f"{HOST}:9090", (well if is_well else ill).ask(*words).stdout)
    written, path = f"$ python -m operations {' '.join(words)}\n{seen}", SCREENS / f"{screen}.txt"
    if os.environ.get("WRITE_SCREENS"):
        path.write_text(written)
    assert path.read_text() == written
