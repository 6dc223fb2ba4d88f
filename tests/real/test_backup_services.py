"""Vault's data and RabbitMQ's definitions in the nightly run: RabbitMQ is real, Vault is its API alone."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.real.backing_up import Site, fill, site
from tests.real.quick_repositories import make
from tests.real.services import HOST, Postgres, Rabbitmq, _running, free_port

SIGNED, ISSUED = "token of the service account", "token of vault"


class ManagedRabbitmq(Rabbitmq):
    """RabbitMQ with its management API."""

    def prepare(self) -> None:
        super().prepare()
        self.api_port = free_port()
        configured = self.directory / "rabbitmq.conf"
        listener = f"management.tcp.ip = {HOST}\nmanagement.tcp.port = {self.api_port}\n"
        self.write("rabbitmq.conf", configured.read_text() + listener)
        self.write("enabled_plugins", "[rabbitmq_management].\n")

    def ready(self) -> bool:
        if not super().ready():
            return False
        try:
            self.ask("GET", "/api/overview")
        except OSError:
            return False
        return True

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.api_port}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        given = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", given, method=method)  # noqa: S310 (an address of ours)
        request.add_header(
            "Authorization", f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"
        )
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None


rabbitmq = contextmanager(lambda: _running(ManagedRabbitmq))


class Vault:
    """The three calls of Vault's API that a snapshot takes."""

    def __init__(self) -> None:
        self.broken = False
        self.asked: list[str] = []
        self.token = SIGNED
        vault = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                vault.asked.append(self.path)
                if vault.broken or self.headers["X-Vault-Token"] != ISSUED:
                    self.send_error(403)
                else:
                    self._answer(archive())

            def do_POST(self) -> None:
                vault.asked.append(self.path)
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path.endswith("/login") and body != {"role": "auterity-backup", "jwt": SIGNED}:
                    self.send_error(403)
                else:
                    self._answer(json.dumps({"auth": {"client_token": ISSUED}}).encode())

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer((HOST, 0), Handler)

    def __enter__(self) -> Vault:
        self._thread = Thread(target=self.server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


def archive() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as made:
        made.addfile(tarfile.TarInfo("state.bin"))
    return written.getvalue()


@pytest.fixture
def at(tmp_path: Path, postgres_server: Postgres) -> Site:
    """A server whose database is backed up to two directories."""
    fill(postgres_server)
    made = site(tmp_path, postgres_server, {})
    make(made)
    return made


def with_vault(at: Site, vault: Vault) -> None:
    (at.directory / "token").write_text(SIGNED)
    url = f"http://{HOST}:{vault.server.server_port}"
    at.replan(vault={"url": url, "role": "auterity-backup", "token_file": str(at.directory / "token")})


def test_users_rights_queues_and_policies_come_back_into_another_broker_without_any_password_being_told(
    at: Site, tmp_path: Path
) -> None:
    with rabbitmq() as source, rabbitmq() as fresh:
        source.ask("PUT", "/api/users/clerk", {"password": "the clerk's own", "tags": ""})
        source.ask("PUT", "/api/permissions/%2F/clerk", {"configure": "", "write": "orders", "read": "orders"})
        source.ask("PUT", "/api/queues/%2F/orders", {"durable": True, "arguments": {"x-queue-type": "quorum"}})
        policy = {"pattern": "^orders$", "definition": {"delivery-limit": 7}, "apply-to": "queues"}
        source.ask("PUT", "/api/policies/%2F/limited", policy)
        (tmp_path / "broker").write_text(source.password)
        at.replan(rabbitmq={"url": source.url, "user": source.user, "password_file": str(tmp_path / "broker")})
        at.run("run")
        file = tmp_path / "rabbitmq.json"
        at.run("extract", "--target", "second", "--service", "rabbitmq", "--to", str(file))
        assert (file.stat().st_mode & 0o777) == 0o600
        assert "the clerk's own" not in file.read_text()
        fresh.ask("POST", "/api/definitions", json.loads(file.read_text()))
        # The administrator of both has the same name.
        fresh.password = source.password
        for kind in ("queues", "policies", "permissions"):
            assert known(fresh, kind) == known(source, kind)
        clerk = "/api/users/clerk"
        assert fresh.ask("GET", clerk)["password_hash"] == source.ask("GET", clerk)["password_hash"]


def known(server: ManagedRabbitmq, kind: str) -> Any:
    return server.ask("GET", "/api/definitions")[kind]


def test_a_snapshot_of_vault_is_in_every_target_and_its_token_is_given_back(at: Site, tmp_path: Path) -> None:
    with Vault() as vault:
        with_vault(at, vault)
        said = at.run("run")
    assert vault.asked.count("/v1/auth/token/revoke-self") == 2
    assert not {SIGNED, ISSUED} & set((said.stdout + said.stderr).split("\n"))
    for target in ("first", "second"):
        at.run("extract", "--target", target, "--service", "vault", "--to", str(tmp_path / f"{target}.snap"))
        with tarfile.open(tmp_path / f"{target}.snap") as extracted:
            assert extracted.getnames() == ["state.bin"]


def test_a_vault_that_refuses_fails_the_run_and_no_database_and_the_next_attempt_does_what_is_missing(at: Site) -> None:
    with Vault() as vault:
        with_vault(at, vault)
        vault.broken = True
        failed = at.run("run", "--id", "night", code=1).stderr
        assert "first: vault failed" in failed
        assert "403" in failed
        assert "/v1/auth/token/revoke-self" in vault.asked
        at.run("verify", "--run", "night")
        vault.broken = False
        assert "storing vault" in at.run("run", "--id", "night").stderr
        assert "storing vault" not in at.run("run", "--id", "night").stderr


def test_what_a_service_held_goes_when_its_run_does(at: Site, tmp_path: Path) -> None:
    with Vault() as vault:
        with_vault(at, vault)
        at.replan(retention={"daily": 1, "weekly": 0, "monthly": 0})
        at.run("run", "--id", "earlier")
        at.run("run", "--id", "later")
    at.run("prune")
    words = ["--target", "first", "--service", "vault", "--to"]
    at.run("extract", *words, str(tmp_path / "one"), "--run", "earlier", code=1)
    at.run("extract", *words, str(tmp_path / "two"), "--run", "later")
