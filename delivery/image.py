"""The app's image as a stack runs it: its name, and how it is built before the stack is brought up."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from components.image_names import PLATFORMS, content_tag
from settings import PROJECT, AppSettings, ImageBuild, ImageSettings

SCANNED = "auterity/app"
"""Name of an image that is built to be scanned alone: its stack builds it again, for a repository of its own."""


class ImageError(Exception):
    """There is no image to build; the message says why."""


@dataclass(frozen=True)
class BuiltImage:
    """What is built, and where it goes.

    Attributes:
        build: its sources.
        architecture: processor that it runs on.
    """

    build: ImageBuild
    architecture: str

    @property
    def reference(self) -> str:
        """Name of the image, by a tag that names the sources."""
        return f"{self.build.published_in or SCANNED}:{content_tag(self.build, self.architecture)}"

    @property
    def registry(self) -> str:
        """Host of the registry that it is pushed to, once for all stacks; empty where each stack pushes by itself."""
        return (self.build.published_in or "").partition("/")[0]

    def make(self) -> None:
        """Build it by the Docker engine of this machine. Raises ImageError."""
        arguments = [f"--build-arg={name}={value}" for name, value in self.build.args.items()]
        command = ["docker", "build", f"--platform={PLATFORMS[self.architecture]}", f"--file={self.build.path}"]
        try:
            subprocess.run([*command, *arguments, f"--tag={self.reference}", self.build.context], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ImageError(f"{self.reference} could not be built: {error}") from error


def image_of(file: Path) -> BuiltImage:
    """Read from a stack's file what its app's image is built from.

    Raises:
        ImageError: the file is not there or wrong, or the stack runs an image that exists.
    """
    try:
        config: dict[str, Any] = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("config") or {}
        image = ImageSettings.model_validate_json(json.dumps(config.get(f"{PROJECT}:image") or {}))
        app = AppSettings.model_validate_json(json.dumps(config.get(f"{PROJECT}:app") or {}))
    except (OSError, ValidationError, yaml.YAMLError) as error:
        raise ImageError(f"{file}: {error}") from error
    if image.build is None:
        raise ImageError(f"{file}: it runs {image.reference}, which somebody else has built")
    return BuiltImage(image.build, app.architecture)
