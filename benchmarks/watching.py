"""(e) Memory of Prometheus for as many series as it is told to expect."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import psutil
import yaml

from sandbox.toolchain.cache import cache_directory
from sandbox.toolchain.monitoring_binaries import ensure_monitoring
from settings.observability import KIB_PER_SERIES, PROMETHEUS_BASE_MIB

SIZES = (5_000, 50_000)
TARGETS = 20
SCRAPES = 130
"""Looks at each target: more than the 120 samples of a chunk, after which Prometheus puts chunks aside."""

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Memory:
    """What Prometheus takes.

    Attributes:
        series: how many series it holds.
        peak_mib: most resident memory that was seen, in MiB.
        allowed_mib: memory that a stack gives it for so many.
    """

    series: int
    peak_mib: float
    allowed_mib: int


def measure(directory: Path, sizes: Sequence[int] = SIZES) -> list[Memory]:
    """Let Prometheus hold so many series, one size after the other, with rules that read all of them."""
    return [_measure(directory / str(size), size) for size in sizes]


def _measure(directory: Path, size: int) -> Memory:
    directory.mkdir(parents=True)
    with exporter(size // TARGETS) as port:
        (directory / "rules.yml").write_text(
            yaml.safe_dump(
                {
                    "groups": [
                        {
                            "name": "all",
                            "rules": [{"record": "all:rate", "expr": "sum by (instance) (rate(some_total[1m]))"}],
                        }
                    ]
                }
            )
        )
        scraped = {
            "job_name": "some",
            "static_configs": [{"targets": [f"{HOST}:{port}"], "labels": {"copy": str(n)}} for n in range(TARGETS)],
        }
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(directory / "rules.yml")],
            "scrape_configs": [scraped],
        }
        (directory / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        own = free_port()
        server = psutil.Popen(
            [
                ensure_monitoring("prometheus", cache_directory()),
                f"--config.file={directory}/prometheus.yml",
                f"--storage.tsdb.path={directory}/samples",
                f"--web.listen-address={HOST}:{own}",
                "--log.level=error",
            ]
        )
        try:
            peak, ends = 0.0, time.monotonic() + SCRAPES
            while time.monotonic() < ends:
                time.sleep(0.5)
                peak = max(peak, server.memory_info().rss / 2**20)
            asked = {"query": "prometheus_tsdb_head_series or count({__name__=~'.+'})"}
            answer = httpx2.get(f"http://{HOST}:{own}/api/v1/query", params=asked, timeout=60).json()
        finally:
            server.terminate()
            server.wait(60)
    series = int(answer["data"]["result"][0]["value"][1])
    return Memory(series, peak, PROMETHEUS_BASE_MIB + series * KIB_PER_SERIES // 1024)


def free_port() -> int:
    """Return a TCP port that nobody uses."""
    with ThreadingHTTPServer((HOST, 0), BaseHTTPRequestHandler) as server:
        return server.server_port


@contextmanager
def exporter(series: int) -> Iterator[int]:
    """Show so many series, which all grow, with as many labels as the platform's own have."""
    template = [
        f'some_total{{method="GET",route="/orders/{n}",status="2xx",namespace="auterity",pod="auterity-app-{n % 7}"}} '
        for n in range(series)
    ]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            now = int(time.time())
            body = "\n".join(f"{line}{now}" for line in template).encode() + b"\n"
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
