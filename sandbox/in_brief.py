"""Run the engine and tell how far it is in a few lines, for a log or a pipe, where its own display is thousands."""

from __future__ import annotations

import json
import os
import re
import select
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi.automation import EngineEvent, OpType, StepEventMetadata

from sandbox.toolchain.progress import Step, long_step, say

if TYPE_CHECKING:
    from sandbox.workspace import Sandbox

SHOWN_SEVERITIES = frozenset({"error", "warning", "info", "info#err"})
COLOURS = re.compile(r"<\{%.*?%\}>")
"""The engine's marks of colour in a message."""

LOOK_SECONDS = 0.5
"""After how long without an event it is looked whether the engine has ended."""

MOST_BYTES = 1 << 16


@dataclass
class Progress:
    """What the engine's events have told so far.

    Attributes:
        at_work: URNs of the resources that it works on, the oldest first, with their types.
        done: resources that are through.
        changes: operation to number of resources, once the engine has ended.
    """

    at_work: dict[str, str] = field(default_factory=dict)
    done: int = 0
    changes: Counter[str] = field(default_factory=Counter)

    def hear(self, event: EngineEvent) -> list[str]:
        """Take an event in; returns the lines that a person has to see of it."""
        if event.prelude_event:
            # A destroy is a preview first.
            self.at_work, self.done, self.changes = {}, 0, Counter()
        elif event.resource_pre_event:
            metadata = event.resource_pre_event.metadata
            # Components have none: what they are made of is counted.
            if metadata.provider:
                self.at_work[metadata.urn] = metadata.type
        elif event.res_outputs_event:
            self._end(event.res_outputs_event.metadata)
        elif event.res_op_failed_event:
            self._end(event.res_op_failed_event.metadata)
        elif event.summary_event:
            self.changes.update({OpType(name).value: n for name, n in event.summary_event.resource_changes.items()})
        elif (told := event.diagnostic_event) and told.severity in SHOWN_SEVERITIES and not told.ephemeral:
            return _lines(told.urn, COLOURS.sub("", told.message))
        return []

    @property
    def line(self) -> str:
        """How far it is: resources that are through, and the one that takes longest."""
        through = f"{self.done} resources done"
        if not self.at_work:
            return through
        urn, kind = next(iter(self.at_work.items()))
        return f"{through}, {len(self.at_work)} at work, the longest {kind} {_name(urn)}"

    def _end(self, metadata: StepEventMetadata) -> None:
        if self.at_work.pop(metadata.urn, None):
            self.done += 1


def run(sandbox: Sandbox, stack: str, title: str, usually: str, *arguments: str) -> int:
    """Run a Pulumi command that changes `stack`, a line every 20 s; warnings and errors are told as they come.

    What the engine displays itself goes to a file that is named if it fails.

    Args:
        sandbox: where it runs.
        stack: the stack.
        title: what is done, for the person who waits.
        usually: how long that usually takes.
        arguments: the command and its arguments.

    Returns:
        The engine's exit code.
    """
    display = sandbox.home / f"{stack}.log"
    progress = Progress()
    with tempfile.TemporaryDirectory() as directory, display.open("w") as out, long_step(title, usually) as step:
        events = Path(directory) / "events"
        # Not a file: a destroy, which is a preview first, would begin it anew in between.
        os.mkfifo(events, 0o600)
        opened = os.open(events, os.O_RDWR)
        ended = threading.Event()
        follower = threading.Thread(target=_follow, args=(opened, ended, progress, step), daemon=True)
        follower.start()
        try:
            code = sandbox.pulumi(stack, *arguments, events=events, display=out)
        finally:
            ended.set()
            follower.join()
            os.close(opened)
    if progress.changes:
        say("  " + ", ".join(f"{number} {operation}" for operation, number in sorted(progress.changes.items())))
    if code:
        say(f"  All that the engine displayed: {display}")
    return code


def _follow(events: int, ended: threading.Event, progress: Progress, step: Step) -> None:
    """Take events in as they are written, until nothing more is to come."""
    rest = b""
    while True:
        last = ended.is_set()
        if select.select([events], [], [], LOOK_SECONDS)[0]:
            *lines, rest = (rest + os.read(events, MOST_BYTES)).split(b"\n")
            for line in lines:
                for told in progress.hear(EngineEvent.from_json(json.loads(line))):
                    say(told)
            step.detail = progress.line
        elif last:
            return


def _lines(urn: str | None, message: str) -> list[str]:
    of = f"{_name(urn)}: " if urn else ""
    return [f"  {of}{line}" for line in message.splitlines() if line.strip()]


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[1]
