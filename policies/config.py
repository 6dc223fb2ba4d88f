"""The settings of the pack: which stack is what, levels that differ from the rules' own, and exemptions."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from policies.rules import Environment

FILE = Path(__file__).with_name("config.yaml")
"""The settings that come with the pack."""

VARIABLE = "POLICY_PACK_CONFIG"
"""The environment variable that names another file."""

Text = Annotated[str, Field(min_length=1)]
Level = Literal["advisory", "mandatory", "disabled"]


class ConfigError(Exception):
    """The settings are wrong; the message names each key, what it has and what is allowed."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Exemption(_Model):
    """A resource that may break a rule for a while."""

    stack: Text
    """Pattern of the stacks, each as project and name: ``shop/prod`` or ``shop/*``."""
    resource: Text
    """Pattern of the resource's logical name."""
    rule: Text
    """Name of the rule."""
    reason: Annotated[str, Field(min_length=10)]
    """Why it is right, in words that hold when the exemption is looked at again."""
    owner: Text
    """Who answers for it."""
    expires: date
    """Last day on which it holds."""

    def __str__(self) -> str:
        return f"{self.rule} for {self.resource} in {self.stack} ({self.owner}, until {self.expires})"


class Settings(_Model):
    """All settings of the pack; each has a value that suits a stack nothing is said about: production."""

    environments: dict[Environment, list[Text]] = Field(
        default_factory=lambda: {Environment.LOCAL: ["local"], Environment.DEV: ["dev"]}
    )
    """Patterns of the names of the stacks of each environment; a stack that none fits is production."""
    levels: dict[Environment, dict[str, Level]] = Field(default_factory=dict)
    """Levels of rules that differ from their own, by environment and rule."""
    required_tags: list[Text] = Field(default_factory=lambda: ["Environment", "ManagedBy", "Owner", "Project"])
    """Tags that every taggable resource of AWS has."""
    image_registries: list[Text] = Field(default_factory=list)
    """Patterns of the images, without tag and digest, that pods may run; none: any."""
    exemptions: list[Exemption] = Field(default_factory=list)
    """Resources that may break a rule for a while."""

    def environment(self, stack: str) -> Environment:
        """Say what a stack is used for."""
        for environment, patterns in self.environments.items():
            if any(fnmatchcase(stack, pattern) for pattern in patterns):
                return environment
        return Environment.PROD


def load(path: Path | None = None, rules: Collection[str] = ()) -> Settings:
    """Read the settings from `path`, else from the file that the environment names, else the pack's own.

    `rules` are the names that levels and exemptions may refer to. Raises ConfigError.
    """
    path = path or Path(os.environ.get(VARIABLE) or FILE)
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}") from error
    try:
        settings = Settings.model_validate({} if document is None else document)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['input']!r} given: {each['msg']}"
            for each in error.errors()
        ]
    else:
        problems = list(_unknown_rules(settings, rules))
    if problems:
        raise ConfigError(f"{path} is wrong: " + "; ".join(problems))
    return settings


def _unknown_rules(settings: Settings, rules: Collection[str]) -> Iterator[str]:
    allowed = f"allowed: {', '.join(sorted(rules))}"
    for environment, levels in settings.levels.items():
        for rule in levels.keys() - set(rules):
            yield f"levels.{environment.value}.{rule}: no such rule; {allowed}"
    for index, exemption in enumerate(settings.exemptions):
        if exemption.rule not in rules:
            yield f"exemptions.{index}.rule: {exemption.rule!r} given: no such rule; {allowed}"
