"""The settings of the bootstrap stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from settings import read
from settings.aws import Region
from settings.base import Settings

PROJECT = "auterity-bootstrap"
"""The project's name, and so the namespace of its configuration keys."""

GOOGLE_PROJECT = "auterity-bootstrap-google"
"""The same of the project that stands in Google Cloud."""

_NAME = "[A-Za-z0-9_.-]+"


class _Pipelines(Settings):
    """Whose pipelines they are."""

    repository: str = Field(pattern=f"^({_NAME}/{_NAME}|{_NAME}@[0-9]+/{_NAME}@[0-9]+)$")
    """The repository on GitHub whose pipelines deploy, as its tokens name it: ``owner@id/name@id`` if it was made,
    renamed or transferred since 15 July 2026 or has opted in to such subjects, else ``owner/name``.
    """

    stacks: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,15}$")], ...] = Field(min_length=1)
    """Stacks that live there; each gets an identity for each task of its pipelines."""


class BootstrapSettings(_Pipelines):
    """What the pipelines of one AWS account need."""

    region: Region
    """AWS Region of the state."""

    account_id: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    """The provider refuses any other account than this one."""

    owner: str = "platform"
    """Team for the tag ``Owner``."""


class GoogleBootstrapSettings(_Pipelines):
    """What the pipelines of all accounts need in the Google Cloud project that keeps the second copy of the backups."""

    project: str = Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")
    """Id of the project."""


def load(config: Mapping[str, str]) -> BootstrapSettings:
    """Validate the configuration, whole, before anything is registered; arguments and errors as `settings.read`."""
    return read(BootstrapSettings, PROJECT, config)


def load_google(config: Mapping[str, str]) -> GoogleBootstrapSettings:
    """Do the same for the project in Google Cloud."""
    return read(GoogleBootstrapSettings, GOOGLE_PROJECT, config)
