"""Backup and maintenance windows, against an oracle that looks at every minute of the week."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from settings.database import _windows_overlap

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY, WEEK = 24 * 60, 7 * 24 * 60


def clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def moment(minute: int) -> str:
    return f"{DAYS[minute // DAY % 7]}:{clock(minute % DAY)}"


@given(st.integers(0, DAY - 1), st.integers(1, DAY - 1), st.integers(0, WEEK - 1), st.integers(1, DAY - 1))
def test_windows_meet_exactly_when_they_share_a_minute(
    daily_start: int, daily_length: int, weekly_start: int, weekly_length: int
) -> None:
    backup = f"{clock(daily_start)}-{clock((daily_start + daily_length) % DAY)}"
    maintenance = f"{moment(weekly_start)}-{moment((weekly_start + weekly_length) % WEEK)}"
    in_backup = {(day * DAY + daily_start + m) % WEEK for day in range(7) for m in range(daily_length)}
    in_maintenance = {(weekly_start + m) % WEEK for m in range(weekly_length)}
    assert _windows_overlap(backup, maintenance) == bool(in_backup & in_maintenance)
