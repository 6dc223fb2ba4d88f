"""Where the app's image comes from: built here, or taken from a registry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from settings.base import Problem, Settings, in_production

_REFERENCE = re.compile(
    r"(?P<repository>(?:[a-z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
"""An image's name (https://github.com/distribution/reference, grammar)."""

_ECR = re.compile(r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>.+)")
"""A repository of Amazon ECR, by the host of its registry."""

_EXACT_TAG = re.compile(
    r"\d+\.\d+|\d{8}|\d{4}-\d{2}-\d{2}|(?:^|[-_.])(?=[a-f]*\d)[0-9a-f]{7,64}(?:$|[-_.])", re.IGNORECASE
)
"""What a tag has that is given once: a release with its minor number, a day, a commit; ``3``, ``lts``, ``dev`` move."""


def _exact(reference: str) -> str:
    found = _REFERENCE.fullmatch(reference)
    if not found:
        raise ValueError("an image's name, such as registry.example.com/team/app:1.4.2")
    if not found["digest"] and not _EXACT_TAG.search(found["tag"] or ""):
        raise ValueError(
            "an image with a digest or an exact tag, because what runs must not change behind a stack's back"
        )
    return reference


ImageReference = Annotated[str, AfterValidator(_exact)]
"""Name of an image with an exact tag or a digest."""

ImageRepository = Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:[0-9]+)?/[a-z0-9]+([._/-]+[a-z0-9]+)*$")]
"""A registry's host and the name of a repository there, without tag and digest."""


class ImageBuild(Settings):
    """Build the image from its sources and push it to a repository of the stack, unless the pipeline has done both."""

    context: Annotated[str, Field(min_length=1, examples=["examples/app"])]
    """Directory with the Dockerfile and all that it copies, seen from the project."""

    dockerfile: Annotated[str, Field(min_length=1)] = "Dockerfile"
    """Path of the Dockerfile, seen from `context`."""

    args: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = {}
    """Build arguments; no secrets, which an image's history shows."""

    published_in: (
        Annotated[ImageRepository, Field(examples=["123456789012.dkr.ecr.us-east-1.amazonaws.com/auterity/app"])] | None
    ) = None
    """Repository of immutable tags into which the pipeline has built, scanned and pushed the image, once for all stacks
    that name it; the stack then makes no repository and builds nothing.
    """

    keep_images: Annotated[int, Field(ge=1, le=1000)] = 30
    """Newest images that the repository keeps."""

    force_delete: Annotated[bool, in_production(False, "a roll-back needs the images of before")] = False
    """Let `destroy` delete the repository together with its images."""

    @property
    def path(self) -> Path:
        """Path of the Dockerfile, seen from the project."""
        return Path(self.context) / self.dockerfile

    def problems(self) -> Iterator[Problem]:
        if not self.path.is_file():
            yield Problem("dockerfile", self.dockerfile, f"a file below context ({self.context})")


class ImageSettings(Settings):
    """The app's image: `reference` of one that exists, or `build` for one that is made here."""

    reference: ImageReference | None = None
    """Image to run, with an exact tag or a digest."""

    build: ImageBuild | None = None
    """How to build it; it then runs by the digest of what was pushed."""

    @property
    def ecr_repository(self) -> tuple[str, str, str] | None:
        """Account, Region and name of the ECR repository of an image that exists; None for any other registry."""
        found = _REFERENCE.fullmatch(self.reference or (self.build and self.build.published_in) or "")
        ecr = _ECR.fullmatch(found["repository"]) if found else None
        return (ecr["account"], ecr["region"], ecr["name"]) if ecr else None

    def problems(self) -> Iterator[Problem]:
        if (self.reference is None) == (self.build is None):
            given = "both" if self.reference else "neither"
            yield Problem("", given, "either `reference` or `build`")
