"""The app's object storage."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.base import Settings, at_least_in_production, in_production


class StorageSettings(Settings):
    """The bucket in which the app keeps its objects."""

    old_version_days: Annotated[
        int, Field(ge=1, le=3650), at_least_in_production(7, "what was overwritten by mistake must be recoverable")
    ] = 90
    """Days that an overwritten or deleted object can be recovered."""

    archive_after_days: Annotated[int, Field(ge=0, le=3650)] | None = 30
    """Days after which an object moves to Intelligent-Tiering, which stores what nobody reads at a lower price; unset:
    never.
    """

    force_destroy: Annotated[bool, in_production(False, "the app's objects exist nowhere else")] = False
    """Let `destroy` delete the objects together with the bucket."""
