"""The shipped stacks, brought up once in a run of the tests: by the first worker that asks, while the others wait.

Fixture `stacks` has them. Who only looks is shown what was seen on the way; who changes something gets a copy of the
engine's state, the simulated clouds and the cluster, in which the next `up` finds nothing to do:

    def test_there_is_a_database(stacks: Stacks) -> None:
        assert "database_endpoint" in stacks.made("prod").outputs

    @pytest.fixture(scope="module")
    def sandbox(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
        with stacks.copied("local", tmp_path_factory.mktemp("sandbox")) as copy:
            yield copy
"""

from __future__ import annotations

import pickle
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pulumi import automation
from pulumi.automation import EngineEvent

from sandbox.cloud.aws.control_plane import clusters_directory
from sandbox.kubernetes import Cluster
from sandbox.toolchain.cache import exclusive
from sandbox.workspace import Sandbox
from tests.policies.engine import PACK, Said
from tests.sandbox import lifecycle
from tests.sandbox.lifecycle import Step

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Previewed:
    """What the first preview of a stack showed, under the policy pack.

    Attributes:
        step: what it would do.
        said: what the policies said to it.
    """

    step: Step
    said: Said


@dataclass(frozen=True)
class Made:
    """What was seen of a stack as it was brought up.

    Attributes:
        previewed: its first preview.
        up: what the `up` after it did.
        state: the state then, secrets encrypted.
        outputs: the stack's outputs.
    """

    previewed: Previewed
    up: Step
    state: dict[str, Any]
    outputs: Mapping[str, automation.OutputValue]


class Stacks:
    """The stacks below one directory that all workers of a run share; nothing of them runs between two calls."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def previewed(self, name: str) -> Previewed:
        """Preview a stack that was not yet there, once."""
        with exclusive(self._directory / f"{name}.preview.lock"):
            return self._once(f"{name}.previewed", lambda: self._preview(name))

    def made(self, name: str) -> Made:
        """Bring a stack up, once, and take its cluster out of operation."""
        previewed = self.previewed(name)
        with exclusive(self._directory / f"{name}.lock"):
            return self._once(f"{name}.made", lambda: self._up(name, previewed))

    @contextmanager
    def copied(self, name: str, home: Path) -> Iterator[Sandbox]:
        """Give a copy of a stack that is up, its cluster at work, to change it at will; it ends with the block.

        Args:
            name: the stack.
            home: directory of the copy's sandbox.
        """
        self.made(name)
        original = self._directory / name
        shutil.copytree(original, home, dirs_exist_ok=True)
        moved = {str(original): str(home.resolve())}
        for directory in _clusters(home):
            cluster = Cluster(directory)
            before = cluster.endpoint
            # Another copy may be about to take the original's: the stack finds its cluster at a new address.
            (directory / "ports.json").unlink()
            cluster.start()
            moved[before] = cluster.endpoint
        _rewrite(home, {old: new for old, new in moved.items() if old != new})
        with lifecycle.sandbox_below(home) as sandbox:
            yield sandbox

    def _preview(self, name: str) -> Previewed:
        with self._opened(name) as sandbox:
            return _look(sandbox, name)

    def _up(self, name: str, previewed: Previewed) -> Made:
        with self._opened(name) as sandbox:
            stack = sandbox.stack(name)
            up = lifecycle.up(stack)
            return Made(previewed, up, lifecycle.exported(sandbox, name), stack.outputs())

    @contextmanager
    def _opened(self, name: str) -> Iterator[Sandbox]:
        home = self._directory / name
        home.mkdir(parents=True, exist_ok=True)
        with Sandbox(home, checkpoints=False, kubernetes="official") as sandbox:
            try:
                yield sandbox
            finally:
                for directory in _clusters(home):
                    Cluster(directory).stop()

    def _once(self, what: str, see: Callable[[], Seen]) -> Seen:
        file = self._directory / f"{what}.pickle"
        if not file.exists():
            file.write_bytes(pickle.dumps(see()))
        seen: Seen = pickle.loads(file.read_bytes())  # noqa: S301 - written by a worker of this run
        return seen


def _look(sandbox: Sandbox, name: str) -> Previewed:
    step, said = Step(), Said()

    def hear(event: EngineEvent) -> None:
        step.hear(event)
        said.hear(event)

    try:
        lifecycle.command(sandbox.stack(name), hear, "preview", "--policy-pack", str(PACK))
    except automation.CommandError as error:
        said.error = str(error)
    return Previewed(step, said)


def _clusters(home: Path) -> list[Path]:
    directory = clusters_directory(home.resolve() / "cloud")
    return sorted(path for path in directory.iterdir() if path.is_dir()) if directory.exists() else []


def _rewrite(home: Path, replacements: Mapping[str, str]) -> None:
    """Replace texts in the engine's state and in what the clouds hold."""
    for file in (home / "backend" / ".pulumi" / "stacks").rglob("*.json"):
        text = file.read_text(encoding="utf-8")
        for old, new in replacements.items():
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")
    with closing(sqlite3.connect(home / "cloud" / "cloud.db")) as database:
        for old, new in replacements.items():
            database.execute(
                "UPDATE resources SET inputs = replace(inputs, ?1, ?2), outputs = replace(outputs, ?1, ?2)", (old, new)
            )
            for table in ("identities", "mentions"):
                database.execute(f"UPDATE {table} SET word = replace(word, ?, ?)", (old, new))  # noqa: S608
        database.commit()
