"""`python -m settings schema` writes the stack files' JSON Schema, `… pages` the pages of docs/settings; `… check FILE`
judges a stack file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer
import yaml

from settings.loading import SettingsError, load
from settings.pages import write_pages
from settings.schema import SCHEMA_FILE, render

app = typer.Typer(no_args_is_help=True, help="The settings of a stack.")


@app.command()
def schema() -> None:
    """Write the JSON Schema that the stack files point at."""
    SCHEMA_FILE.write_text(render())


@app.command()
def pages() -> None:
    """Write a page for each section into docs/settings."""
    write_pages()


@app.command()
def check(file: Path) -> None:
    """Judge a stack file without running anything; exits with 1 where it is wrong."""
    config = (yaml.safe_load(file.read_text()) or {}).get("config") or {}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    try:
        load(texts)
    except SettingsError as error:
        typer.echo(f"{file}: {error}", err=True)
        sys.exit(1)
    typer.echo(f"{file}: right")


app()
