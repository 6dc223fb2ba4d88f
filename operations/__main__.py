"""The operator's command."""

from __future__ import annotations

import typer

from operations.backup.commands import backup
from operations.checks import commands as checks
from operations.cost.commands import cost
from operations.diagram import diagram

app = typer.Typer(help="Operate the platform.", no_args_is_help=True, add_completion=False)
app.add_typer(backup, name="backup")
checks.add_to(app)
app.command("diagram")(diagram)
app.command("cost")(cost)


@app.callback()
def main() -> None:
    """Operate the platform."""


if __name__ == "__main__":
    app(prog_name="operations")
