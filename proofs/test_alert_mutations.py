"""Every alert, broken in each of its parts: its case has to notice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from components.observability.rules import Alert
from tests.observability.asked import names, recorded
from tests.observability.cases import ALERTS, CASES
from tests.observability.conftest import program, promtool
from tests.observability.promtool import judge

__all__ = ["program", "promtool"]

COMPARED = re.compile(r"(>=|<=|==|!=|>|<) (bool )?(\d+(?:\.\d+)?)")
FLIPPED = {">": "<", "<": ">", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}


def mutants(alert: Alert, interval: int) -> Iterator[tuple[str, Alert]]:
    """Break an alert: another series, another threshold, the other direction, sooner and later."""
    for name in sorted(names(alert.expr) - recorded()):
        yield f"series {name}", replace(alert, expr=re.sub(rf"\b{name}\b", f"{name}_other", alert.expr))
    for found in COMPARED.finditer(alert.expr):
        operator, _, number = found.groups()
        value = float(number)
        for other in others(value):
            changed = found.group(0).replace(number, f"{other:g}")
            yield f"{found.group(0)} to {changed}", spliced(alert, found, changed)
        flipped = found.group(0).replace(operator, FLIPPED[operator])
        yield f"{found.group(0)} to {flipped}", spliced(alert, found, flipped)
    yield "later", replace(alert, minutes=alert.minutes + interval)
    if alert.minutes:
        yield "sooner", replace(alert, minutes=max(0, alert.minutes - interval))


def others(threshold: float) -> list[float]:
    """Return what a threshold might be by mistake; counts of a few things are one off."""
    if not threshold:
        return [1_000_000]
    if threshold < 10 and threshold.is_integer():
        return [threshold - 1, threshold + 1]
    return [threshold * 1.5, threshold / 1.5]


def spliced(alert: Alert, found: re.Match[str], text: str) -> Alert:
    return replace(alert, expr=alert.expr[: found.start()] + text + alert.expr[found.end() :])


@pytest.mark.parametrize("name", ALERTS)
def test_a_broken_alert_is_noticed(promtool: Path, tmp_path: Path, name: str) -> None:
    case, unnoticed = CASES[name], []
    for number, (what, mutant) in enumerate(mutants(ALERTS[name], case.interval)):
        directory = tmp_path / str(number)
        directory.mkdir()
        # The case is what the right alert has to do, at the minutes at which that does it.
        if judge(promtool, directory, case, ALERTS[name], mutant).returncode == 0:
            unnoticed.append(what)
    assert unnoticed == []
