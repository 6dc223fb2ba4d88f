"""Amazon S3 and Google Cloud Storage as programs see them: moto's server and an emulator, as plain processes."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.toolchain.cache import cache_directory, exclusive, staged
from tests.real.reference_app import eventually
from tests.real.services import HOST, free_port

REQUIREMENTS = Path(__file__).parent / "object-stores.txt"

BUCKET = "auterity-test"


def environment() -> Path:
    """Return the directory of the servers' programs; they are installed once."""
    home = cache_directory() / "object-stores" / hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    with exclusive(home.with_name(f"{home.name}.lock")):
        if not home.exists():
            # An environment cannot be moved: the stage holds its stamp alone.
            real = home.with_name(f"{home.name}.env")
            with staged(home) as stamp:
                subprocess.run([sys.executable, "-m", "venv", "--clear", real], check=True)
                install = [
                    str(real / "bin/pip"),
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--require-hashes",
                ]
                subprocess.run([*install, "-r", str(REQUIREMENTS)], check=True)
                (stamp / "installed").touch()
    return home.with_name(f"{home.name}.env") / "bin"


@dataclass
class ObjectStore:
    """A server that can be stopped and started again at the same port.

    Attributes:
        port: where it listens.
        command: how it is started.
        log: what it says.
        told: environment of whoever uses it.
        repository: restic's name of a repository in its bucket.
    """

    port: int
    command: list[str]
    log: Path
    told: dict[str, str]
    repository: str
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *self.command], stdout=log, stderr=log
            )
        eventually(self.answers)

    def answers(self) -> bool:
        """Say whether it answers, whatever that is."""
        assert self._process is None or self._process.poll() is None, self.log.read_text()[-2000:]
        try:
            urllib.request.urlopen(self.url, timeout=5)  # noqa: S310 (an address of ours)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Take connections inside the block, and answer none."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it at once."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def aws(directory: Path, *program: str) -> Iterator[ObjectStore]:
    """Run the APIs of AWS; what they hold is in moto's memory, and gone when it is stopped.

    Args:
        directory: where its log goes.
        program: how it is started; moto's own server unless said.
    """
    port = free_port()
    command = [*(program or (str(environment() / "moto_server"),)), "-H", HOST, "-p", str(port)]
    told = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    store = ObjectStore(port, command, directory / "aws.log", told, f"s3:http://{HOST}:{port}/{BUCKET}/platform")
    store.start()
    try:
        yield store
    finally:
        store.stop()


@contextmanager
def s3(directory: Path) -> Iterator[ObjectStore]:
    """Run an S3 with an empty bucket."""
    with aws(directory) as store:
        make = urllib.request.Request(f"{store.url}/{BUCKET}", method="PUT")  # noqa: S310 (an address of ours)
        urllib.request.urlopen(make, timeout=10)  # noqa: S310
        yield store


@contextmanager
def gcs(directory: Path) -> Iterator[ObjectStore]:
    """Run a Google Cloud Storage with an empty bucket, which is kept on disk over a stop."""
    port = free_port()
    data = directory / "gcs"
    command = [str(environment() / "gcp-storage-emulator"), f"--data-dir={data}", "start", f"--host={HOST}"]
    command += [f"--port={port}", f"--default-bucket={BUCKET}"]
    told = {
        "STORAGE_EMULATOR_HOST": f"http://{HOST}:{port}",
        "GOOGLE_ACCESS_TOKEN": "test",
        "GOOGLE_PROJECT_ID": "test",
    }
    store = ObjectStore(port, command, directory / "gcs.log", told, f"gs:{BUCKET}:/platform")
    store.start()
    try:
        yield store
    finally:
        store.stop()
