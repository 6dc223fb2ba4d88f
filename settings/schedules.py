"""Recurring times as cron writes them, and as Kubernetes takes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Annotated

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field

from settings.base import BrokenRulesError, Problem

BEGINNING = datetime(2023, 12, 31, 23, 59)
"""After when times are counted: the year that follows has a 29 February."""

DAYS = 800
"""Days with a run that are looked at: more than two years of them."""

ALLOWED = (
    "five fields of cron (minute, hour, day of month, month, day of week from 0, Sunday, to 6) that name a time, such "
    "as '0 2 * * *'"
)


def _names_times(schedule: str) -> str:
    """Refuse what Kubernetes refuses (7 for Sunday among it), and what never comes, such as a 30 February."""
    try:
        next(CronSim(schedule, BEGINNING))
    except (CronSimError, StopIteration):
        raise BrokenRulesError([Problem("", schedule, ALLOWED)]) from None
    weekdays = schedule.split()[4]
    if any("7" in part.partition("/")[0].split("-") for part in weekdays.split(",")):
        raise BrokenRulesError([Problem("", schedule, ALLOWED)])
    return schedule


Cron = Annotated[
    str, Field(pattern=r"^[0-9*/,-]+( [0-9*/,-]+){4}$", examples=["0 2 * * *"]), AfterValidator(_names_times)
]
"""A schedule in cron's five fields."""


def longest_pause(schedule: str) -> timedelta:
    """Tell how long at most it is from one time of a schedule to the next, where no clock is put forward or back."""
    first = next(CronSim(schedule, BEGINNING))
    times = [each for each in islice(CronSim(schedule, BEGINNING), 24 * 60) if each.date() == first.date()]
    within = [later - sooner for sooner, later in pairwise(times)]
    days_alone = f"{first.minute} {first.hour} {schedule.split(maxsplit=2)[2]}"
    days = list(islice(CronSim(days_alone, BEGINNING), DAYS))
    last = times[-1] - times[0]
    return max([*within, *(later - sooner - last for sooner, later in pairwise(days))])


def late_after(schedule: str) -> timedelta:
    """Tell how long after its last good run a job is late: a twelfth more than the longest pause, and two hours at
    least, for runs do not take the same time each; whole days from two days on.
    """
    pause = longest_pause(schedule)
    hours = -(-(pause + max(timedelta(hours=2), pause / 12)) // timedelta(hours=1))
    return timedelta(hours=hours) if hours < 48 else timedelta(days=-(-hours // 24))
