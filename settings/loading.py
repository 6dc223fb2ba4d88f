"""From a stack's Pulumi configuration to its settings, or to one error that names every wrong key."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from settings.base import BrokenRulesError, Settings
from settings.stack import StackSettings

PROJECT = "auterity"
"""The project's name, and so the namespace of its configuration keys."""

Model = TypeVar("Model", bound=Settings)

_ENGINE_NAMESPACES = ("pulumi",)
"""Namespaces that the Pulumi engine itself reads."""


class SettingsError(Exception):
    """A stack's configuration is wrong; the text has one line for each wrong key."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''}"
        super().__init__(
            f"The stack's configuration has {count}; nothing was changed.\n" + "\n".join(f"  {line}" for line in lines)
        )


LONGEST_STACK_NAME = 22
"""Characters of a stack's name: ElastiCache allows 40 in a replication group's id, of which the project's name and a
suffix take 18 (CreateReplicationGroup, ``ReplicationGroupId``). Every other name has room for more.
"""

_STACK_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def load(config: Mapping[str, str], secret_keys: Collection[str] = (), stack: str | None = None) -> StackSettings:
    """Validate a stack's configuration, whole, before anything is registered; arguments and errors as `read`.

    Args:
        config: as `read` has it.
        secret_keys: as `read` has it.
        stack: the stack's own name, from which every name in the clouds is made; None: it is not judged.
    """
    wrong = []
    if stack is not None and not (_STACK_NAME.fullmatch(stack) and len(stack) <= LONGEST_STACK_NAME):
        words = f"up to {LONGEST_STACK_NAME} lower-case letters, digits and single hyphens between them, a letter first"
        wrong = [f"name of the stack: {json.dumps(stack)} given; allowed: {words}"]
    try:
        settings = read(StackSettings, PROJECT, config, secret_keys)
    except SettingsError as error:
        raise SettingsError([*wrong, *error.lines]) from None
    if wrong:
        raise SettingsError(wrong)
    return settings


def read(model: type[Model], project: str, config: Mapping[str, str], secret_keys: Collection[str] = ()) -> Model:
    """Validate a stack's configuration against a model, whole.

    Args:
        model: what the configuration may say.
        project: the project's name, and so the namespace of its keys.
        config: full key (``auterity:network``) to value as the engine hands it over: text, or JSON for a structure.
        secret_keys: full keys whose values are secret and never shown.

    Raises:
        SettingsError: with a line for every wrong key.
    """
    document: dict[str, Any] = {}
    lines: list[str] = []
    for full_key, text in sorted(config.items()):
        namespace, _, key = full_key.partition(":")
        if namespace == project:
            document[key] = _value(model, key, text)
        elif namespace not in _ENGINE_NAMESPACES:
            first = next(iter(model.model_fields))
            lines.append(
                f"{full_key}: not read by this project; allowed: keys of {project}:, such as {project}:{first}"
            )
    try:
        settings = model.model_validate_json(
            json.dumps(document), strict=True, context={"environment": document.get("environment")}
        )
    except ValidationError as error:
        secret = {key.partition(":")[2] for key in secret_keys}
        lines += [f"{project}:{line}" for details in error.errors() for line in _lines(model, details, secret)]
    if lines:
        raise SettingsError(lines)
    return settings


def _value(model: type[Settings], key: str, text: str) -> Any:
    """Decode a structure; leave text as it is, also where a structure is wanted (validation then says so)."""
    field = model.model_fields.get(key)
    if field is not None and field.annotation is not None and _is_text(field.annotation):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _is_text(annotation: Any) -> bool:
    return not any(isinstance(t, type) and issubclass(t, (BaseModel, dict, list, tuple)) for t in _members(annotation))


def _members(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield get_origin(annotation) or annotation


def _lines(model: type[Settings], details: ErrorDetails, secret: Collection[str]) -> Iterator[str]:
    path = [str(part) for part in details["loc"]]
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, BrokenRulesError):
        for problem in cause.problems:
            yield _line([*path, *([problem.key] if problem.key else [])], problem.given, problem.allowed, secret)
    elif details["type"] == "extra_forbidden":
        known = _known_keys(model, path[:-1])
        close = difflib.get_close_matches(path[-1], known, n=1)
        hint = f"; did you mean {close[0]}? Allowed here" if close else "; allowed here"
        yield f"{'.'.join(path)}: no such setting{hint}: {', '.join(known)}"
    elif details["type"] == "missing":
        yield f"{'.'.join(path)}: not set; it has no default"
    else:
        yield _line([part for part in path if part != "[key]"], details["input"], _allowed(details), secret)


def _line(path: list[str], given: object, allowed: str, secret: Collection[str]) -> str:
    dotted = ".".join(path)
    shown = "[secret]" if path and path[0] in secret else json.dumps(given, default=str)
    if len(shown) > 120:
        shown = shown[:117] + "..."
    return f"{dotted}: {shown} given; allowed: {allowed}"


def _allowed(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "literal_error":
            return str(context["expected"])
        case "string_pattern_mismatch":
            return f"text that matches {context['pattern']}"
        case "greater_than_equal":
            return f"{context['ge']} or more"
        case "less_than_equal":
            return f"{context['le']} or less"
        case _:
            message = details["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
            return message.replace("a valid integer", "an integer").replace("a valid ", "a ")


def _known_keys(model: type[Settings], path: list[str]) -> list[str]:
    """List the keys of the section at `path`."""
    here: type[BaseModel] = model
    for part in path:
        field = here.model_fields.get(part)
        if field is None:
            break
        here = next((m for m in _members(field.annotation) if isinstance(m, type) and issubclass(m, Settings)), here)
    return sorted(here.model_fields)
