"""What to do about spoilt files of a repository."""

from __future__ import annotations

from collections.abc import Callable

from operations.backup import nightly
from operations.backup.errors import BackupError
from operations.backup.manifest import DUMP, MANIFEST, read
from operations.backup.repository import Repository
from operations.backup.snapshots import Snapshot


def repair(repository: Repository, told: Callable[[str], None], *, forget: bool) -> list[str]:
    """Take spoilt files out of a repository; what was in them is written anew by the next run that has it.

    Args:
        repository: the target's.
        told: hears of progress.
        forget: forget the backups that cannot be read.

    Returns:
        The runs that cannot be read, unless they are forgotten.

    Raises:
        BackupError: the target does not answer, is locked, or does not let itself be changed.
    """
    repository.reach()
    told(f"{repository.name}: reading every file")
    spoilt = repository.spoilt_files()
    if spoilt:
        repository.repair_files(spoilt)
        told(f"{repository.name}: {len(spoilt)} files taken out")
    unreadable = [each.run for each in repository.snapshots(MANIFEST) if not _whole(repository, each, told)]
    if not forget:
        return unreadable
    for run in unreadable:
        # The manifest first: a run without one does not count.
        for tag in (MANIFEST, DUMP):
            repository.forget(each.id for each in repository.snapshots(tag) if each.run == run)
        told(f"{repository.name}: {run} forgotten")
    return []


def _whole(repository: Repository, snapshot: Snapshot, told: Callable[[str], None]) -> bool:
    try:
        nightly.verify(read(repository, snapshot.id, snapshot.run))
    except BackupError as error:
        told(f"{repository.name}: {snapshot.run} cannot be read: {error}")
        return False
    return True
