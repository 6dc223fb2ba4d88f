"""Prometheus, Alertmanager and Loki as processes, on exactly what a stack's ConfigMaps hold.

Three things differ from what is shipped, each by a documented setting: paths, where targets are found (they are stated
instead of looked for, with the labels that Kubernetes' discovery would give them), and how fast time goes: every
duration is divided by the same number.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import yaml

from components.observability import names as the
from components.observability.loki_configuration import DATA
from components.observability.prometheus_configuration import RULES
from sandbox.toolchain.cache import cache_directory
from sandbox.toolchain.monitoring_binaries import ensure_monitoring
from tests.real.reference_app import eventually
from tests.real.services import HOST, free_port
from tests.unit.programs import files_of, with_section
from tests.unit.recording import Recording

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def rendered(alerting: Mapping[str, Any]) -> Recording:
    """Run the local stack's program with another section about alerts."""
    return with_section("local", "observability", alerting={"copies": 1, **alerting})


def faster(text: str, times: float) -> str:
    """Divide every duration of a rule or of a configuration."""

    def divided(match: re.Match[str]) -> str:
        milliseconds = int(match["number"]) * UNITS[match["unit"]] * 1000 / times
        return f"{match['before']}{max(1, round(milliseconds))}ms{match['after']}"

    return re.sub(r"(?P<before>[\[ ])(?P<number>\d+)(?P<unit>[smhd])(?P<after>\]|$)", divided, text, flags=re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """A program that answers at an address.

    Attributes:
        url: the address.
        process: the process.
        log: what it says.
    """

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def exposed(self) -> set[str]:
        """Return the names of the series that it shows."""
        text = httpx2.get(f"{self.url}/metrics", timeout=10).text
        return {re.split(r"[{ ]", line, maxsplit=1)[0] for line in text.splitlines() if line and line[0] != "#"}

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Ask Prometheus."""
        answer = httpx2.get(f"{self.url}/api/v1/query", params={"query": query}, timeout=10).json()
        assert answer["status"] == "success", answer
        return list(answer["data"]["result"])

    def value(self, query: str) -> float | None:
        """Ask Prometheus for one number."""
        found = self.ask(query)
        return float(found[0]["value"][1]) if found else None


@contextmanager
def program(
    name: str,
    directory: Path,
    port: int,
    flags: Sequence[str],
    ready: str = "/-/ready",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """Run a program until the end of the block."""
    executable, log = ensure_monitoring(name, cache_directory()), directory / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", executable, *flags],
            cwd=directory,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=output,
        )
        started = Program(f"http://{HOST}:{port}", process, log)

        def answers() -> bool:
            assert process.poll() is None, log.read_text()[-3000:]
            try:
                return httpx2.get(started.url + ready, timeout=5).status_code == 200
            except httpx2.TransportError:
                return False

        try:
            eventually(answers)
            yield started
        finally:
            process.terminate()
            process.wait(30)


def prometheus_configuration(text: str, directory: Path, targets: Mapping[str, str], alertmanager: str) -> str:
    """Adapt ``prometheus.yml``: state the targets (workload to ``host:port``) that discovery would find."""
    document = yaml.safe_load(text.replace(RULES, str(directory / "rules.yml")))
    document["global"]["external_labels"]["replica"] = "0"

    def stated(name: str, address: str) -> dict[str, Any]:
        port = "http" if name == "auterity-app" else "metrics"
        labels = {
            "__meta_kubernetes_pod_label_app_kubernetes_io_name": name,
            "__meta_kubernetes_pod_container_port_name": port,
            "__meta_kubernetes_pod_phase": "Running",
            "__meta_kubernetes_namespace": "auterity",
            "__meta_kubernetes_pod_name": f"{name}-0",
            "__meta_kubernetes_pod_node_name": "node-0",
        }
        return {"targets": [address], "labels": labels}

    [pods] = [each for each in document["scrape_configs"] if each["job_name"] == "pods"]
    del pods["kubernetes_sd_configs"]
    pods["static_configs"] = [stated(name, address) for name, address in targets.items()]
    document["scrape_configs"] = [pods]
    [told] = document["alerting"]["alertmanagers"]
    del told["kubernetes_sd_configs"]
    told["static_configs"] = [stated(the.ALERTMANAGER, alertmanager)]
    return yaml.safe_dump(document, sort_keys=False)


@dataclass
class Receiver:
    """Somebody who hears of alerts.

    Attributes:
        url: where they are posted to.
        heard: every alert that came, in Alertmanager's format.
    """

    url: str
    heard: list[dict[str, Any]] = field(default_factory=list)

    def alerts(self, name: str, status: str) -> list[dict[str, Any]]:
        """Return what has been heard of an alert."""
        return [each for each in self.heard if each["labels"]["alertname"] == name and each["status"] == status]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Listen for webhooks."""
    made = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.heard.extend(body["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer((HOST, 0), Handler)
    made.url = f"http://{HOST}:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Load:
    """Users who ask for the orders one after the other, and note when they asked and how long each answer took."""

    def __init__(self, url: str, users: int = 4) -> None:
        self.delay_ms = 100
        self.answers: list[tuple[float, float]] = []
        self._url, self._ends = url, threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(users)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        with httpx2.Client(timeout=30) as client:
            while not self._ends.is_set():
                asked = time.monotonic()
                client.get(f"{self._url}/orders", params={"delay_ms": self.delay_ms})
                self.answers.append((time.monotonic(), time.monotonic() - asked))
                # As many requests a second, however fast they are answered.
                self._ends.wait(max(0.0, 0.12 - (time.monotonic() - asked)))

    def mean(self, seconds: float) -> float:
        """Return the mean duration of the answers of the last seconds."""
        since = time.monotonic() - seconds
        took = [duration for at, duration in list(self.answers) if at >= since]
        return sum(took) / len(took)


@contextmanager
def watched(
    recording: Recording, directory: Path, targets: Mapping[str, str], times: float
) -> Iterator[tuple[Program, Program]]:
    """Run Prometheus and Alertmanager, by whom `targets` are watched; time goes so many times faster."""
    ports = free_port(), free_port()
    configuration = files_of(recording, the.PROMETHEUS)
    (directory / "rules.yml").write_text(faster(configuration["rules.yml"], times))
    itself = {**targets, the.PROMETHEUS: f"{HOST}:{ports[0]}", the.ALERTMANAGER: f"{HOST}:{ports[1]}"}
    adapted = prometheus_configuration(configuration["prometheus.yml"], directory, itself, f"{HOST}:{ports[1]}")
    (directory / "prometheus.yml").write_text(faster(adapted, times))
    (directory / "alertmanager.yml").write_text(
        faster(files_of(recording, the.ALERTMANAGER)["alertmanager.yml"], times)
    )
    alertmanager = program(
        "alertmanager",
        directory,
        ports[1],
        [
            f"--config.file={directory}/alertmanager.yml",
            f"--storage.path={directory}/alerts",
            f"--web.listen-address={HOST}:{ports[1]}",
            f"--cluster.listen-address={HOST}:{free_port()}",
        ],
    )
    prometheus = program(
        "prometheus",
        directory,
        ports[0],
        [
            f"--config.file={directory}/prometheus.yml",
            f"--storage.tsdb.path={directory}/samples",
            f"--web.listen-address={HOST}:{ports[0]}",
        ],
    )
    with alertmanager as told, prometheus as server:
        yield server, told


@contextmanager
def loki(recording: Recording, directory: Path) -> Iterator[Program]:
    """Run Loki."""
    port = free_port()
    document = yaml.safe_load(files_of(recording, the.LOKI)["loki.yaml"].replace(DATA, str(directory / "data")))
    document["server"] |= {
        "http_listen_address": HOST,
        "http_listen_port": port,
        "grpc_listen_address": HOST,
        "grpc_listen_port": free_port(),
    }
    (directory / "loki.yaml").write_text(yaml.safe_dump(document))
    with program("loki", directory, port, [f"-config.file={directory}/loki.yaml"], ready="/ready") as started:
        yield started
