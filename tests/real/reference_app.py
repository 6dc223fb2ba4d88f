"""The reference application as a process, for tests of it and of what watches it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.real.services import HOST, free_port

APP = Path(__file__).parents[2] / "examples" / "app"
PATIENCE = 60
"""Seconds until something that should come true is given up."""


@dataclass(frozen=True)
class App:
    """The application's process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def status(self, path: str) -> int:
        return httpx2.get(self.url + path, timeout=10).status_code

    def metric(self, sample: str, **labels: str) -> float:
        """Sum the samples of this name whose labels include `labels`."""
        text = httpx2.get(f"{self.url}/metrics", timeout=10).text
        return sum(
            found.value
            for family in text_string_to_metric_families(text)
            for found in family.samples
            if found.name == sample and labels.items() <= found.labels.items()
        )


@contextmanager
def running(directory: Path, environment: Mapping[str, str]) -> Iterator[App]:
    port = free_port()
    log = directory / "app.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "orders"],
            cwd=APP,
            env={"PATH": os.environ["PATH"], "APP_HOST": HOST, "APP_PORT": str(port), **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        app = App(f"http://{HOST}:{port}", process, log)
        try:
            eventually(lambda: process.poll() is not None or answers(app))
            assert process.poll() is None, log.read_text()
            yield app
        finally:
            process.kill()
            process.wait()


def answers(app: App) -> bool:
    try:
        return app.status("/healthz") == 200
    except httpx2.TransportError:
        return False


def eventually(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)
