"""A page for each section of the settings: what may be set, in which unit and limits, and which stack does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from settings.base import ProductionRule
from settings.limits import cell, code, limits, shown
from settings.loading import PROJECT
from settings.schema import stack_file_schema
from settings.stack import StackSettings

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs/settings"

UNITS = {
    "_days": "days",
    "_gib": "GiB",
    "_hours": "hours",
    "_mib": "MiB",
    "_mibps": "MiB/s",
    "_millis": "milli-CPU",
    "_ms": "ms",
    "_per_minute": "a minute",
    "_per_second": "a second",
    "_percent": "%",
    "_seconds": "seconds",
    "cpu_units": "1/1024 vCPU",
}
"""End of a key to the unit of its value."""

NAME = "NAME"
"""Stands for a name that the stack chooses."""

NOTHING = "\u2013"
"""What an empty cell holds."""

Schema = Mapping[str, Any]
Stacks = Mapping[str, Mapping[str, Any]]
"""Stack to what its file sets, by key without the project's name."""


@dataclass(frozen=True)
class Setting:
    """A key and what may be said of it.

    Attributes:
        path: where it is, from the stack file's top; `NAME` stands for a name that the stack chooses.
        field: pydantic's.
        schema: JSON Schema of its value.
        nullable: it may be left unset although it has no value then.
    """

    path: tuple[str, ...]
    field: FieldInfo
    schema: Schema
    nullable: bool

    @property
    def model(self) -> type[BaseModel] | None:
        """What its value consists of; ``None`` for a plain value."""
        return next(_models(self.field.annotation), None)

    @property
    def below(self) -> tuple[str, ...]:
        """Where the keys of its value are."""
        return (*self.path, NAME) if self.schema.get("type") == "object" and "$ref" not in self.schema else self.path


def stack_files(root: Path = ROOT) -> Stacks:
    """Read what the stack files of a checkout set, by stack."""
    return {
        file.name.split(".")[1]: {
            key.removeprefix(f"{PROJECT}:"): value for key, value in yaml.safe_load(file.read_text())["config"].items()
        }
        for file in sorted(root.glob("Pulumi.*.yaml"))
    }


def render_pages(stacks: Stacks) -> dict[str, str]:
    """Write all pages: file name to text."""
    top = list(_settings(StackSettings, _schema()["properties"]["config"]["properties"], (), f"{PROJECT}:"))
    sections = [setting for setting in top if setting.model]
    plain = [setting for setting in top if not setting.model]
    pages = {f"{setting.path[0]}.md": _section(setting, stacks) for setting in sections}
    pages["README.md"] = _index(plain, sections, stacks)
    return pages


def write_pages(folder: Path = PAGES) -> None:
    """Write all pages into a folder, and remove those of sections that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = render_pages(stack_files())
    for stale in {file.name for file in folder.glob("*.md")} - set(pages):
        (folder / stale).unlink()
    for name, text in pages.items():
        (folder / name).write_text(text)


@cache
def _schema() -> Schema:
    return stack_file_schema()


def _index(plain: Sequence[Setting], sections: Sequence[Setting], stacks: Stacks) -> str:
    lines = [
        "# Settings",
        "",
        "Everything that a stack may say, in `Pulumi.<stack>.yaml`. Each page is made from the models in",
        "[settings/](../../settings) by `make schema`, and so is the JSON Schema by which editors complete and",
        "check the files. Every default is the one that production wants. A wrong value stops a stack before",
        "anything is made, with one line for each wrong key; rules between several keys are said there, too.",
        "",
        *_table(plain, stacks),
        "",
        "| section | what for | set by |",
        "| ------- | -------- | ------ |",
    ]
    for setting in sections:
        name = setting.path[0]
        users = ", ".join(stack for stack, values in stacks.items() if name in values)
        lines.append(f"| [`{PROJECT}:{name}`]({name}.md) | {cell(setting.field.description)} | {users or NOTHING} |")
    return "\n".join(lines) + "\n"


def _section(setting: Setting, stacks: Stacks) -> str:
    name = setting.path[0]
    lines = [
        f"# {PROJECT}:{name}",
        "",
        f"{cell(setting.field.description)} Made from [settings/](../../settings) by `make schema`;",
        "[the other sections](README.md).",
    ]
    for part in _nested(setting):
        model = part.model
        assert model is not None
        if part is not setting:
            lines += ["", f"## {'.'.join(part.below[1:])}", "", cell(model.__doc__)]
        lines += ["", *_table(list(_of(part)), stacks)]
    return "\n".join(lines) + "\n"


def _table(settings: Sequence[Setting], stacks: Stacks) -> list[str]:
    rows = [
        f"| `{setting.path[-1]}` | {cell(setting.field.description)} | {_type(setting)} | {_default(setting)} "
        f"| {_allowed(setting)} | {_set_by(setting, stacks)} |"
        for setting in settings
    ]
    return [
        "| key | what for | type, unit | default | allowed | set by |",
        "| --- | -------- | ---------- | ------- | ------- | ------ |",
        *rows,
    ]


def _nested(setting: Setting) -> Iterator[Setting]:
    """List a setting and all below it that consist of further keys, from the outermost."""
    if setting.model:
        yield setting
        for each in _of(setting):
            yield from _nested(each)


def _of(setting: Setting) -> Iterator[Setting]:
    """List the keys of a setting's value."""
    model = setting.model
    assert model is not None
    yield from _settings(model, _schema()["$defs"][model.__name__]["properties"], setting.below)


def _settings(model: type[BaseModel], schemas: Schema, path: tuple[str, ...], prefix: str = "") -> Iterator[Setting]:
    for key, info in model.model_fields.items():
        schema = schemas[prefix + key]
        options = schema.get("anyOf", [schema])
        chosen = [option for option in options if option.get("type") != "null"]
        yield Setting((*path, key), info, chosen[0], nullable=len(chosen) < len(options))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _type(setting: Setting) -> str:
    unit = next((unit for end, unit in UNITS.items() if setting.path[-1].endswith(end)), "")
    schema = setting.schema
    if setting.model:
        name = "keys by name" if setting.below != setting.path else "keys"
        return f"[{name}](#{_anchor('.'.join(setting.below[1:]))})"
    names = {"array": "list", "boolean": "true or false", "number": "number", "object": "texts by name"}
    if schema.get("additionalProperties", {}) and schema["additionalProperties"].get("type") == "array":
        return "lists by name"
    kind = names.get(schema["type"], schema["type"].replace("string", "text"))
    return f"{kind}, {unit}" if unit else kind


def _default(setting: Setting) -> str:
    if setting.field.is_required():
        return "none: required"
    value = setting.field.get_default(call_default_factory=True)
    if value is None:
        return "unset"
    if isinstance(value, BaseModel):
        return "its own"
    return code(shown(json.loads(json.dumps(value, default=str))))


def _allowed(setting: Setting) -> str:
    rules = [rule for rule in (limits(setting.schema), *(cell(rule) for rule in _production(setting))) if rule]
    return "; ".join(rules) or NOTHING


def _production(setting: Setting) -> Iterator[str]:
    for rule in setting.field.metadata:
        if isinstance(rule, ProductionRule):
            yield rule.allowed


def _set_by(setting: Setting, stacks: Stacks) -> str:
    said = []
    for stack, values in stacks.items():
        for value in _found(values, setting.path):
            said.append(stack if isinstance(value, Mapping) else f"{stack}: {code(shown(value))}")
    return "<br>".join(dict.fromkeys(said)) or NOTHING


def _found(values: Any, path: Sequence[str]) -> Iterator[Any]:
    if not path:
        yield values
    elif isinstance(values, Mapping):
        chosen = values.values() if path[0] == NAME else [values[path[0]]] if path[0] in values else []
        for value in chosen:
            yield from _found(value, path[1:])


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return "".join(letter for letter in heading.lower() if letter.isalnum() or letter in "-_ ").replace(" ", "-")
