"""Which nights must be kept, told without restic; and nights that pass quickly."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from operations.backup.manifest import DUMP, FILE, MANIFEST, marks
from operations.backup.plan import Plan, RetentionPlan
from operations.backup.repository import Repository
from tests.real.backing_up import Site

FIRST_NIGHT = datetime(2025, 9, 1, 2, 0, tzinfo=UTC)

Period = Callable[[datetime], Hashable]

PERIODS: Sequence[tuple[Period, str]] = (
    (lambda night: night.date(), "daily"),
    (lambda night: night.isocalendar()[:2], "weekly"),
    (lambda night: (night.year, night.month), "monthly"),
)


def kept(nights: Sequence[datetime], policy: RetentionPlan) -> set[datetime]:
    """Return the nights that a policy keeps of all that ever were: the last one of each of the last periods.

    The first night of all stands for the periods that there have not been yet.
    """
    found: set[datetime] = set()
    for period, name in PERIODS:
        last = {period(night): night for night in sorted(nights)}
        count = getattr(policy, name)
        found |= set(sorted(last.values())[-count:])
        if len(last) < count:
            found.add(min(nights))
    return found


def nights(count: int, without: Iterable[int] = ()) -> Iterator[datetime]:
    """Let nights pass, some of them without a backup."""
    left_out = set(without)
    return (FIRST_NIGHT + timedelta(days=number) for number in range(count) if number not in left_out)


def back_up_at(repository: Repository, night: datetime, *, dump: bool = True) -> None:
    """Leave behind what a run at that time leaves."""
    run = f"{night:%Y-%m-%d}"
    if dump:
        repository.write("shop.dump.zst", marks(DUMP, run), night, given=run.encode())
    repository.write(FILE, marks(MANIFEST, run), night, given=b"{}")


def there(repository: Repository, tag: str = MANIFEST) -> set[datetime]:
    """Return the nights of which a repository has a snapshot."""
    return {snapshot.time for snapshot in repository.snapshots(tag)}


def repositories(at: Site) -> list[Repository]:
    """Open the repositories of a site."""
    plan = Plan.model_validate(at.plan)
    targets = [t.model_copy(update={"environment": {**at.environment, **t.environment}}) for t in plan.targets]
    return [Repository(plan, target) for target in targets]
