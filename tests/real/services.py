"""Real servers for tests: PostgreSQL 15, Redis and RabbitMQ from Debian's packages, as plain processes.

Each listens on 127.0.0.1 at a port of its own, keeps its data in a temporary directory and has a password made for it.
Used as `with postgres() as server:`. `stop()` and `start()` take a server down and bring it back at the same port
with the same data. Nothing is left behind: the processes end with the block, or with the test run that started them.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self, TypeVar

HOST = "127.0.0.1"
POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")
_INITDB = POSTGRES_BIN / "initdb"
_POSTGRES = POSTGRES_BIN / "postgres"
_REDIS = Path("/usr/bin/redis-server")
_RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_EPMD = Path("/usr/bin/epmd")

# Seconds until a server that has not started, or not stopped, is given up.
_START_LIMIT = 90
_STOP_LIMIT = 60


AnyServer = TypeVar("AnyServer", bound="Server")


class MissingServerError(RuntimeError):
    """A server's program is not installed; the message names the package that has it."""


class ServerFailedError(RuntimeError):
    """A server ended or did not answer; the message holds the end of its log."""


class Server(ABC):
    """One server process and its directory.

    Attributes:
        host, port: where it listens.
        user, password: who may log in.
        directory: its data, configuration and logs; removed at the end.
    """

    package: str
    programs: tuple[Path, ...]
    account: str
    user: str
    stop_signal = signal.SIGTERM

    def __init__(self, directory: Path) -> None:
        self.host = HOST
        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        self.directory = directory
        self.log = directory / "server.log"
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for program in self.programs:
            if not program.exists():
                raise MissingServerError(f"{program} is missing; install it with: apt-get install {self.package}")
        try:
            self._own(self.directory)
            self.prepare()
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def prepare(self) -> None:
        """Write the configuration and lay out the data, once."""

    @abstractmethod
    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServerFailedError: it ended, or does not answer in time.
        """

    @abstractmethod
    def ready(self) -> bool:
        """Say whether the server answers."""

    def stop(self) -> None:
        """End the server in order, or by force when it takes too long."""
        while self._processes:
            process = self._processes.pop()
            if process.poll() is None:
                process.send_signal(self.stop_signal)
            try:
                process.wait(_STOP_LIMIT)
            except subprocess.TimeoutExpired:
                pass
            finally:
                _kill_group(process.pid)
                process.wait()

    def write(self, name: str, text: str) -> Path:
        """Write a file that only the server's account reads."""
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        self._own(path)
        return path

    def run(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Run a command as the server's account to its end.

        Raises:
            ServerFailedError: it failed.
        """
        with self.log.open("ab") as log:
            if self._popen(command, environment, log).wait(_START_LIMIT) != 0:
                raise ServerFailedError(self._why(f"{Path(command[0]).name} failed"))

    def launch(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Start a process that `stop` will end."""
        with self.log.open("ab") as log:
            self._processes.append(self._popen(command, environment, log))

    def wait_until_ready(self) -> None:
        """Wait until the server answers.

        Raises:
            ServerFailedError: one of its processes ended, or it does not answer in time.
        """
        deadline = time.monotonic() + _START_LIMIT
        while True:
            if any(process.poll() is not None for process in self._processes):
                raise ServerFailedError(self._why("ended"))
            if self.ready():
                return
            if time.monotonic() > deadline:
                raise ServerFailedError(self._why(f"did not answer within {_START_LIMIT} s"))
            time.sleep(0.1)

    def accepts_connections(self) -> bool:
        """Say whether the port is open."""
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((self.host, self.port)) == 0

    def _popen(
        self, command: Sequence[str | Path], environment: Mapping[str, str] | None, log: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        wrapper: list[str] = []
        if os.geteuid() == 0:
            account = pwd.getpwnam(self.account)
            wrapper += ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]
        # The kernel ends the server when this process is gone, however it went. Last, since a change of user undoes it.
        wrapper += ["setpriv", "--pdeathsig", signal.Signals(self.stop_signal).name[3:], "--"]
        return subprocess.Popen(
            [*wrapper, *map(str, command)],
            cwd=self.directory,
            env={"PATH": os.environ["PATH"], "HOME": str(self.directory), "LC_ALL": "C.UTF-8", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(path, self.account, pwd.getpwnam(self.account).pw_gid)

    def _why(self, what: str) -> str:
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:]) if self.log.exists() else ""
        return f"{type(self).__name__} {what}:\n{tail}"


class Postgres(Server):
    """PostgreSQL 15 with one superuser, over TCP with SCRAM."""

    package = "postgresql-15"
    programs = (_INITDB, _POSTGRES)
    account = "postgres"
    user = "tester"
    database = "postgres"
    # A fast shutdown: sessions are cut, the data is checkpointed.
    stop_signal = signal.SIGINT

    def prepare(self) -> None:
        password = self.write("password", self.password)
        self.run(
            [
                _INITDB,
                *("--pgdata", self.directory / "data"),
                *("--username", self.user, "--pwfile", password),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
            ]
        )

    def start(self) -> None:
        self.launch(
            [
                _POSTGRES,
                *("-D", self.directory / "data", "-h", self.host, "-p", str(self.port)),
                *("-c", "unix_socket_directories=", "-c", "fsync=off"),
            ]
        )
        self.wait_until_ready()

    def ready(self) -> bool:
        command = [str(POSTGRES_BIN / "pg_isready"), "-q", "-h", self.host, "-p", str(self.port), "-t", "1"]
        return subprocess.run(command, check=False).returncode == 0


class Redis(Server):
    """Redis without persistence."""

    package = "redis-server"
    programs = (_REDIS,)
    account = "redis"
    user = "default"

    def prepare(self) -> None:
        self.write(
            "redis.conf",
            f"bind {self.host}\nport {self.port}\nrequirepass {self.password}\ndir {self.directory}\n"
            'save ""\nappendonly no\ndaemonize no\n',
        )

    def start(self) -> None:
        self.launch([_REDIS, self.directory / "redis.conf"])
        self.wait_until_ready()

    def ready(self) -> bool:
        return self.accepts_connections()


class Rabbitmq(Server):
    """One RabbitMQ node with one administrator, and the Erlang port mapper that it needs."""

    package = "rabbitmq-server"
    programs = (_RABBITMQ, _EPMD)
    account = "rabbitmq"
    user = "tester"
    vhost = "/"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._mapper_port = free_port()
        self._distribution_port = free_port()

    def prepare(self) -> None:
        self.write(
            "rabbitmq.conf",
            f"listeners.tcp.1 = {self.host}:{self.port}\n"
            f"default_user = {self.user}\ndefault_pass = {self.password}\n"
            # A test machine with a full disk or little memory would else block publishers without a word.
            "disk_free_limit.absolute = 50MB\n",
        )
        self.write("enabled_plugins", "[].\n")

    def start(self) -> None:
        # Started here, since the one that Erlang starts by itself outlives the node.
        self.launch([_EPMD], self.node())
        self.launch(
            [_RABBITMQ],
            {
                **self.node(),
                "RABBITMQ_DIST_PORT": str(self._distribution_port),
                "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq.conf"),
                "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.directory / "advanced.config"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "enabled_plugins"),
                "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
                "RABBITMQ_LOG_BASE": str(self.directory / "log"),
                "RABBITMQ_LOGS": "-",
                # Loopback alone between nodes too, and no busy waiting on a machine that others share.
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
            },
        )
        self.wait_until_ready()

    def node(self) -> dict[str, str]:
        """Return by which environment processes beside the node find it."""
        return {
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": self.host,
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        }

    def ready(self) -> bool:
        # The listener is the last thing that a node opens.
        return self.accepts_connections()


def free_port() -> int:
    """Return a TCP port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run PostgreSQL 15 inside the block.

    Raises:
        MissingServerError: it is not installed.
        ServerFailedError: it does not start.
    """
    yield from _running(Postgres)


@contextmanager
def redis() -> Iterator[Redis]:
    """Run Redis inside the block; raises as `postgres` does."""
    yield from _running(Redis)


@contextmanager
def rabbitmq() -> Iterator[Rabbitmq]:
    """Run RabbitMQ inside the block; raises as `postgres` does. It takes some seconds to start."""
    yield from _running(Rabbitmq)


def _running(kind: type[AnyServer]) -> Iterator[AnyServer]:
    with tempfile.TemporaryDirectory(prefix=f"{kind.__name__.lower()}-") as directory, kind(Path(directory)) as server:
        yield server


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
