"""A place for backups, as the jobs see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi

Role = Literal["write", "prune", "read"]
"""What a job does with a target: add backups; remove those that are not kept; read them."""

ROLES: tuple[Role, ...] = ("write", "prune", "read")

FOLDER = "platform"
"""Where in a bucket the repository is."""

LOCKS = f"{FOLDER}/locks/"
"""What every job may delete: its own marks (https://restic.readthedocs.io/en/v0.18.1/100_references.html#locks)."""


@dataclass(frozen=True)
class Target:
    """A place for backups.

    Attributes:
        name: what it is called.
        repository: restic's name of the repository.
        environment: further environment variables of restic; none is a secret.
        files: name of a file that restic needs, no secret, to its content.
        token_audience: for whom the jobs' own tokens are made; None where no token is needed.
        after: what must stand before the first job, and no value carries.
    """

    name: str
    repository: pulumi.Input[str]
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    files: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    token_audience: pulumi.Input[str] | None = None
    after: Sequence[pulumi.Resource] = ()
