"""Times as cron writes them: what is refused, and what follows from them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from settings import SettingsError, load
from settings.schedules import late_after, longest_pause
from tests.unit.programs import stack_config, with_section

KEYS = ("schedule", "prune_schedule", "drill_schedule")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "schedule", ["60 2 * * *", "0 24 * * *", "0 2 * * 7", "0 2 30 2 *", "*/0 2 * * *", "0 2 0 * *"]
)
def test_a_schedule_that_kubernetes_refuses_or_that_never_comes_is_refused(key: str, schedule: str) -> None:
    with pytest.raises(SettingsError) as told:
        load({**stack_config("dev"), "auterity:backup": json.dumps({"s3": {}, key: schedule})})
    [line] = str(told.value).splitlines()[1:]
    assert f"auterity:backup.{key}: " in line
    assert schedule in line
    assert "five fields of cron" in line


@pytest.mark.parametrize("schedule", ["15,45 1-23/2 * * 1-5", "0 2 29 2 *", "0 3 * * 0"])
def test_a_schedule_that_kubernetes_takes_is_taken(schedule: str) -> None:
    load({**stack_config("dev"), "auterity:backup": json.dumps(dict.fromkeys(KEYS, schedule) | {"s3": {}})})


def test_databases_may_be_dumped_several_times_a_day_beside_aws_backup() -> None:
    made = with_section("prod", "backup", s3={}, gcs={}, aws_backup={}, schedule="0 */6 * * *")
    schedules = {
        each.inputs["metadata"]["name"]: each.inputs["spec"]["schedule"]
        for each in made.of_type("kubernetes:batch/v1:CronJob")
    }
    assert schedules["auterity-backup"] == "0 */6 * * *"


@pytest.mark.parametrize(
    ("schedule", "pause"),
    [
        ("0 2 * * *", timedelta(days=1)),
        ("0 */6 * * *", timedelta(hours=6)),
        ("0 1,3 * * *", timedelta(hours=22)),
        ("0 2 * * 1-5", timedelta(days=3)),
        ("0 7 1 * *", timedelta(days=31)),
        ("0 7 31 * *", timedelta(days=61)),
        ("*/5 * * * 1", timedelta(days=6, minutes=5)),
        ("0 * * 1-6 *", timedelta(days=184, hours=1)),
        ("0 0 29 2 *", timedelta(days=8 * 365 + 1)),
    ],
)
def test_the_longest_pause_is_found_over_days_weeks_months_and_years(schedule: str, pause: timedelta) -> None:
    assert longest_pause(schedule) == pause


@pytest.mark.parametrize(
    ("schedule", "late"),
    [
        ("0 2 * * *", timedelta(hours=26)),
        ("0 */6 * * *", timedelta(hours=8)),
        ("0 2 * * 0", timedelta(days=8)),
        ("0 7 1 * *", timedelta(days=34)),
    ],
)
def test_a_run_is_late_a_twelfth_after_its_longest_pause(schedule: str, late: timedelta) -> None:
    assert late_after(schedule) == late
