"""What is backed up beside the databases: Vault's data and the definitions of RabbitMQ, each by its own API.

A copy is a snapshot of its own, complete as soon as it is there; it stays for as long as the databases of the same run.
"""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Any

from operations.backup.errors import BackupError
from operations.backup.manifest import now
from operations.backup.plan import Plan, RabbitmqPlan, VaultPlan, read_secret
from operations.backup.processes import pipe
from operations.backup.repository import Repository
from operations.backup.snapshots import Snapshot

SERVICE = "service"
"""Tag of such snapshots."""

VAULT, RABBITMQ = "vault", "rabbitmq"

FILES = {VAULT: "vault.snap", RABBITMQ: "rabbitmq.json"}
"""Service to the name of its file."""

READERS = {
    # Raft's snapshot is a compressed archive with its own checksums.
    VAULT: ["tar", "--list", "--gzip", "--file=-"],
    RABBITMQ: [sys.executable, "-c", "import json, sys; json.load(sys.stdin)['users']"],
}
"""Service to the program that reads its file to the end."""

ANSWER_LIMIT = 60
"""Seconds until a service that says nothing is given up."""


def services(plan: Plan) -> list[str]:
    """Name the services that a plan has."""
    return [name for name, wanted in ((VAULT, plan.vault), (RABBITMQ, plan.rabbitmq)) if wanted]


def fetch(plan: Plan, name: str, into: IO[bytes]) -> None:
    """Write what a service holds.

    Raises:
        BackupError: the plan does not have the service, or it does not answer as it should.
    """
    if name == VAULT and plan.vault:
        _vault(plan.vault, into)
    elif name == RABBITMQ and plan.rabbitmq:
        _rabbitmq(plan.rabbitmq, into)
    else:
        raise BackupError(f"service {name!r} given, the plan has: {', '.join(services(plan)) or 'none'}")


def store(repository: Repository, run: str, told: Callable[[str], None]) -> list[str]:
    """Store every service that this run has not stored yet, and read each back; return what went wrong."""
    errors = []
    for name in services(repository.plan):
        try:
            there = [each.id for each in _snapshots(repository, name) if each.run == run]
            if not there:
                told(f"{repository.name}: storing {name}")
                tags = [SERVICE, f"{SERVICE}={name}", f"run={run}"]
                # In a process of its own: one that fails leaves no snapshot.
                command = [sys.executable, "-m", "operations", "backup", "fetch", name]
                there = [repository.write(FILES[name], tags, now(), command).snapshot]
            reading = repository.reading(there[-1], FILES[name])
            pipe(reading, (READERS[name], {}), seconds=repository.plan.limits.transfer)
        except BackupError as error:
            told(f"{repository.name}: {name} failed: {error}")
            errors.append(f"{name}: {error}")
    return errors


def extract(repository: Repository, name: str, run: str, to: Path) -> None:
    """Write what a run has stored of a service into a new file, which its owner alone can read.

    Raises:
        BackupError: there is no such copy, or the file is there already.
    """
    found = [each for each in _snapshots(repository, name) if run in ("latest", each.run)]
    if not found:
        raise BackupError(f"target {repository.name} has no {name} of run {run!r}")
    try:
        to.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise BackupError(f"{to} cannot be made: {error}") from error
    writing = ["sh", "-c", 'cat > "$1"', "sh", str(to)]
    reading = repository.reading(found[-1].id, FILES[name])
    pipe(reading, (writing, {}), seconds=repository.plan.limits.transfer)


def _snapshots(repository: Repository, name: str) -> list[Snapshot]:
    return repository.snapshots(f"{SERVICE}={name}")


def _vault(plan: VaultPlan, into: IO[bytes]) -> None:
    """Take a snapshot of Raft (https://developer.hashicorp.com/vault/api-docs/system/storage/raft#take-a-snapshot)."""
    signed = json.dumps({"role": plan.role, "jwt": read_secret(plan.token_file)}).encode()
    with _asked(plan.url, "/v1/auth/kubernetes/login", plan.authority, {}, signed) as answer:
        token = _parsed(VAULT, answer)["auth"]["client_token"]
    try:
        with _asked(plan.url, "/v1/sys/storage/raft/snapshot", plan.authority, {"X-Vault-Token": token}) as answer:
            shutil.copyfileobj(answer, into)
    finally:
        with _asked(plan.url, "/v1/auth/token/revoke-self", plan.authority, {"X-Vault-Token": token}, b"{}"):
            pass


def _rabbitmq(plan: RabbitmqPlan, into: IO[bytes]) -> None:
    """Export the definitions (https://www.rabbitmq.com/docs/definitions): of passwords, salted digests alone."""
    login = base64.b64encode(f"{plan.user}:{read_secret(plan.password_file)}".encode()).decode()
    with _asked(plan.url, "/api/definitions", plan.authority, {"Authorization": f"Basic {login}"}) as answer:
        into.write(json.dumps(_parsed(RABBITMQ, answer), indent=1, sort_keys=True).encode())


def _parsed(name: str, answer: HTTPResponse) -> Any:
    try:
        return json.load(answer)
    except ValueError as error:
        raise BackupError(f"{name} does not answer in JSON: {error}") from error


@contextmanager
def _asked(
    url: str, path: str, authority: Path | None, headers: Mapping[str, str], body: bytes | None = None
) -> Iterator[HTTPResponse]:
    request = urllib.request.Request(f"{url}{path}", body, dict(headers))  # noqa: S310 (the plan takes HTTP alone)
    try:
        context = ssl.create_default_context(cafile=authority) if url.startswith("https:") else None
        with urllib.request.urlopen(request, timeout=ANSWER_LIMIT, context=context) as answer:  # noqa: S310
            yield answer
    except (OSError, HTTPException) as error:
        raise BackupError(f"{url}{path}: {error}") from error
