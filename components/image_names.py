"""What an image is called: by its stack's settings, or by the sources that it is built from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from settings.image import ImageBuild, ImageSettings

PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}
"""A task's processor architecture to the platform of its image."""


def existing_image(settings: ImageSettings, architecture: str) -> str:
    """Name an image that the stack does not build: by what the settings say, or by the sources it was built from."""
    if settings.build is None:
        return settings.reference or ""
    return f"{settings.build.published_in}:{content_tag(settings.build, architecture)}"


def content_tag(build: ImageBuild, architecture: str) -> str:
    """Return the tag of what is built for a processor (``X86_64``, ``ARM64``): it names the sources."""
    return content_digest(build, PLATFORMS[architecture])[:40]


def content_digest(build: ImageBuild, platform: str) -> str:
    """Digest all that decides what is built: the files that Docker would be sent, how, and for which platform.

    Returns:
        SHA-256 in hexadecimal digits. What a base image's tag points to is not part of it: name base images exactly.
    """
    # Only a stack that builds pays for loading it.
    from docker.utils.build import exclude_paths

    context = Path(build.context)
    ignore_file = context / ".dockerignore"
    lines = ignore_file.read_text(encoding="utf-8").splitlines() if ignore_file.is_file() else []
    ignored = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    digest = hashlib.sha256(json.dumps([build.dockerfile, build.args, platform], sort_keys=True).encode())
    for path in sorted(exclude_paths(str(context), ignored, dockerfile=build.dockerfile)):
        file = context / path
        if file.is_file():
            executable = file.stat().st_mode & 0o111 != 0
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(json.dumps([path, executable, content]).encode())
    return digest.hexdigest()
