"""What the rules say, by Prometheus' own checker."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from components.observability.dashboards import dashboards
from components.observability.dashboards.platform import ERRORS
from components.observability.kept import OF_OBJECTS, OF_THE_CLUSTER
from components.observability.rules import WATCHDOG, Recording, rule_file
from operations.checks import daily
from tests.observability.asked import asked, published
from tests.observability.cases import ALERTS, CASES, RULES, WATCHED, failures
from tests.observability.promtool import ADDRESS, judge

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"


def test_every_alert_has_a_case_that_fires_it_and_one_that_does_not() -> None:
    assert set(CASES) == set(ALERTS)
    assert [name for name, case in CASES.items() if not case.quiet] == [WATCHDOG]


def test_no_two_alerts_have_one_name() -> None:
    names = [alert.name for group in RULES for alert in group.alerts()]
    assert len(names) == len(set(names))


def test_promtool_finds_nothing_to_say_against_the_rules(promtool: Path, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(rule_file(RULES, ADDRESS))
    answer = subprocess.run(
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", path], capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_in_its_minute_and_not_below_its_threshold(promtool: Path, tmp_path: Path, name: str) -> None:
    answer = judge(promtool, tmp_path, CASES[name], ALERTS[name])
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_alert_leads_to_a_section_of_a_runbook() -> None:
    # What an address after # leads to is the heading in small letters.
    headings = {path.stem: re.findall(r"^## (\S+)$", path.read_text(), re.MULTILINE) for path in RUNBOOKS.glob("*.md")}
    assert [a.name for a in ALERTS.values() if a.name not in headings.get(a.runbook, ())] == []


def test_no_runbook_is_about_an_alert_that_does_not_exist() -> None:
    headings = {
        heading
        for path in RUNBOOKS.glob("*.md")
        for heading in re.findall(r"^## (\S+)$", path.read_text(), re.MULTILINE)
    }
    per_job = {heading for heading in headings if heading.endswith("Missing")}
    assert headings - per_job <= set(ALERTS)


@pytest.mark.parametrize(("window", "minutes"), [("5m", 5), ("30m", 30), ("1h", 60), ("2h", 120), ("6h", 360)])
def test_a_ratio_covers_its_window_and_no_more(promtool: Path, tmp_path: Path, window: str, minutes: int) -> None:
    recorded = [type(g)(g.name, [r for r in g.rules if isinstance(r, Recording)]) for g in RULES]
    (tmp_path / "rules.yaml").write_text(rule_file([g for g in recorded if g.rules], ADDRESS))
    series = failures((2 * minutes, 0.5), (minutes - 1, 0.1))
    expected = {
        "expr": f"round(job:http_request_errors:ratio_rate{window}, 0.0001)",
        "eval_time": f"{3 * minutes - 1}m",
        "exp_samples": [{"labels": '{job="auterity-app"}', "value": 0.1}],
    }
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [expected],
    }
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(document))
    answer = subprocess.run([promtool, "test", "rules", "tests.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_what_is_kept_of_api_server_kubelets_and_objects_is_what_is_asked_for() -> None:
    assert set(OF_THE_CLUSTER) == asked() & published(("apiserver", "kubelet", "cadvisor"))
    assert set(OF_OBJECTS) == {name for name in asked() if name.startswith("kube_")}


def test_dashboards_have_names_of_their_own_and_panels_that_ask() -> None:
    made = dashboards(WATCHED.objectives)
    assert len({dashboard.uid for dashboard in made}) == len(made)
    for dashboard in made:
        written = json.loads(dashboard.written())
        assert written["uid"] == dashboard.uid
        assert "inControlsMenu" not in str(written["links"])
        panels = [panel for panel in written["panels"] if panel["type"] != "row"]
        assert len(panels) == len(dashboard.panels())
        assert {panel["datasource"]["uid"] for panel in panels} <= {"prometheus", "loki"}


def test_one_click_leads_from_a_graph_to_the_logs_of_its_job_at_that_time() -> None:
    [graph] = [p for p in json.loads(dashboards(WATCHED.objectives)[0].written())["panels"] if p["title"] == "Rate"]
    [link] = graph["fieldConfig"]["defaults"]["links"]
    address = urlsplit(link["url"])
    assert address.path == "/explore"
    [pane] = json.loads(parse_qs(address.query)["panes"][0]).values()
    assert [query["expr"] for query in pane["queries"]] == ['{job=~"${__field.labels.job}.*"}']
    assert pane["range"] == {"from": "${__from}", "to": "${__to}"}


def test_the_operators_checklist_and_the_alerts_have_the_same_limits() -> None:
    # The operator's command is installed without the program's components.
    assert daily.ERRORS == ERRORS
    assert f"> {daily.BACKUP_HOURS} * 3600" in ALERTS["BackupTooOld"].expr
    assert f"> {daily.DRILL_DAYS} * 86400" in ALERTS["DrillTooOld"].expr
    assert f"< {daily.CERTIFICATE_DAYS} * 86400" in ALERTS["CertificateExpires"].expr
