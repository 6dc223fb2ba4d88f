"""What the jobs are called."""

from __future__ import annotations

from collections.abc import Mapping

from components.backup.target import Role

BACKUP = "auterity-backup"
"""Name of the nightly job; alerts go by the beginning ``auterity-backup``."""

PRUNE = "auterity-backup-prune"
"""Name of the job that removes what is not kept."""

DRILL = "auterity-drill"
"""Name of the monthly rehearsal; not one of those of which each night must see a success."""

RESTORE = "auterity-restore"
"""Name of the job that people start."""

ACCOUNTS: Mapping[Role, str] = {"write": BACKUP, "prune": PRUNE, "read": DRILL}
"""Role to the name of the service account that has it."""
