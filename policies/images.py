"""Names of images, and whether what they name stays the same."""

from __future__ import annotations

import re

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

EXACT = re.compile(
    r"\d+\.\d+"  # a release: 1.4.2, v3.10, 13.2.0-alpine
    r"|\d{8}|\d{4}-\d{2}-\d{2}"  # a day
    r"|(?:^|[-_.])(?=[a-f]*\d)[0-9a-f]{7,64}(?:$|[-_.])",  # a commit, or a digest of sources
    re.I,
)
"""What a tag has that is given once. A major release alone (``kong:3``) moves with each minor one, and a word (``lts``,
``dev``) with whatever somebody pushes.
"""


def parted(reference: str) -> tuple[str, str, str]:
    """Return repository, tag and digest of an image's name; what is not there is empty."""
    name, _, digest = reference.partition("@")
    repository, _, tag = name.rpartition(":")
    return (repository, tag, digest) if repository and "/" not in tag else (name, "", digest)


def exact(reference: str) -> bool:
    """Say whether an image is named by its digest, or by a tag that does not move."""
    _, tag, digest = parted(reference)
    return bool(DIGEST.fullmatch(digest)) if digest else bool(EXACT.search(tag))
