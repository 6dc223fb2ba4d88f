"""Say what takes long, how long it usually takes, and that it is still going on."""

import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.status import Status

from sandbox.toolchain.errors import ToolchainError

TERMINAL_INTERVAL_SECONDS = 1.0
LOG_INTERVAL_SECONDS = 20.0

console = Console(stderr=True, highlight=False)

_LINE = threading.Lock()
"""Held by the step that has the terminal's last line: of several at a time, one."""


def say(text: str) -> None:
    """Print one line for the person who waits; standard output stays for results."""
    console.print(text, markup=False, soft_wrap=True)


class Step:
    """A long step under way; `detail` is what is shown of it besides the time that has passed."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""
        self._started = time.monotonic()

    @property
    def elapsed(self) -> str:
        """Time since the start, as minutes and seconds."""
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        return f"{minutes}:{seconds:02d} min"

    def line(self) -> str:
        """Describe the step in one line."""
        return f"{self.title}: {self.elapsed}" + (f", {self.detail}" if self.detail else "")


@contextmanager
def long_step(title: str, usually: str) -> Iterator[Step]:
    """Announce `title` and how long it `usually` takes, then show every second (in a log every 20 s) how far it is.

    Of steps that are under way at a time, one is shown every second.
    """
    say(f"{title}: usually {usually} …")
    step = Step(title)
    done = threading.Event()
    status = Status(step.line(), console=console) if console.is_terminal and _LINE.acquire(blocking=False) else None

    def tick() -> None:
        while not done.wait(TERMINAL_INTERVAL_SECONDS if status else LOG_INTERVAL_SECONDS):
            if status:
                status.update(step.line())
            else:
                say(f"  {step.line()}")

    ticker = threading.Thread(target=tick, daemon=True)
    if status:
        status.start()
    ticker.start()
    try:
        yield step
    finally:
        done.set()
        ticker.join()
        if status:
            status.stop()
            _LINE.release()
    say(f"{title}: done in {step.elapsed}")


def run(command: Sequence[str], step: Step, *, cwd: Path, env: Mapping[str, str], follow: Callable[[str], str]) -> None:
    """Run `command`; `follow` turns each line of its output into the step's detail.

    Raises ToolchainError with the last lines of the output if the command fails.
    """
    last: deque[str] = deque(maxlen=20)
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last.append(line)
                step.detail = follow(line.rstrip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise ToolchainError(f"{' '.join(command)}: exit code {process.returncode}\n{''.join(last)}".rstrip())
