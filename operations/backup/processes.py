"""Programs that are run, bounded in time, and ended together with what they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from operations.backup.errors import BackupError

LAST_WORDS = 2000
"""Characters of what a program said last that an error shows."""

Stage = tuple[Sequence[str], Mapping[str, str]]
"""A program with its arguments, and variables beside those of this process."""

_running: set[int] = set()
_ending = threading.Event()


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes:
        code: its exit code; negative for a signal.
        output: what it wrote.
        words: what it said last on standard error.
    """

    code: int
    output: bytes
    words: str


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    seconds: int,
    given: bytes | None = None,
    source: IO[bytes] | None = None,
    directory: Path | None = None,
) -> Ended:
    """Run a program to its end.

    Args:
        command: the program and its arguments.
        environment: variables beside those of this process.
        seconds: seconds it may take.
        given: what it reads from standard input.
        source: where it reads standard input from instead.
        directory: where it runs; here, unless said.

    Raises:
        BackupError: it cannot be started, or takes too long; it is then ended with all that it started.
    """
    with started(command, environment, given=given is not None, source=source, directory=directory) as process:
        try:
            output, errors = process.communicate(given, seconds)
        except subprocess.TimeoutExpired:
            raise BackupError(f"{called(command)} did not end within {seconds} s") from None
    return Ended(process.returncode, output, said(errors))


@contextlib.contextmanager
def started(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    given: bool = False,
    source: IO[bytes] | None = None,
    directory: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Have a program run inside the block; what is left of it at the end is killed.

    Raises:
        BackupError: it cannot be started, or `end_all` was called.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE if given else source or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise BackupError(f"{command[0]} cannot be started: {error}") from error
    _running.add(process.pid)
    try:
        if _ending.is_set():
            raise BackupError(f"{command[0]} is not started: a request to stop has come")
        yield process
    finally:
        _kill(process.pid)
        _running.discard(process.pid)
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                # What nobody reads any more cannot be flushed.
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def pipe(*stages: Stage, seconds: int) -> None:
    """Let each program read what the one before it writes, until all have ended well.

    Args:
        stages: the programs, each with its environment, from the one that writes first to the one that reads last.
        seconds: seconds they may take.

    Raises:
        BackupError: one of them failed or takes too long; the message names the first that did.
    """
    *before, (last, environment) = stages
    with contextlib.ExitStack() as stack:
        writers, source = [], None
        for command, told in before:
            writer = stack.enter_context(started(command, told, source=source))
            writers.append((writer, stack.enter_context(_heard(writer))))
            source = writer.stdout
        ended = run(last, environment, seconds=seconds, source=source)
        failed = ended.code != 0
        for writer, _ in reversed(writers):
            # Who reads no more leaves the one before on a full pipe, which is not that one's fault.
            if failed:
                _kill(writer.pid)
            failed = writer.wait(seconds) != 0 or failed
    for (command, _), (writer, errors) in zip(before, writers, strict=True):
        if writer.returncode not in (0, -signal.SIGKILL, -signal.SIGPIPE):
            raise BackupError(f"{called(command)} failed ({writer.returncode}): {said(b''.join(errors))}")
    if ended.code != 0:
        raise BackupError(f"{called(last)} failed ({ended.code}): {ended.words}")
    for (command, _), (writer, _) in zip(before, writers, strict=True):
        if writer.returncode:
            raise BackupError(f"{called(command)} was ended by signal {-writer.returncode}")


@contextlib.contextmanager
def _heard(writer: subprocess.Popen[bytes]) -> Iterator[list[bytes]]:
    """Keep what a program says on standard error until the end of the block, and end the program there."""
    errors: list[bytes] = []
    listening = threading.Thread(target=lambda: errors.append(writer.stderr.read() if writer.stderr else b""))
    listening.start()
    try:
        yield errors
    finally:
        _kill(writer.pid)
        listening.join()


def end_all() -> None:
    """End every program that runs, in whichever thread, and let none start any more."""
    _ending.set()
    for group in tuple(_running):
        _kill(group)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def called(command: Sequence[str]) -> str:
    """Call a program by its name and first argument: the rest may be long."""
    return " ".join([os.path.basename(command[0]), *[word for word in command[1:2] if not word.startswith("-")]])  # noqa: PTH119


def said(errors: bytes) -> str:
    """Return a program's last words."""
    return errors.decode(errors="replace").strip()[-LAST_WORDS:]
