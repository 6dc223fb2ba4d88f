"""The pages of docs/settings say of every setting what the models say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from settings.limits import limits
from settings.pages import PAGES, UNITS, render_pages, stack_files, write_pages
from settings.stack import StackSettings


def keys(model: type[BaseModel]) -> Iterator[str]:
    """List every key of a model and of the models in it."""
    for key, field in model.model_fields.items():
        yield key
        for inner in inside(field.annotation):
            yield from keys(inner)


def inside(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from inside(argument)


def row(page: str, key: str, heading: str = "") -> str:
    """Return the line about a key, below a heading."""
    text = render_pages(stack_files())[page]
    below = text.split(f"\n## {heading}\n", 1)[1] if heading else text
    return next(line for line in below.splitlines() if line.startswith(f"| `{key}` "))


def test_the_written_pages_are_those_that_the_models_and_the_stack_files_give() -> None:
    written = {file.name: file.read_text() for file in PAGES.glob("*.md")}
    assert written == render_pages(stack_files()), "run `make schema`"


def test_every_key_has_one_line() -> None:
    lines = [line for page in render_pages({}).values() for line in re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)]
    sections = [key for key, field in StackSettings.model_fields.items() if [*inside(field.annotation)]]
    assert Counter([*lines, *sections]) == Counter(keys(StackSettings))


def test_a_line_says_key_purpose_type_unit_default_limits_and_who_sets_it() -> None:
    assert row("database.md", "allocated_storage_gib") == (
        "| `allocated_storage_gib` | Storage at creation in GiB, gp3: 20 to 65536. | integer, GiB | `100` "
        "| 20 to 65,536 | dev: `20`<br>prod: `100` |"
    )


def test_a_rule_of_production_stands_among_the_limits() -> None:
    assert "| only true in prod, because the loss of one zone would stop the platform" in row("database.md", "multi_az")
    assert "0 to 35; 7 or more in prod, because" in row("database.md", "backup_retention_days")


def test_what_has_no_default_is_said_to_be_required_and_what_may_be_left_out_to_be_unset() -> None:
    assert "| none: required |" in row("network.md", "vpc_id", "existing")
    assert "| unset |" in row("network.md", "existing")


def test_keys_below_a_name_of_one_s_own_show_who_sets_them() -> None:
    assert "| prod: `#platform` |" in row("observability.md", "slack", "alerting.receivers.NAME")


def test_the_unit_of_a_number_is_the_one_that_its_key_ends_with() -> None:
    for key in keys(StackSettings):
        matching = {unit for end, unit in UNITS.items() if key.endswith(end)}
        assert len(matching) <= 1, key


def test_a_pipe_in_a_pattern_does_not_end_the_cell() -> None:
    assert re.findall(r"(?<!\\)\|", row("database.md", "backup_window")) == ["|"] * 7


@pytest.mark.parametrize(
    ("type", "said"),
    [
        (Annotated[int, Field(ge=1, le=5)], "1 to 5"),
        (Annotated[int, Field(ge=1)], "at least 1"),
        (Annotated[float, Field(lt=100)], "less than 100"),
        (Annotated[float, Field(gt=0)], "more than 0"),
        (Annotated[str, Field(min_length=1, max_length=8)], "1 to 8 characters"),
        (Annotated[str, Field(pattern="^a|b$")], r"like `^a\|b$`"),
        (Literal["one", "two"], "`one`, `two`"),
        (Literal[3], "`3`"),
        (Annotated[list[Annotated[int, Field(le=9)]], Field(min_length=2)], "at least 2 in the list; each at most 9"),
        (dict[str, Annotated[int, Field(ge=0)]], "values at least 0"),
        (dict[Annotated[str, Field(pattern="^x")], str], "names like `^x`"),
        (bool, ""),
    ],
)
def test_a_limit_is_said_in_words(type: Any, said: str) -> None:
    assert limits(TypeAdapter(type).json_schema()) == said


def test_the_page_of_a_section_that_is_no_more_is_removed(tmp_path: Path) -> None:
    (tmp_path / "gone.md").write_text("# gone\n")
    write_pages(tmp_path)
    assert not (tmp_path / "gone.md").exists()
    assert (tmp_path / "database.md").exists()
