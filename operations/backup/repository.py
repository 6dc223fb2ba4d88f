"""A restic repository (https://restic.readthedocs.io/en/v0.18.1/): encrypted, deduplicated, every read verified."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from operations.backup.errors import BackupError
from operations.backup.plan import Plan, RetentionPlan, TargetPlan
from operations.backup.processes import Ended, run
from operations.backup.snapshots import Snapshot, Written

HOST = "auterity"
"""Host of every snapshot: pods have another name each night."""

REASONS = {
    3: "some of what was asked for could not be read",
    10: "there is no repository; was it deleted? A new one is made by `operations backup init`",
    11: "somebody else holds its lock",
    12: "the password is not one of this repository",
}
"""What restic's exit codes mean (https://restic.readthedocs.io/en/v0.18.1/075_scripting.html#exit-codes)."""

NO_REPOSITORY = 10


@dataclass(frozen=True)
class Repository:
    """A target's repository.

    Attributes:
        plan: the plan.
        target: the target.
    """

    plan: Plan
    target: TargetPlan

    @property
    def name(self) -> str:
        """Name of the target."""
        return self.target.name

    @property
    def environment(self) -> dict[str, str]:
        """What restic is told."""
        return {
            "RESTIC_REPOSITORY": self.target.repository,
            "RESTIC_PASSWORD_FILE": str(self.plan.password_file),
            # Days, weeks and months begin at the same moment everywhere.
            "TZ": "UTC",
            **self.target.environment,
        }

    def initialize(self) -> bool:
        """Make the repository where there is none; say whether it was made.

        Raises:
            BackupError: the target does not answer, or refuses.
        """
        found = self._ask(["cat", "config", "--no-lock"], self.plan.limits.reach)
        if found.code == 0:
            return False
        if found.code != NO_REPOSITORY:
            self._complain("cat", found)
        self._run(["init"], self.plan.limits.reach)
        return True

    def reach(self) -> None:
        """See that the target answers and has the repository, and void what killed runs have left.

        Raises:
            BackupError: it does not, within the time that the plan allows: restic itself would try for 15 minutes.
        """
        self._run(["unlock"], self.plan.limits.reach)

    def write(
        self,
        filename: str,
        tags: Sequence[str],
        time: datetime,
        command: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        given: bytes | None = None,
        *,
        compressed: bool = False,
    ) -> Written:
        """Store what a command writes, or what is given, as one file; a command that fails leaves no snapshot.

        With `compressed`, it is already, and stored as it comes.

        Raises:
            BackupError: it cannot be read or stored.
        """
        marks = [f"--tag={tag}" for tag in tags]
        words = ["backup", "--json", f"--host={HOST}", f"--time={time:%Y-%m-%d %H:%M:%S}", "--force", *marks]
        # Everything is read back from the target later: no need to unpack each piece before it goes there, too.
        words += ["--no-extra-verify", *(["--compression=off"] if compressed else [])]
        if command:
            words += [f"--stdin-filename={filename}", "--stdin-from-command", "--", *command]
        else:
            words += [f"--stdin-filename={filename}", "--stdin"]
        output = self._run(words, self.plan.limits.transfer, environment, given)
        summary = next(line for line in reversed(output.splitlines()) if b'"summary"' in line)
        found = json.loads(summary)
        return Written(found["snapshot_id"], found["total_bytes_processed"], found["data_added_packed"])

    def read(self, snapshot: str, filename: str) -> bytes:
        """Read a small file of a snapshot.

        Raises:
            BackupError: it is not there, or not as it was written.
        """
        return self._run(["dump", "--no-lock", snapshot, f"/{filename}"], self.plan.limits.transfer)

    def reading(self, snapshot: str, filename: str) -> tuple[list[str], dict[str, str]]:
        """Return the command that reads a file of a snapshot, and its environment."""
        return ["restic", "dump", "--no-lock", snapshot, f"/{filename}"], self.environment

    def snapshots(self, tag: str) -> list[Snapshot]:
        """List the snapshots that have a tag, oldest first.

        Raises:
            BackupError: they cannot be read.
        """
        words = ["snapshots", "--json", "--no-lock", f"--host={HOST}", f"--tag={tag}"]
        listed: list[dict[str, Any]] = json.loads(self._run(words, self.plan.limits.reach)) or []
        found = [
            Snapshot(
                each["id"],
                # restic writes nanoseconds, which Python's parser cuts.
                datetime.fromisoformat(each["time"]).astimezone(UTC),
                frozenset(each.get("tags") or ()),
                (each.get("summary") or {}).get("total_bytes_processed", 0),
            )
            for each in listed
        ]
        return sorted(found, key=lambda snapshot: snapshot.time)

    def forget_by(self, tag: str, policy: RetentionPlan) -> None:
        """Forget the snapshots with a tag that a policy does not keep.

        Raises:
            BackupError: the repository is locked, or may not be changed.
        """
        kept = [f"--keep-daily={policy.daily}", f"--keep-weekly={policy.weekly}", f"--keep-monthly={policy.monthly}"]
        words = ["forget", f"--host={HOST}", f"--tag={tag}", "--group-by=", *(k for k in kept if not k.endswith("=0"))]
        self._run([*words, self._patience()], self.plan.limits.transfer)

    def forget(self, snapshots: Iterable[str]) -> None:
        """Forget snapshots by id; raises as `forget_by` does."""
        ids = list(snapshots)
        if ids:
            self._run(["forget", self._patience(), *ids], self.plan.limits.transfer)

    def prune(self) -> None:
        """Remove what no snapshot holds any more; raises as `forget_by` does."""
        self._run(["prune", self._patience()], self.plan.limits.transfer)

    def check(self, *, data: bool) -> None:
        """See that the repository is whole, with `data` by reading every byte of it.

        Raises:
            BackupError: it is not.
        """
        self._run(["check", "--no-lock", *(["--read-data"] if data else [])], self.plan.limits.transfer)

    def spoilt_files(self) -> list[str]:
        """Read every file of the repository; return the ids of those that are not as they were written.

        That data are missing altogether is no error here: who reads the snapshots sees of which.

        Raises:
            BackupError: the target does not answer.
        """
        found = self._ask(["check", "--no-lock", "--read-data", "--json"], self.plan.limits.transfer)
        summaries = [line for line in found.output.splitlines() if b'"summary"' in line]
        if not summaries:
            self._complain("check", found)
        spoilt: list[str] = json.loads(summaries[-1])["broken_packs"] or []
        return spoilt

    def repair_files(self, files: Sequence[str]) -> None:
        """Take spoilt files out, and keep what is whole in them; raises as `forget_by` does."""
        # restic leaves a copy of each file where it is called.
        with tempfile.TemporaryDirectory() as directory:
            words = ["repair", "packs", self._patience(), *files]
            self._run(words, self.plan.limits.transfer, directory=Path(directory))

    def _patience(self) -> str:
        return f"--retry-lock={self.plan.limits.lock}s"

    def _run(
        self,
        words: Sequence[str],
        seconds: int,
        environment: Mapping[str, str] | None = None,
        given: bytes | None = None,
        directory: Path | None = None,
    ) -> bytes:
        ended = self._ask(words, seconds, environment, given, directory)
        if ended.code != 0:
            self._complain(words[0], ended)
        return ended.output

    def _ask(
        self,
        words: Sequence[str],
        seconds: int,
        environment: Mapping[str, str] | None = None,
        given: bytes | None = None,
        directory: Path | None = None,
    ) -> Ended:
        told = {**self.environment, **(environment or {})}
        try:
            return run(["restic", *words], told, seconds=seconds, given=given, directory=directory)
        except BackupError as error:
            raise BackupError(f"target {self.name}: {error}") from error

    def _complain(self, word: str, ended: Ended) -> None:
        reason = REASONS.get(ended.code)
        raise BackupError(
            f"target {self.name}: restic {word}: {f'{reason} ({ended.words})' if reason else ended.words}"
        )
