"""The settings of the bootstrap stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from settings import read
from settings.aws import Region
from settings.base import Settings

PROJECT = "auterity-bootstrap"
"""The project's name, and so the namespace of its configuration keys."""

GOOGLE_PROJECT = "auterity-bootstrap-google"
"""The same of the project that stands in Google Cloud."""

GITHUB_PROJECT = "auterity-bootstrap-github"
"""The same of the project that sets the repository up."""

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

    disposable: tuple[str, ...] = ()
    """Stacks that their pipeline may take down with all objects in their buckets; never production."""

    owner: str = "platform"
    """Team for the tag ``Owner``."""


class GoogleBootstrapSettings(_Pipelines):
    """What the pipelines of all accounts need in the Google Cloud project that keeps the second copy of the backups."""

    project: str = Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")
    """Id of the project."""


class AccountOfStack(Settings):
    """Where a stack lives, as its account's bootstrap says."""

    account_id: str = Field(pattern=r"^\d{12}$")
    """The AWS account."""

    region: Region
    """AWS Region of the stack."""

    backend: str = Field(pattern=r"^s3://[a-z0-9.-]+(\?\S+)?$")
    """URL of its state, the output ``PULUMI_BACKEND``."""


class GoogleIdentities(Settings):
    """Who the pipelines are in Google Cloud, as its bootstrap says."""

    project: str = Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")
    """Id of the project."""

    identity_provider: str = Field(pattern=r"^projects/\d+/locations/global/workloadIdentityPools/\S+/providers/\S+$")
    """The output ``GCP_IDENTITY_PROVIDER``."""


class GithubBootstrapSettings(Settings):
    """What the repository needs to deploy."""

    repository: str = Field(pattern=f"^{_NAME}/{_NAME}$")
    """Owner and name."""

    stacks: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,15}$")], AccountOfStack] = Field(min_length=1)
    """Stacks that are deployed."""

    reviewers: tuple[Annotated[int, Field(gt=0)], ...] = Field(min_length=1, max_length=6)
    """Ids of the teams of which one person has to approve; who started a deployment cannot. In private repositories
    GitHub has this on the plan Enterprise alone.
    """

    reviewed: tuple[str, ...] = ("prod",)
    """Stacks whose deployment somebody has to approve."""

    runner: str | None = None
    """Label of the runner that the clusters let in; None for GitHub's own."""

    google: GoogleIdentities | None = None
    """None where nothing is kept in Google Cloud."""

    @model_validator(mode="after")
    def _there(self) -> Self:
        if missing := sorted(set(self.reviewed) - set(self.stacks)):
            raise ValueError(f"reviewed: {', '.join(missing)} given, and only {', '.join(self.stacks)} are deployed")
        return self


def load(config: Mapping[str, str]) -> BootstrapSettings:
    """Validate the configuration, whole, before anything is registered; arguments and errors as `settings.read`."""
    return read(BootstrapSettings, PROJECT, config)


def load_google(config: Mapping[str, str]) -> GoogleBootstrapSettings:
    """Do the same for the project in Google Cloud."""
    return read(GoogleBootstrapSettings, GOOGLE_PROJECT, config)


def load_github(config: Mapping[str, str]) -> GithubBootstrapSettings:
    """Do the same for the repository on GitHub."""
    return read(GithubBootstrapSettings, GITHUB_PROJECT, config)
