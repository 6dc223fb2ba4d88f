"""The language host, as the engine sees it: a process, a port and a gRPC service."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import psutil
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import language_pb2 as messages
from pulumi.runtime.proto.language_pb2_grpc import LanguageRuntimeStub

from sandbox import language_host

DEADLINE_SECONDS = 30


class Host:
    """A running host whose program runner is a script of the test's own."""

    def __init__(self, process: subprocess.Popen[str], directory: Path) -> None:
        self.process = process
        self.directory = directory
        assert process.stdout is not None
        self.channel = grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}")
        self.service = LanguageRuntimeStub(self.channel)

    def run(self, **request: object) -> messages.RunResponse:
        """Have the program run."""
        message = messages.RunRequest(pwd=str(self.directory), program=".", **request)  # type: ignore[arg-type]
        response: messages.RunResponse = self.service.Run(message, timeout=DEADLINE_SECONDS)
        return response

    def end(self) -> tuple[str, str]:
        """End as the engine does when it closes; returns what came out on the two streams."""
        return self.process.communicate(timeout=DEADLINE_SECONDS)


Start = Callable[[str], Host]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a host whose program runner is the Python code given."""
    hosts: list[Host] = []

    def with_runner(code: str) -> Host:
        runner = tmp_path / "runner.py"
        runner.write_text(code)
        command = [sys.executable, "-P", language_host.__file__, "--program-runner", str(runner), "127.0.0.1:1"]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=tmp_path)
        hosts.append(Host(process, tmp_path))
        return hosts[-1]

    yield with_runner
    for host in hosts:
        host.channel.close()
        host.process.kill()
        with suppress(BrokenPipeError), host.process:
            pass


@contextmanager
def running(host: Host) -> Iterator[psutil.Process]:
    """Run a program that never ends by itself; yields its process."""
    call = host.service.Run.future(messages.RunRequest(pwd=str(host.directory)), timeout=DEADLINE_SECONDS)
    assert host.process.stdout is not None
    yield psutil.Process(int(host.process.stdout.readline()))
    call.cancel()  # type: ignore[no-untyped-call]


ENDLESS = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n"


def test_a_program_that_ends_well_is_a_success(start: Start) -> None:
    response = start("").run()
    assert (response.error, response.bail) == ("", False)


def test_a_program_that_raises_fails_and_its_traceback_reaches_the_engine_s_log(start: Start) -> None:
    host = start("raise ValueError('boom')")
    response = host.run()
    assert response.error == "Program exited with non-zero exit code: 1"
    assert not response.bail
    assert "ValueError: boom" in host.end()[1]


def test_a_program_that_has_shown_its_error_bails_out_without_another_one(start: Start) -> None:
    response = start("raise SystemExit(32)").run()
    assert (response.error, response.bail) == ("", True)


def test_a_program_that_is_killed_fails_by_the_signal_s_name(start: Start) -> None:
    response = start("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)").run()
    assert response.error == "Program was ended by SIGKILL"


def test_what_a_program_prints_reaches_the_engine_s_log(start: Start) -> None:
    host = start("import sys\nprint('told')\nprint('warned', file=sys.stderr)")
    host.run()
    assert host.end() == ("told\n", "warned\n")


def test_a_program_gets_what_the_engine_says_about_the_run(start: Start) -> None:
    host = start("import sys\nprint(sys.argv[1:])")
    host.run(project="p", stack="s", organization="o", dryRun=True, parallel=7, monitor_address="127.0.0.1:2")
    printed = host.end()[0]
    for option, value in {
        "project": "p",
        "stack": "s",
        "organization": "o",
        "dry_run": "true",
        "parallel": "7",
    }.items():
        assert f"'--{option}', '{value}'" in printed
    assert "'--monitor', '127.0.0.1:2', '--engine', '127.0.0.1:1'" in printed


def test_configuration_reaches_the_program_by_its_environment_and_not_by_its_arguments(start: Start) -> None:
    code = (
        "import os, sys\nprint(os.environ['PULUMI_CONFIG'])\nprint(os.environ['PULUMI_CONFIG_SECRET_KEYS'], sys.argv)"
    )
    host = start(code)
    host.run(config={"p:key": "value"}, configSecretKeys=["p:key"])
    config, rest = host.end()[0].splitlines()
    assert json.loads(config) == {"p:key": "value"}
    assert rest.startswith('["p:key"]')
    assert "value" not in rest


def test_a_plugin_s_streams_and_exit_code_are_passed_on(start: Start, tmp_path: Path) -> None:
    plugin = tmp_path / "plugin.py"
    plugin.write_text("import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)")
    request = messages.RunPluginRequest(pwd=str(tmp_path), program=str(plugin), kind="resource")
    answers = list(start("").service.RunPlugin(request, timeout=DEADLINE_SECONDS))
    assert b"".join(answer.stdout for answer in answers) == b"out\n"
    assert b"".join(answer.stderr for answer in answers) == b"err\n"
    assert answers[-1].exitcode == 3


def test_a_plugin_gets_exactly_the_environment_that_the_engine_names(start: Start, tmp_path: Path) -> None:
    plugin = tmp_path / "plugin.py"
    plugin.write_text("import os\nprint(os.environ.get('GIVEN'), os.environ.get('HOME'))")
    request = messages.RunPluginRequest(pwd=str(tmp_path), program=str(plugin), kind="resource", env=["GIVEN=a=b"])
    answers = list(start("").service.RunPlugin(request, timeout=DEADLINE_SECONDS))
    assert b"".join(answer.stdout for answer in answers) == b"a=b None\n"


def test_no_program_outlives_an_engine_that_is_gone(start: Start) -> None:
    host = start(ENDLESS)
    with running(host) as program:
        assert host.process.stdin is not None
        host.process.stdin.close()
        program.wait(DEADLINE_SECONDS)
        assert host.process.wait(DEADLINE_SECONDS) == 0


def test_no_program_outlives_an_interrupt(start: Start) -> None:
    host = start(ENDLESS)
    with running(host) as program:
        host.process.terminate()
        program.wait(DEADLINE_SECONDS)
        assert host.process.wait(DEADLINE_SECONDS) == 0


def test_a_cancelled_operation_ends_its_program(start: Start) -> None:
    host = start(ENDLESS)
    with running(host) as program:
        host.service.Cancel(Empty(), timeout=DEADLINE_SECONDS)
        program.wait(DEADLINE_SECONDS)


def test_the_host_ends_quietly(start: Start) -> None:
    host = start("")
    host.process.terminate()
    assert host.end() == ("", "")
    assert host.process.returncode == 0
