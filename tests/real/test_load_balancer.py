"""A real nginx loads exactly the file that the cluster's ConfigMap holds, before two servers that say what was asked.

Overridden are paths, ports and the targets' addresses: Debian's nginx 1.22 is older than ``resolve`` of the open-source
edition (1.27.3).
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from components.workload.load_balancer_configuration import (
    CONFIGURATION,
    HEALTH_PORT,
    HTTP_PORT,
    HTTPS_PORT,
    RUN,
    TLS,
    server_configuration,
)
from settings import LoadBalancerSettings
from tests.real.services import HOST, Server, _running, free_port
from tests.unit.programs import shipped

NGINX = Path("/usr/sbin/nginx")


class Target(BaseHTTPRequestHandler):
    """Says what it was asked; upgrades to a protocol that says everything again."""

    server: ThreadingHTTPServer
    protocol_version = "HTTP/1.1"
    connections: set[tuple[int, tuple[str, int]]]

    def do_GET(self) -> None:
        self.connections.add((self.server.server_port, self.client_address))
        if self.headers.get("Upgrade") == "websocket":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.wfile.write(self.rfile.read(4).upper())
            self.close_connection = True
            return
        if self.path == "/slow":
            time.sleep(2)
        body = json.dumps({"port": self.server.server_port, "headers": dict(self.headers.items())}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class LoadBalancer(Server):
    """nginx before two targets."""

    package = "nginx-light"
    programs = (NGINX,)
    account = "www-data"
    user = ""

    def text(self) -> str:
        made = shipped("local").named("auterity-local-load-balancer", "kubernetes:core/v1:ConfigMap")
        return str(made.inputs["data"]["nginx.conf"])

    def prepare(self) -> None:
        self.health_port, self.tls_port = free_port(), free_port()
        self.connections: set[tuple[int, tuple[str, int]]] = set()
        handler = type("Counted", (Target,), {"connections": self.connections})
        self.targets = [ThreadingHTTPServer((HOST, 0), handler) for _ in range(2)]
        for target in self.targets:
            threading.Thread(target=target.serve_forever, daemon=True).start()
        text = self.text()
        servers = "\n".join(f"        server {HOST}:{target.server_address[1]};" for target in self.targets)
        text, replaced = re.subn(r"^ +server \S+ resolve;$", servers, text, flags=re.MULTILINE)
        assert replaced == 1
        for shipped_word, word in {
            f"listen {HTTP_PORT}": f"listen {HOST}:{self.port}",
            f"listen {HTTPS_PORT}": f"listen {HOST}:{self.tls_port}",
            f"listen {HEALTH_PORT}": f"listen {HOST}:{self.health_port}",
            RUN: str(self.directory),
            TLS: str(self.directory),
            "/dev/stdout": str(self.directory / "access.log"),
            "/dev/stderr": str(self.directory / "error.log"),
        }.items():
            text = text.replace(shipped_word, word)
        self.write("resolvers.conf", "resolver 127.0.0.1 valid=5s;\n")
        self.write("nginx.conf", text)

    def start(self) -> None:
        self.launch([NGINX, "-c", self.directory / "nginx.conf", "-g", "daemon off;"])
        self.wait_until_ready()

    def ready(self) -> bool:
        return self.accepts_connections()

    def stop(self) -> None:
        super().stop()
        for target in getattr(self, "targets", ()):
            target.shutdown()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class TlsLoadBalancer(LoadBalancer):
    """The same one with a certificate."""

    def text(self) -> str:
        return server_configuration(LoadBalancerSettings(tls_secret="certificate"), "any.shop.svc.cluster.local", 8000)

    def prepare(self) -> None:
        super().prepare()
        self.write("tls.crt", "")
        self.write("tls.key", "")
        key, certificate = self.directory / "tls.key", self.directory / "tls.crt"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)


@pytest.fixture(scope="module")
def nginx() -> Iterator[LoadBalancer]:
    yield from _running(LoadBalancer)


@pytest.fixture(scope="module")
def with_tls() -> Iterator[TlsLoadBalancer]:
    yield from _running(TlsLoadBalancer)


def asked(server: LoadBalancer, path: str = "/", **headers: str) -> dict[str, str]:
    answer = httpx2.get(f"{server.url}{path}", headers=headers, timeout=10)
    assert answer.status_code == 200
    return {name.lower(): value for name, value in answer.json()["headers"].items()}


def test_the_shipped_directory_is_the_one_that_the_container_reads() -> None:
    made = shipped("local").named("auterity-local-load-balancer", "kubernetes:apps/v1:Deployment")
    [container] = made.inputs["spec"]["template"]["spec"]["containers"]
    assert container["command"][:3] == ["nginx", "-c", f"{CONFIGURATION}/nginx.conf"]


def test_a_request_is_passed_on_with_its_host_and_the_clients_address(nginx: LoadBalancer) -> None:
    headers = asked(nginx, Host="shop.example.com")
    assert headers["host"] == "shop.example.com"
    assert headers["x-forwarded-for"] == headers["x-real-ip"] == HOST
    assert headers["x-forwarded-proto"] == "http"


def test_nobody_pretends_to_come_from_elsewhere(nginx: LoadBalancer) -> None:
    assert asked(nginx, **{"X-Forwarded-For": "8.8.8.8", "X-Real-IP": "8.8.8.8"})["x-forwarded-for"] == HOST


def test_connections_to_the_gateway_are_kept_for_the_next_request(nginx: LoadBalancer) -> None:
    nginx.connections.clear()
    with httpx2.Client() as client:
        for _ in range(20):
            client.get(nginx.url)
    assert len(nginx.connections) < 10
    assert "connection" not in asked(nginx)


def test_a_request_goes_where_there_is_least_to_do(nginx: LoadBalancer) -> None:
    busy: list[int] = []

    def ask_slowly() -> None:
        busy.append(httpx2.get(f"{nginx.url}/slow", timeout=10).json()["port"])

    slow = threading.Thread(target=ask_slowly)
    slow.start()
    time.sleep(0.5)
    served = {httpx2.get(nginx.url).json()["port"] for _ in range(6)}
    slow.join()
    assert len(served) == 1
    assert served.isdisjoint(busy)


def test_a_websocket_is_upgraded_and_carries_both_ways(nginx: LoadBalancer) -> None:
    with socket.create_connection((nginx.host, nginx.port), timeout=10) as connection:
        connection.sendall(
            b"GET /live HTTP/1.1\r\nHost: shop.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        connection.sendall(b"ping")
        assert head.startswith(b"HTTP/1.1 101")
        assert connection.recv(4) == b"PING"


def test_the_release_is_nobodys_business(nginx: LoadBalancer) -> None:
    assert httpx2.get(nginx.url).headers["server"] == "nginx"


def test_a_body_that_is_too_large_is_refused(nginx: LoadBalancer) -> None:
    with pytest.raises(httpx2.HTTPError) as refused:
        httpx2.post(nginx.url, content=b"x" * (11 * 1024**2)).raise_for_status()
    assert not isinstance(refused.value, httpx2.HTTPStatusError) or refused.value.response.status_code == 413


def test_probes_have_a_port_of_their_own_that_leads_nowhere_else(nginx: LoadBalancer) -> None:
    health = f"http://{nginx.host}:{nginx.health_port}"
    assert httpx2.get(f"{health}/healthz").status_code == 200
    assert httpx2.get(f"{health}/orders").status_code == 404


def test_a_line_of_the_log_is_json_without_the_query(nginx: LoadBalancer) -> None:
    httpx2.get(f"{nginx.url}/orders?token=hidden")
    time.sleep(0.2)
    [line] = [
        json.loads(text)
        for text in (nginx.directory / "access.log").read_text().splitlines()
        if json.loads(text)["path"] == "/orders"
    ]
    assert line["status"] == "200"
    assert "hidden" not in str(line)


def test_without_tls_a_client_is_sent_on_where_there_is_a_certificate(with_tls: TlsLoadBalancer) -> None:
    answer = httpx2.get(f"{with_tls.url}/orders?a=1", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{HOST}/orders?a=1")


def test_with_tls_requests_are_served_and_told_apart(with_tls: TlsLoadBalancer) -> None:
    answer = httpx2.get(f"https://{HOST}:{with_tls.tls_port}/", verify=False)
    headers = {name.lower(): value for name, value in answer.json()["headers"].items()}
    assert headers["x-forwarded-proto"] == "https"
    assert "max-age" in answer.headers["strict-transport-security"]
