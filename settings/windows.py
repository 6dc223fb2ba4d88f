"""Recurring windows as AWS writes them, always in UTC: daily for backups, weekly for maintenance."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60
_WEEK = 7 * _DAY
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_MOMENT = rf"(mon|tue|wed|thu|fri|sat|sun):{_CLOCK}"

ClockTime = Annotated[str, Field(pattern=rf"^{_CLOCK}$", examples=["08:00"])]
"""``hh:mm``."""

DailyWindow = Annotated[str, Field(pattern=rf"^{_CLOCK}-{_CLOCK}$", examples=["03:00-04:00"])]
"""``hh:mm-hh:mm``; an end before the start is on the next day."""

WeeklyWindow = Annotated[str, Field(pattern=rf"^{_MOMENT}-{_MOMENT}$", examples=["sun:05:00-sun:06:00"])]
"""``ddd:hh:mm-ddd:hh:mm``."""

MomentOfWeek = Annotated[str, Field(pattern=rf"^{_MOMENT}$", examples=["sun:05:00"])]
"""``ddd:hh:mm``."""


def minutes(window: str) -> int:
    """Tell how long a daily or weekly window is, in minutes."""
    return _span(window)[1]


def overlap(daily: str, weekly: str) -> bool:
    """Tell whether a daily window meets a weekly one on any day, round the week's end too."""
    daily_start, daily_length = _span(daily)
    weekly_start, weekly_length = _span(weekly)
    starts = [day * _DAY + daily_start for day in range(7)]
    return any(
        (weekly_start - start) % _WEEK < daily_length or (start - weekly_start) % _WEEK < weekly_length
        for start in starts
    )


def minutes_apart(daily: str, other: str) -> int:
    """Tell how many minutes there are at least between a daily window and another one, daily or weekly, on any day;
    none where they meet.
    """
    start, length = _span(daily)
    other_start, other_length = _span(other)
    period = _DAY if other[0].isdigit() else _WEEK
    found = []
    for one in (day * _DAY + start for day in range(period // _DAY)):
        ahead, behind = (other_start - one) % period, (one - other_start) % period
        found += [0] if ahead < length or behind < other_length else [ahead - length, behind - other_length]
    return min(found)


def later(clock: str, minutes_more: int) -> str:
    """Return the time of day so many minutes after another."""
    hours, rest = divmod((_minute(clock) + minutes_more) % _DAY, 60)
    return f"{hours:02}:{rest:02}"


def _span(window: str) -> tuple[int, int]:
    """Return a window's start and length in minutes, from midnight or from Monday's."""
    start, end = window.split("-")
    period = _DAY if start[0].isdigit() else _WEEK
    return _minute(start), (_minute(end) - _minute(start)) % period


def _minute(moment: str) -> int:
    *day, hours, minutes_past = moment.split(":")
    return (_DAYS.index(day[0]) * _DAY if day else 0) + int(hours) * 60 + int(minutes_past)
