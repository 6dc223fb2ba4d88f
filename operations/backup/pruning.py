"""What stays: the last backup of each of so many days, weeks and months, and nothing that belongs to none of them."""

from __future__ import annotations

from operations.backup.manifest import DUMP, MANIFEST
from operations.backup.repository import Repository
from operations.backup.services import SERVICE


def prune(repository: Repository) -> int:
    """Forget the backups that are not kept, and remove their data; return how many stay.

    The policy is for manifests alone; dumps go with theirs. A dump without one was left by a run that failed, or
    belongs to a run that is not done: the latter is newer than every manifest.

    Raises:
        BackupError: the target does not answer, is locked, or does not let itself be changed.
    """
    repository.reach()
    repository.forget_by(MANIFEST, repository.plan.retention)
    kept = repository.snapshots(MANIFEST)
    if not kept:
        return 0
    complete = {(snapshot.run, snapshot.time) for snapshot in kept}
    runs = {snapshot.run for snapshot in kept}
    repository.forget(
        dump.id
        for dump in repository.snapshots(DUMP)
        if (dump.run, dump.time) not in complete and dump.time <= kept[-1].time
    )
    repository.forget(
        service.id
        for service in repository.snapshots(SERVICE)
        if service.run not in runs and service.time <= kept[-1].time
    )
    repository.prune()
    return len(kept)
