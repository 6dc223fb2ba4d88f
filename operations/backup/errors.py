"""What can go wrong with a backup."""

from __future__ import annotations


class BackupError(RuntimeError):
    """Something did not work; the message says what, and what to do."""


class RefusedError(BackupError):
    """What was asked would destroy data, and was not asked for by name."""
