"""Windows that recur, and whether they meet."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from settings.windows import later, minutes, minutes_apart, overlap

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


@given(st.integers(0, DAY - 1), st.integers(1, 120), st.integers(0, WEEK - 1), st.integers(1, DAY - 1), st.booleans())
def test_windows_are_as_far_apart_as_the_minutes_between_them(
    daily: int, daily_length: int, other: int, other_length: int, weekly: bool
) -> None:
    in_daily = {(day * DAY + daily + n) % WEEK for day in range(7) for n in range(daily_length)}
    if weekly:
        starts, window = [other], f"{moment(other)}-{moment(other + other_length)}"
    else:
        starts, window = [day * DAY + other for day in range(7)], f"{clock(other)}-{clock(other + other_length)}"
    in_other = {(start + n) % WEEK for start in starts for n in range(other_length)}
    between = 0
    while not in_daily & {(minute + step) % WEEK for minute in in_other for step in (-between, between)}:
        between += 1
    apart = minutes_apart(f"{clock(daily)}-{clock(daily + daily_length)}", window)
    # Neighbours share no minute, and have none between them.
    assert apart == max(between - 1, 0)


def test_a_time_of_day_goes_on_after_midnight() -> None:
    assert (later("23:30", 60), later("08:00", 60)) == ("00:30", "09:00")


def test_a_window_may_end_on_the_next_day_or_in_the_next_week() -> None:
    assert minutes("23:30-00:30") == 60
    assert minutes("sun:23:30-mon:00:30") == 60
