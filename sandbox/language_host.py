"""Run Python programs for the Pulumi engine where the official ``pulumi-language-python`` is not installed.

The official language host comes with the official download of the Pulumi CLI; a CLI that was built from its Go module
has none. This one speaks the same protocol, the ``pulumirpc.LanguageRuntime`` service whose stubs ship with the Pulumi
SDK, as far as running this project needs it: programs and policy packs, on the interpreter that runs the host.

The engine starts it as ``pulumi-language-python ENGINE_ADDRESS`` and reads the port from the first line that it prints.
It is started by path and imports nothing from this project, so it runs from any working directory.
"""
# ruff: noqa: N802, E402 - the methods' names are the protocol's; some imports have to wait

import argparse
import importlib.util
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from pathlib import Path
from types import ModuleType
from typing import IO

import grpc
from google.protobuf.empty_pb2 import Empty


def skip_the_sdk_around_its_stubs() -> None:
    """Import below ``pulumi`` and ``pulumi.runtime`` without running them.

    The engine starts the host twice for each command and waits for it, and the SDK takes longer to import than all else
    that the host does.
    """
    spec = importlib.util.find_spec("pulumi")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    for name, directory in (("pulumi", root), ("pulumi.runtime", root / "runtime")):
        package = ModuleType(name)
        package.__path__ = [str(directory)]
        sys.modules[name] = package


if __name__ == "__main__":
    skip_the_sdk_around_its_stubs()

from pulumi.runtime.proto import language_pb2 as messages
from pulumi.runtime.proto import language_pb2_grpc, plugin_pb2

SHOWN_ALREADY = 32
"""Exit code by which ``pulumi-language-python-exec`` says that the engine has already shown the error."""

MESSAGE_LIMIT_BYTES = 400 * 1024 * 1024
"""Largest message taken or sent: the limit that the Pulumi engine and its SDKs use among themselves."""


class Children:
    """The processes that the host has started, so that none outlives it."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def start(
        self, command: Sequence[str], *, cwd: str, env: dict[str, str], capture: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start `command` in `cwd`; with `capture` its two streams are pipes, else they are the host's own."""
        stream = subprocess.PIPE if capture else None
        with self._lock:
            if self._closed:
                raise RuntimeError("the language host is shutting down")
            process = subprocess.Popen(
                command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
            )
            self._running.add(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for `process` to end and return its exit code (negative: ended by that signal)."""
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return code

    def close(self) -> None:
        """End every process that still runs, and start no more."""
        with self._lock:
            self._closed = True
            remaining = list(self._running)
        for process in remaining:
            process.terminate()
        for process in remaining:
            try:
                process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                process.kill()


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The service; `program_runner` is the SDK's ``pulumi-language-python-exec``, `engine` the engine's address."""

    def __init__(self, program_runner: Path, engine: str, children: Children) -> None:
        self._program_runner = program_runner
        self._engine = engine
        self._children = children

    def Handshake(
        self, request: messages.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> messages.LanguageHandshakeResponse:
        self._engine = request.engine_address
        return messages.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(
        self, request: messages.GetRequiredPackagesRequest, context: grpc.ServicerContext
    ) -> messages.GetRequiredPackagesResponse:
        # Each resource names the plugin it needs when it is registered; the list only serves to fetch them beforehand.
        return messages.GetRequiredPackagesResponse()

    def GetRequiredPlugins(
        self, request: messages.GetRequiredPluginsRequest, context: grpc.ServicerContext
    ) -> messages.GetRequiredPluginsResponse:
        return messages.GetRequiredPluginsResponse()

    def InstallDependencies(
        self, request: messages.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.InstallDependenciesResponse]:
        # The environment of the interpreter that runs the host is complete before the engine starts.
        return iter(())

    def RuntimeOptionsPrompts(
        self, request: messages.RuntimeOptionsRequest, context: grpc.ServicerContext
    ) -> messages.RuntimeOptionsResponse:
        return messages.RuntimeOptionsResponse()

    def About(self, request: messages.AboutRequest, context: grpc.ServicerContext) -> messages.AboutResponse:
        return messages.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:
        self._children.close()
        return Empty()

    def Run(self, request: messages.RunRequest, context: grpc.ServicerContext) -> messages.RunResponse:
        """Run the program once, for a preview (`dryRun`) or an update.

        What the program prints goes to the engine through the streams that it shares with the host.
        """
        options = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "pwd": request.pwd,
            "dry_run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
            "organization": request.organization,
            "root_directory": request.info.root_directory,
        }
        command = [sys.executable, "-u", str(self._program_runner)]
        for option, value in options.items():
            command += [f"--{option}", value]
        env = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        process = self._children.start([*command, request.program or ".", *request.args], cwd=request.pwd, env=env)
        return response_to(self._children.wait(process))

    def RunPlugin(
        self, request: messages.RunPluginRequest, context: grpc.ServicerContext
    ) -> Iterator[messages.RunPluginResponse]:
        """Run a plugin written in Python, a policy pack above all, and stream what it prints until it ends."""
        program = request.info.program_directory or request.program
        if request.kind == "analyzer":
            # A pack only declares its policies; the SDK's runner serves them to the engine, whose address it is given.
            command = [sys.executable, "-u", "-m", "pulumi.policy", *request.args, program]
        else:
            command = [sys.executable, "-u", program, *request.args]
        # The engine passes the whole environment or, when the plugin adds nothing to it, none at all.
        env = dict(entry.split("=", 1) for entry in request.env) if request.env else dict(os.environ)
        process = self._children.start(command, cwd=request.pwd, env=env, capture=True)
        context.add_callback(process.terminate)
        yield from streamed(process)
        yield messages.RunPluginResponse(exitcode=self._children.wait(process))


def response_to(exit_code: int) -> messages.RunResponse:
    """Tell the engine how the program ended."""
    if exit_code == 0:
        return messages.RunResponse()
    if exit_code == SHOWN_ALREADY:
        return messages.RunResponse(bail=True)
    if exit_code < 0:
        return messages.RunResponse(error=f"Program was ended by {signal.Signals(-exit_code).name}")
    return messages.RunResponse(error=f"Program exited with non-zero exit code: {exit_code}")


def streamed(process: subprocess.Popen[bytes]) -> Iterator[messages.RunPluginResponse]:
    """Yield what `process` writes to its two streams, in the order it is read, until both are closed."""
    chunks: queue.Queue[messages.RunPluginResponse | None] = queue.Queue()

    def pump(stream: IO[bytes], response: Callable[[bytes], messages.RunPluginResponse]) -> None:
        for line in iter(stream.readline, b""):
            chunks.put(response(line))
        chunks.put(None)

    assert process.stdout is not None
    assert process.stderr is not None
    for stream, response in (
        (process.stdout, lambda line: messages.RunPluginResponse(stdout=line)),
        (process.stderr, lambda line: messages.RunPluginResponse(stderr=line)),
    ):
        threading.Thread(target=pump, args=(stream, response), daemon=True).start()
    still_open = 2
    while still_open:
        chunk = chunks.get()
        if chunk is None:
            still_open -= 1
        else:
            yield chunk


def end_of_the_engine() -> threading.Event:
    """Return what is set once the engine says so by a signal, or is gone: it holds the other end of standard input."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())

    def watch_the_engine() -> None:
        # The engine never writes here: end of file means that it has ended, by whatever means.
        while os.read(sys.stdin.fileno(), 4096):
            pass
        ended.set()

    threading.Thread(target=watch_the_engine, daemon=True).start()
    return ended


def main() -> None:
    """Serve until the engine ends or says so."""
    parser = argparse.ArgumentParser(prog="pulumi-language-python", description=__doc__.splitlines()[0])
    parser.add_argument("--program-runner", type=Path, required=True, help="path of pulumi-language-python-exec")
    parser.add_argument("engine", nargs="?", default="", help="address of the engine")
    arguments, _ = parser.parse_known_args()

    # Before the port is known, so that no signal comes too early.
    ended = end_of_the_engine()
    children = Children()
    server = grpc.server(
        futures.ThreadPoolExecutor(),
        options=[
            ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
            ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES),
        ],
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(
        LanguageHost(arguments.program_runner, arguments.engine, children), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ended.wait()
    children.close()
    server.stop(grace=None)
    # Threads that still serve a call would keep the interpreter alive.
    os._exit(0)


if __name__ == "__main__":
    main()
