"""Asking promtool what the rules say to a case."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

from components.observability.rules import Alert, Recording, rule_file
from components.observability.rules.model import Group
from tests.observability.cases import RULES, Case, Series

ADDRESS = "https://runbooks.test"


def firing(alert: str) -> str:
    return f'count(ALERTS{{alertname="{alert}",alertstate="firing"}} > 0) > bool 0'


def suite(case: Case, alert: Alert, rules: list[Group]) -> dict[str, Any]:
    """Write a file of rule tests: it fires at the minute and not before, and never where it should not."""
    # It can fire only when it is evaluated.
    at = case.since + -(-alert.minutes // case.interval) * case.interval
    answers = [{"expr": firing(alert.name), "eval_time": f"{at}m", "exp_samples": [{"labels": "{}", "value": 1}]}]
    if at >= case.interval:
        answers.append({"expr": firing(alert.name), "eval_time": f"{at - case.interval}m", "exp_samples": []})
    tests = [_test(case, case.fires, answers)]
    for moment in case.moments:
        samples = [{"labels": "{}", "value": 1}] if moment.fires else []
        answer = {"expr": firing(alert.name), "eval_time": f"{moment.minute}m", "exp_samples": samples}
        tests.append(_test(case, moment.series, [answer]))
    for quiet in case.quiet:
        minutes = case.interval * (max(len(values.split()) for values in quiet.values()) - 1)
        ever = f"max_over_time(({firing(alert.name)})[{minutes}m:{case.interval}m])"
        tests.append(_test(case, quiet, [{"expr": ever, "eval_time": f"{minutes}m", "exp_samples": []}]))
    return {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": f"{case.interval}m",
        "group_eval_order": [group.name for group in rules],
        "tests": tests,
    }


def _test(case: Case, series: Series, answers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "interval": f"{case.interval}m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": answers,
    }


def judge(
    promtool: Path, directory: Path, case: Case, alert: Alert, instead: Alert | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the case of an alert, `instead` of which another may stand; the answer is promtool's."""
    loaded = instead or alert
    # No more than the alert itself and what it reads: of others nothing is asked.
    needed = [
        Group(group.name, [loaded if rule == alert else rule for rule in group.rules if _needs(alert, loaded, rule)])
        for group in RULES
    ]
    kept = [group for group in needed if group.rules]
    (directory / "rules.yaml").write_text(rule_file(kept, ADDRESS))
    (directory / "tests.yaml").write_text(yaml.safe_dump(suite(case, alert, kept)))
    return subprocess.run(
        [promtool, "test", "rules", "tests.yaml"], cwd=directory, capture_output=True, text=True, timeout=120
    )


def _needs(alert: Alert, loaded: Alert, rule: Alert | Recording) -> bool:
    return rule == alert or (isinstance(rule, Recording) and rule.record in loaded.expr)
