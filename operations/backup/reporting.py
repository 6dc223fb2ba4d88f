"""How commands tell what they do, and how they end."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from operations.backup import processes
from operations.backup.errors import BackupError, RefusedError

FAILED, REFUSED = 1, 3
"""Exit codes: something failed, at one target at least; nothing was done, because data would be lost."""

Told = Callable[[str], None]


@contextmanager
def reported() -> Iterator[Told]:
    """Show progress to people, lines to a log; end with an error's message instead of its traceback."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    console = Console(stderr=True, soft_wrap=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("starting", total=None)

            def told(line: str) -> None:
                progress.update(task, description=line)
                progress.console.print(f"{time.strftime('%H:%M:%S')} {line}", markup=False, highlight=False)

            yield told
    except RefusedError as error:
        console.print(f"refused: {error}", markup=False, highlight=False)
        raise typer.Exit(REFUSED) from error
    except BackupError as error:
        console.print(f"error: {error}", markup=False, highlight=False)
        raise typer.Exit(FAILED) from error


def _stop(number: int, _: object) -> None:
    """End on request, with all that was started: the container's first process has no default for it."""
    processes.end_all()
    sys.exit(128 + number)
