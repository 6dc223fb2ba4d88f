"""Windows that recur, and whether they meet."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from settings.windows import minutes, overlap

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
WEEK = 7 * DAY


def clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def moment(minute: int) -> str:
    return f"{DAYS[minute // DAY % 7]}:{clock(minute)}"


@given(st.integers(0, DAY - 1), st.integers(1, DAY - 1), st.integers(0, WEEK - 1), st.integers(1, DAY - 1))
def test_windows_overlap_exactly_where_they_share_a_minute(
    daily: int, daily_length: int, weekly: int, weekly_length: int
) -> None:
    in_daily = {(day * DAY + daily + n) % WEEK for day in range(7) for n in range(daily_length)}
    in_weekly = {(weekly + n) % WEEK for n in range(weekly_length)}
    met = overlap(f"{clock(daily)}-{clock(daily + daily_length)}", f"{moment(weekly)}-{moment(weekly + weekly_length)}")
    assert met == bool(in_daily & in_weekly)


def test_a_window_may_end_on_the_next_day_or_in_the_next_week() -> None:
    assert minutes("23:30-00:30") == 60
    assert minutes("sun:23:30-mon:00:30") == 60
