"""Passwords that the stack makes, kept in AWS Secrets Manager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from settings.base import Problem, Settings, at_least_in_production


class SecretsSettings(Settings):
    """How the stack's own secrets are kept."""

    recovery_window_days: Annotated[
        int, Field(ge=0, le=30), at_least_in_production(7, "a secret deleted by mistake must be recoverable")
    ] = 30
    """Days in which a deleted secret can be restored, 7 to 30, or 0 for none (DeleteSecret,
    ``RecoveryWindowInDays``). A secret's name stays taken for as long.
    """

    def problems(self) -> Iterator[Problem]:
        if 0 < self.recovery_window_days < 7:
            yield Problem("recovery_window_days", self.recovery_window_days, "0, or 7 to 30")
