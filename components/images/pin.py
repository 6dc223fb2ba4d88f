"""``make digests``: writes the digest of each image of the table behind its tag, as its registry has it today."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import docker
from docker.errors import DockerException

from components.images import TABLE

IMAGE = re.compile(r"^(?P<key>    image: )(?P<tagged>[^@\s]+)(@sha256:[0-9a-f]{64})?$", re.MULTILINE)


def pinned(text: str, digest_of: Callable[[str], str]) -> str:
    """Return the table with the digest of each image behind its tag; all else stays as it is written.

    Args:
        text: the table.
        digest_of: asks for the digest of a reference with a tag, ``sha256:`` and 64 hexadecimal digits; of an image for
            several processors that of its index, which fits all of them.
    """
    return IMAGE.sub(lambda found: f"{found['key']}{found['tagged']}@{digest_of(found['tagged'])}", text)


def main() -> None:
    """Ask the registries by the Docker daemon, which knows how to sign in to them."""
    try:
        images = docker.from_env().images
        text = pinned(TABLE.read_text(encoding="utf-8"), lambda tagged: str(images.get_registry_data(tagged).id))
    except DockerException as error:
        sys.exit(f"error: no digest was written: {error}")
    TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
