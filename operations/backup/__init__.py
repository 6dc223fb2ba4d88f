"""Backups of the platform's databases, in one encrypted restic repository at each target."""
