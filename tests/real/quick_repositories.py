"""Repositories that open at once.

restic derives the key of a repository anew at each call, for half a second, so that passwords are slow to guess. Tests
call it a thousand times, and their password is no secret.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

from sandbox.toolchain.backup_binaries import ensure_restic
from sandbox.toolchain.cache import cache_directory
from tests.real.backing_up import Site
from tests.real.object_stores import BUCKET, ObjectStore

LEAST = {"N": 2, "r": 8, "p": 1}
"""The least work that scrypt can be told to do."""


def make(at: Site) -> None:
    """Make the repository at each target that has none, as `init` does, with a key that takes no time."""
    made = _made((at.directory / "key").read_text())
    for target in at.plan["targets"]:
        if target["name"] in at.stores:
            _upload(made, at.stores[target["name"]])
        elif not Path(target["repository"]).exists():
            shutil.copytree(made, target["repository"])


@cache
def _made(password: str) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="repository-")) / "made"
    restic = ensure_restic(cache_directory())
    told = {**os.environ, "RESTIC_PASSWORD": password, "RESTIC_REPOSITORY": str(directory)}
    subprocess.run([restic, "init", "--quiet"], env=told, check=True)
    [path] = (directory / "keys").iterdir()
    key: dict[str, Any] = json.loads(path.read_text())
    opened = _decrypt(_derive(password, key), base64.b64decode(key["data"]))
    key.update(LEAST)
    key["data"] = base64.b64encode(_encrypt(_derive(password, key), opened)).decode()
    text = json.dumps(key)
    path.unlink()
    path.with_name(hashlib.sha256(text.encode()).hexdigest()).write_text(text)
    return directory


def _upload(made: Path, store: ObjectStore) -> None:
    for path in (made / "config", *(made / "keys").iterdir()):
        name = f"platform/{path.relative_to(made)}"
        if store.repository.startswith("s3:"):
            url, method = f"{store.url}/{BUCKET}/{name}", "PUT"
        else:
            quoted = name.replace("/", "%2F")
            url, method = f"{store.url}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quoted}", "POST"
        asked = urllib.request.Request(url, path.read_bytes(), method=method)  # noqa: S310 (an address of ours)
        asked.add_header("Content-Type", "application/octet-stream")
        urllib.request.urlopen(asked, timeout=10)  # noqa: S310


def _derive(password: str, key: dict[str, Any]) -> bytes:
    """Derive 32 bytes for AES-256, 16 for AES-128 and 16 for Poly1305
    (https://restic.readthedocs.io/en/v0.18.1/100_references.html#keys-encryption-and-mac).
    """
    salt = base64.b64decode(key["salt"])
    return hashlib.scrypt(password.encode(), salt=salt, n=key["N"], r=key["r"], p=key["p"], maxmem=2**28, dklen=64)


def _decrypt(derived: bytes, data: bytes) -> bytes:
    vector, text, tag = data[:16], data[16:-16], data[-16:]
    assert _tag(derived, vector, text) == tag
    return Cipher(algorithms.AES256(derived[:32]), modes.CTR(vector)).decryptor().update(text)


def _encrypt(derived: bytes, text: bytes) -> bytes:
    vector = os.urandom(16)
    hidden = Cipher(algorithms.AES256(derived[:32]), modes.CTR(vector)).encryptor().update(text)
    return vector + hidden + _tag(derived, vector, hidden)


def _tag(derived: bytes, vector: bytes, text: bytes) -> bytes:
    masked = Cipher(algorithms.AES128(derived[32:48]), modes.ECB()).encryptor().update(vector)  # noqa: S305 (one block, as restic has it)
    return Poly1305.generate_tag(derived[48:64] + masked, text)
