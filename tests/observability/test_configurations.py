"""The configurations that the stacks ship, by the checkers of the programs that read them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from components.observability.prometheus_configuration import ACCOUNT, AUTHORITIES, RULES, SECRETS
from tests.unit.programs import STACKS, files_of, shipped, stack_config, with_section

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
Find = Callable[[str], Path]

EVERY_WAY = {
    "receivers": {
        "hook": {"webhook": "http://hook.example.com:8080/alerts"},
        "secret-hook": {"webhook": "secret"},
        "pager": {"pagerduty": "secret"},
    },
    "critical": "pager",
    "warning": "hook",
    "watchdog": "secret-hook",
    "secret": "receivers",
}
MAIL_AND_SLACK = {
    "receivers": {"mail": {"email": "team@example.com"}, "chat": {"slack": "#alerts"}},
    "critical": "chat",
    "warning": "mail",
    "mail": {"server": "smtp.example.com:587", "sender": "alerts@example.com", "username": "alerts"},
    "secret": "receivers",
}


def judged(*command: str | Path) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def prometheus_files(held: dict[str, str], directory: Path) -> Path:
    """Write what Prometheus reads below a directory; nothing but paths differs from what is shipped."""
    text = held["prometheus.yml"]
    for path in (ACCOUNT, AUTHORITIES, SECRETS):
        within = directory / path.rpartition("/")[2]
        within.mkdir()
        text = text.replace(path, str(within))
    for name in ("token", "ca.crt"):
        (directory / "serviceaccount" / name).write_text("")
    (directory / "prometheus-authorities" / "auterity-vault.crt").write_text("")
    (directory / "prometheus-secrets" / "remote-write").write_text("")
    (directory / "rules.yml").write_text(held["rules.yml"])
    (directory / "prometheus.yml").write_text(text.replace(RULES, str(directory / "rules.yml")))
    return directory / "prometheus.yml"


@pytest.mark.parametrize("stack", STACKS)
def test_promtool_takes_the_configuration_of_prometheus_and_its_rules(
    promtool: Path, tmp_path: Path, stack: str
) -> None:
    written = prometheus_files(files_of(shipped(stack), "auterity-prometheus"), tmp_path)
    judged(promtool, "check", "config", "--lint=all", "--lint-fatal", written)


def test_promtool_takes_remote_write(promtool: Path, tmp_path: Path) -> None:
    section = json.loads(stack_config("local")["auterity:observability"])
    metrics = {"remote_write": {"url": "https://metrics.example.com/api/v1/push", "username": "auterity"}}
    recording = with_section(
        "local",
        "observability",
        metrics={**section["metrics"], **metrics},
        alerting={**section["alerting"], "secret": "receivers"},
    )
    written = prometheus_files(files_of(recording, "auterity-prometheus"), tmp_path)
    assert yaml.safe_load(written.read_text())["remote_write"][0]["basic_auth"]["username"] == "auterity"
    judged(promtool, "check", "config", "--lint=all", "--lint-fatal", written)


@pytest.mark.parametrize("stack", STACKS)
def test_amtool_takes_the_configuration_of_alertmanager(program: Find, tmp_path: Path, stack: str) -> None:
    written = tmp_path / "alertmanager.yml"
    written.write_text(files_of(shipped(stack), "auterity-alertmanager")["alertmanager.yml"])
    judged(program("amtool"), "check-config", written)


@pytest.mark.parametrize("alerting", [EVERY_WAY, MAIL_AND_SLACK], ids=["hooks", "mail"])
def test_amtool_takes_every_way_to_tell_people(program: Find, tmp_path: Path, alerting: dict[str, object]) -> None:
    recording = with_section("local", "observability", alerting={"copies": 1, **alerting})
    written = tmp_path / "alertmanager.yml"
    written.write_text(files_of(recording, "auterity-alertmanager")["alertmanager.yml"])
    judged(program("amtool"), "check-config", written)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("alertname=DatabaseDown", "severity=critical"), "on-call"),
        (("alertname=CacheDown", "severity=warning"), "team"),
        (("alertname=Watchdog", "severity=none"), "dead-mans-switch"),
        (("alertname=Something", "severity=none"), "nobody"),
        (("alertname=Something",), "team"),
    ],
)
def test_an_alert_reaches_who_is_there_for_its_severity(
    program: Find, tmp_path: Path, labels: tuple[str, ...], receiver: str
) -> None:
    written = tmp_path / "alertmanager.yml"
    written.write_text(files_of(shipped("prod"), "auterity-alertmanager")["alertmanager.yml"])
    judged(
        program("amtool"),
        "config",
        "routes",
        "test",
        f"--config.file={written}",
        f"--verify.receivers={receiver}",
        *labels,
    )


@pytest.mark.parametrize("stack", STACKS)
def test_alerts_are_grouped_and_repeated_as_documented(stack: str) -> None:
    route = yaml.safe_load(files_of(shipped(stack), "auterity-alertmanager")["alertmanager.yml"])["route"]
    wanted = {"group_by": ["alertname"], "group_wait": "30s", "group_interval": "5m", "repeat_interval": "1h"}
    assert wanted.items() <= route.items()


@pytest.mark.parametrize("stack", STACKS)
def test_loki_takes_its_configuration(program: Find, tmp_path: Path, stack: str) -> None:
    written = tmp_path / "loki.yaml"
    written.write_text(files_of(shipped(stack), "auterity-loki")["loki.yaml"])
    judged(program("loki"), "-verify-config", f"-config.file={written}")


@pytest.mark.parametrize("stack", STACKS)
def test_alloys_parser_takes_the_collectors_configuration(program: Find, tmp_path: Path, stack: str) -> None:
    written = tmp_path / "config.alloy"
    written.write_text(files_of(shipped(stack), "auterity-alloy")["config.alloy"])
    judged(program("alloysyntax"), written)


@pytest.mark.parametrize("stack", STACKS)
def test_no_configuration_names_a_receiver_on_loopback(stack: str) -> None:
    for name in ("auterity-alertmanager", "auterity-prometheus", "auterity-alloy"):
        assert not any("127.0.0.1" in text or "localhost:" in text for text in files_of(shipped(stack), name).values())


@pytest.mark.parametrize("stack", STACKS)
def test_every_alert_of_a_stack_leads_to_a_section_of_a_runbook(stack: str) -> None:
    rules = yaml.safe_load(files_of(shipped(stack), "auterity-prometheus")["rules.yml"])
    links = [
        rule["annotations"]["runbook_url"].rpartition("/")[2].split("#")
        for group in rules["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert len(links) > 50
    missing = [
        (file, anchor) for file, anchor in links if f"\n## {anchor}\n" not in (RUNBOOKS / file).read_text().lower()
    ]
    assert missing == []
