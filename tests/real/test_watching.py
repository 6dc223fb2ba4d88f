"""Prometheus and Alertmanager over the reference app: what is recorded, who is told, and that series exist."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from components.observability import names as the
from components.observability.alloy_configuration import LABELS
from components.observability.cluster_figures import COLLECTORS
from components.observability.dashboards.platform import ERRORS
from settings.observability import BUCKETS
from tests.observability.asked import asked, published, pushed
from tests.real.reference_app import eventually, running
from tests.real.services import HOST, free_port
from tests.real.watching import Load, Program, Receiver, loki, program, receiver, rendered, watched

TIMES = 30
"""How many times faster time goes: five minutes are ten seconds."""

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"

FIVE_MINUTES = 300 / TIMES
MEAN = 'job:request_latency_seconds:mean5m{job="auterity-app"}'
SLOW = "LatencyBudgetBurn1h"


@dataclass(frozen=True)
class Watched:
    """The app under load, and who watches it."""

    app: Program
    node: Program
    prometheus: Program
    alertmanager: Program
    people: Receiver
    load: Load

    def exposed(self) -> set[str]:
        """Return the names of all series that are shown."""
        return set().union(*(each.exposed() for each in (self.app, self.node, self.prometheus, self.alertmanager)))


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory, app_environment: dict[str, str]) -> Iterator[Watched]:
    directory, port = tmp_path_factory.mktemp("watching"), free_port()
    with (
        receiver() as people,
        running(directory, app_environment) as app,
        program("node_exporter", directory, port, node_flags(port), ready="/metrics") as node,
    ):
        eventually(lambda: app.status("/readyz") == 200)
        recording = rendered(
            {
                "receivers": {"people": {"webhook": people.url}, "watchdog": {"webhook": people.url}},
                "critical": "people",
                "warning": "people",
                "watchdog": "watchdog",
            }
        )
        targets = {"auterity-app": app.url.removeprefix("http://"), the.NODE_EXPORTER: f"{HOST}:{port}"}
        with watched(recording, directory, targets, TIMES) as (prometheus, alertmanager), Load(app.url) as load:
            yield Watched(Program(app.url, app.process, app.log), node, prometheus, alertmanager, people, load)


def node_flags(port: int) -> list[str]:
    return [
        f"--web.listen-address={HOST}:{port}",
        "--collector.disable-defaults",
        *(f"--collector.{name}" for name in COLLECTORS),
    ]


def test_every_target_that_is_shipped_answers(watching: Watched) -> None:
    wanted = {"auterity-app", the.NODE_EXPORTER, the.PROMETHEUS, the.ALERTMANAGER}
    eventually(lambda: {each["metric"]["job"] for each in watching.prometheus.ask("up == 1")} == wanted)


def test_the_recorded_mean_is_what_the_clients_see(watching: Watched) -> None:
    def agree() -> bool:
        recorded, seen = watching.prometheus.value(MEAN), watching.load.mean(FIVE_MINUTES)
        # A client waits for its own connection, too.
        return recorded is not None and 0.85 * seen < recorded <= seen

    eventually(agree)
    assert watching.load.mean(FIVE_MINUTES) > 0.1


def test_an_objective_can_be_about_every_bound_of_the_apps_histogram_and_no_other(watching: Watched) -> None:
    asked = 'count by (le) (http_request_duration_seconds_bucket{job="auterity-app",le!="+Inf"})'
    eventually(lambda: bool(watching.prometheus.ask(asked)))
    assert {float(each["metric"]["le"]) for each in watching.prometheus.ask(asked)} == set(BUCKETS)


def test_requests_that_get_slow_are_told_to_people_and_so_is_their_recovery(watching: Watched) -> None:
    assert not watching.people.alerts(SLOW, "firing")
    watching.load.delay_ms = 700
    eventually(lambda: bool(watching.people.alerts(SLOW, "firing")))
    told = watching.people.alerts(SLOW, "firing")[0]
    assert (told["labels"]["severity"], told["labels"]["job"]) == ("critical", "auterity-app")
    assert told["annotations"]["runbook_url"].endswith("/latency.md#latencybudgetburn1h")
    # Errors are another alert.
    assert not watching.people.alerts("AvailabilityBudgetBurn1h", "firing")
    watching.load.delay_ms = 0
    eventually(lambda: bool(watching.people.alerts(SLOW, "resolved")), patience=120)


def test_the_watchdog_is_heard_all_the_time(watching: Watched) -> None:
    heard = len(watching.people.alerts("Watchdog", "firing"))
    eventually(lambda: len(watching.people.alerts("Watchdog", "firing")) > heard)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    directory = tmp_path_factory.mktemp("logs")
    with loki(rendered({}), directory) as started:
        yield started


def push(logs: Program, tenant: str, job: str, line: str) -> None:
    """Send a line as the collectors do (https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs)."""
    labels = dict.fromkeys(LABELS, job) | {"namespace": "auterity"}
    value = [str(time.time_ns()), line, {"pod": f"{job}-0"}]
    answer = httpx2.post(
        f"{logs.url}/loki/api/v1/push",
        headers={"X-Scope-OrgID": tenant},
        json={"streams": [{"stream": labels, "values": [value]}]},
    )
    assert answer.status_code == 204, answer.text


def lines(logs: Program, tenant: str, query: str) -> list[tuple[str, dict[str, str]]]:
    answer = httpx2.get(
        f"{logs.url}/loki/api/v1/query_range", headers={"X-Scope-OrgID": tenant}, params={"query": query, "since": "1h"}
    )
    assert answer.status_code == 200, answer.text
    return [(line, found["stream"]) for found in answer.json()["data"]["result"] for _, line in found["values"]]


def test_an_error_in_the_apps_own_format_is_found_by_the_query_of_the_dashboards(logs: Program) -> None:
    push(logs, "auterity", "auterity-app", '{"level": "ERROR", "message": "no connection", "timestamp": "2026"}')
    push(logs, "auterity", "auterity-app", '{"level": "INFO", "message": "an order", "timestamp": "2026"}')
    push(logs, "auterity", "auterity-queue", "2026-11-24 02:00:00 [error] <0.1.0> no disk space")
    eventually(lambda: len(lines(logs, "auterity", ERRORS)) == 2)
    [(line, found)] = [each for each in lines(logs, "auterity", ERRORS) if each[1]["job"] == "auterity-app"]
    assert "no connection" in line
    assert (found["pod"], found["container"]) == ("auterity-app-0", "auterity-app")


def test_loki_answers_every_question_of_the_runbooks(logs: Program) -> None:
    push(logs, "auterity", "auterity-app", '{"level": "ERROR", "message": "asked by a runbook", "timestamp": "2026"}')
    questions = {
        (path.name, question)
        for path in RUNBOOKS.glob("*.md")
        for question in re.findall(r"```logql\n\s*(.+?)\n\s*```", path.read_text())
    }
    answers = {name: lines(logs, "auterity", question) for name, question in questions}
    assert len(answers) > 5
    assert any("asked by a runbook" in line for line, _ in answers["app.md"])


def test_the_logs_of_a_series_are_found_by_its_link(logs: Program) -> None:
    push(logs, "auterity", "auterity-gateway", "an answer")
    eventually(lambda: bool(lines(logs, "auterity", '{job=~"auterity-gateway.*"}')))


def test_another_tenant_sees_no_line_and_nobody_without_one_is_served(logs: Program) -> None:
    assert lines(logs, "somebody", '{job=~".+"}') == []
    assert httpx2.get(f"{logs.url}/loki/api/v1/labels").status_code == 401


def test_every_series_that_rules_and_dashboards_ask_for_is_shown_by_somebody(watching: Watched, logs: Program) -> None:
    push(logs, "auterity", "auterity-app", "a line")
    assert sorted(asked() - watching.exposed() - logs.exposed() - published() - pushed()) == []
