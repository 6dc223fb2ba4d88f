"""The images as a stack runs them: their names, and how they are built before the stack is brought up."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from components.image_names import PLATFORMS, content_tag
from settings import PROJECT, AppSettings, BackupSettings, ImageBuild, ImageSettings

ABSENT = ("no such manifest", "manifest unknown")
"""What a registry says of an image that it has not; any other failure says nothing of that."""


class Workload(StrEnum):
    """Whose image it is."""

    APP = "app"
    BACKUP = "backup"


class ImageError(Exception):
    """There is no image to build; the message says why."""


@dataclass(frozen=True)
class BuiltImage:
    """What is built, and where it goes.

    Attributes:
        build: its sources.
        architecture: processor that it runs on.
        workload: what runs it.
    """

    build: ImageBuild
    architecture: str
    workload: Workload = Workload.APP

    @property
    def reference(self) -> str:
        """Name of the image, by a tag that names the sources."""
        # Where each stack pushes by itself, it is built here to be scanned alone, under a name of this machine.
        name = self.build.published_in or f"{PROJECT}/{self.workload}"
        return f"{name}:{content_tag(self.build, self.architecture)}"

    @property
    def registry(self) -> str:
        """Host of the registry that it is pushed to, once for all stacks; empty where each stack pushes by itself."""
        return (self.build.published_in or "").partition("/")[0]

    def published(self) -> bool:
        """Look whether the registry has it: what is there must not be built again, as no two builds are the same.

        Raises:
            ImageError: the registry does not say, for want of a login or an answer.
        """
        if not self.registry:
            return False
        try:
            command = ["docker", "manifest", "inspect", self.reference]
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise ImageError(f"{self.reference} could not be looked up: {error}") from error
        if answer.returncode and not any(words in answer.stderr for words in ABSENT):
            raise ImageError(f"{self.reference} could not be looked up: {answer.stderr.strip()}")
        return answer.returncode == 0

    def make(self) -> None:
        """Build it by the Docker engine of this machine, which tells of it on standard error. Raises ImageError."""
        arguments = [f"--build-arg={name}={value}" for name, value in self.build.args.items()]
        command = ["docker", "build", f"--platform={PLATFORMS[self.architecture]}", f"--file={self.build.path}"]
        try:
            command += [*arguments, f"--tag={self.reference}", self.build.context]
            subprocess.run(command, check=True, stdout=sys.stderr.fileno())
        except (OSError, subprocess.CalledProcessError) as error:
            raise ImageError(f"{self.reference} could not be built: {error}") from error


def image_of(file: Path, workload: Workload = Workload.APP) -> BuiltImage:
    """Read from a stack's file what the image of a workload is built from.

    Raises:
        ImageError: the file is not there or wrong, or the stack runs an image that exists, or has no such workload.
    """
    try:
        config: dict[str, Any] = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("config") or {}
        sections = {name: json.dumps(config.get(f"{PROJECT}:{name}") or {}) for name in ("image", "app", "backup")}
        if workload == Workload.APP:
            image = ImageSettings.model_validate_json(sections["image"])
        elif f"{PROJECT}:backup" in config:
            image = BackupSettings.model_validate_json(sections["backup"]).image
        else:
            raise ImageError(f"{file}: it has no backups")
        app = AppSettings.model_validate_json(sections["app"])
    except (OSError, ValidationError, yaml.YAMLError) as error:
        raise ImageError(f"{file}: {error}") from error
    if image.build is None:
        raise ImageError(f"{file}: it runs {image.reference}, which somebody else has built")
    return BuiltImage(image.build, app.architecture, workload)
