"""The settings of the bootstrap stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from settings.base import Settings

PROJECT = "auterity-bootstrap"
"""The project's name, and so the namespace of its configuration keys."""


class GoogleSettings(Settings):
    """The Google Cloud project that keeps the second copy of the backups."""

    project: str = Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")
    """Id of the project."""


class BootstrapSettings(Settings):
    """What the pipelines of one account need."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    """AWS Region of the state."""

    account_id: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    """The provider refuses any other account than this one."""

    owner: str = "platform"
    """Team for the tag ``Owner``."""

    repository: str = Field(pattern=r"^[\w.-]{1,39}/[\w.-]{1,100}$")
    """The repository on GitHub whose pipelines deploy, ``owner/name``."""

    stacks: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,15}$")], ...] = Field(min_length=1)
    """Stacks that live in this account; each gets an identity for each task of its pipelines."""

    google: GoogleSettings | None = None
    """None where nothing is kept in Google Cloud."""


class InputError(Exception):
    """The configuration is wrong; the text has one line for each wrong key."""


def load(config: Mapping[str, str]) -> BootstrapSettings:
    """Validate the configuration, whole, before anything is registered.

    Args:
        config: full key to value as the engine hands it over: text, or JSON for a structure.

    Raises:
        InputError: with a line for every wrong key.
    """
    found: dict[str, Any] = {}
    for full_key, text in config.items():
        namespace, _, key = full_key.partition(":")
        if namespace == PROJECT:
            found[key] = json.loads(text) if text.startswith(("[", "{")) else text
    try:
        return BootstrapSettings.model_validate_json(json.dumps(found))
    except (ValidationError, ValueError) as error:
        problems = error.errors() if isinstance(error, ValidationError) else []
        lines = [
            f"{PROJECT}:{'.'.join(map(str, each['loc']))}: {each['input']!r} given; {each['msg'].lower()}"
            for each in problems
        ]
        raise InputError("\n".join(lines) or str(error)) from error
