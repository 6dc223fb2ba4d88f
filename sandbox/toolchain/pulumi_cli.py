"""The Pulumi CLI: the one on PATH, else the official download, else a build from its Go module."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import tarfile
import threading
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from pathlib import Path

from sandbox.toolchain import go_build
from sandbox.toolchain.cache import exclusive, staged
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.go_build import GoProgram, find_go, go_environment, required_version
from sandbox.toolchain.progress import Step, long_step, say

GO_MODULE = Path(__file__).parent / "pulumi-cli"
"""The Go module that requires the CLI; its go.mod is the one place that names the CLI's version."""

RELEASES = "https://get.pulumi.com/releases/sdk"
"""Where Pulumi publishes the CLI and, beside it, the SHA-256 digests of each version's files."""

CONNECT_SECONDS = 5.0
"""How long the download may take to answer at all before the build takes its place."""

LANGUAGE_HOST = "pulumi-language-python"
PROGRAM_RUNNER = "pulumi-language-python-exec"

BUILD_TAGS = ("disable_grpc_modules", "grpcnotrace")
"""Leave out gRPC's service mesh and tracing pages, which the CLI does not use: an eighth of all packages."""

INLINED = ("github.com/pulumi/...",)
"""Where the CLI spends its time: most of it on writing the state down before and after each step."""

PROFILE = GO_MODULE / "default.pgo"
"""What it did in a preview and an `up` of prod and in two of local, each with `--profiling` and then put together by
`go tool pprof -proto`: built by it, the CLI takes a tenth less CPU. A profile of another version does, too.
"""


@dataclass(frozen=True)
class PulumiCli:
    """A Pulumi CLI that can be used."""

    executable: Path
    """The CLI itself; its directory holds what belongs to it."""

    version: str
    """Its version, such as ``3.259.0``."""

    program_runner: Path | None
    """The SDK's script that runs a Python program, for a CLI without an official Python language host; else None."""


class DownloadUnavailable(Exception):  # noqa: N818 - not an error: the build follows
    """The official download cannot be reached from here, or is not published for this platform."""


@cache
def pinned_version() -> str:
    """Return the version, such as ``3.259.0``, that is downloaded or built, and the oldest one accepted from PATH."""
    return required_version(GO_MODULE, "github.com/pulumi/pulumi/pkg/v3")


def ensure_pulumi(cache_directory: Path) -> PulumiCli:
    """Return a Pulumi CLI, setting one up below `cache_directory` if PATH has none that will do.

    Raises ToolchainError if it can be neither found, nor downloaded, nor built, or if a download is not what its
    publisher says it is.
    """
    on_path, why_not = from_path(os.environ.get("PATH", os.defpath))
    if on_path:
        return on_path
    version = pinned_version()
    home = cache_directory / "pulumi" / version
    if not home.exists():
        with exclusive(home.with_name(f"{version}.lock")):
            if not home.exists():
                if why_not:
                    say(f"Not using the Pulumi CLI on PATH: {why_not}")
                with staged(home) as part:
                    set_up(version, part)
    executable = home / "bin" / "pulumi"
    runner = None if has_language_host(executable.parent) else executable.with_name(PROGRAM_RUNNER)
    return PulumiCli(executable, version, runner)


def has_language_host(bin_directory: Path) -> bool:
    """Tell whether an official Python language host is there or on PATH."""
    return shutil.which(LANGUAGE_HOST, path=f"{bin_directory}{os.pathsep}{os.environ.get('PATH', '')}") is not None


def from_path(path: str) -> tuple[PulumiCli | None, str]:
    """Look for a usable CLI in the directories of `path`; without one say why what was found will not do."""
    found = shutil.which("pulumi", path=path)
    if not found:
        return None, ""
    # A package manager's link leads to the directory in which the language host lies beside the CLI.
    executable = Path(found).resolve()
    version = version_of(executable)
    if version is None:
        return None, f"{found} does not tell its version"
    if numbers(version) < numbers(pinned_version()):
        return None, f"{found} is version {version}, older than {pinned_version()}"
    if not shutil.which(LANGUAGE_HOST, path=f"{executable.parent}{os.pathsep}{path}"):
        return None, f"{found} comes without {LANGUAGE_HOST}"
    return PulumiCli(executable, version, None), ""


def version_of(executable: Path) -> str | None:
    """Ask the CLI at `executable` for its version, such as ``3.259.0``; None if it does not answer with one."""
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [str(executable), "version"], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.fullmatch(r"v?(\d+\.\d+\.\d+\S*)", answer.stdout.strip())
    return found.group(1) if found and answer.returncode == 0 else None


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers by which versions are ordered; a suffix such as ``-dev.1`` counts for nothing."""
    return tuple(int(part) for part in re.split(r"[-+]", version)[0].split("."))


def set_up(version: str, target: Path) -> None:
    """Fill the empty directory `target` with the CLI, downloaded or built."""
    try:
        download(version, target, RELEASES)
    except DownloadUnavailable as reason:
        say(f"The official download of the Pulumi CLI is not available here ({reason}); building it instead.")
        build(version, target)


def platform_name() -> str:
    """Name this machine as Pulumi's downloads do, such as ``linux-x64``.

    Raises DownloadUnavailable if there is none for it.
    """
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system())
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine())
    if not system or not machine:
        raise DownloadUnavailable(f"none is published for {platform.system()} on {platform.machine()}")
    return f"{system}-{machine}"


def download(version: str, target: Path, releases: str) -> None:
    """Put the official release, the CLI and its language hosts, from the address `releases` into ``target/bin``.

    Raises DownloadUnavailable if it cannot be had from here and ToolchainError if it does not match its digest.
    """
    name = f"pulumi-v{version}-{platform_name()}.tar.gz"
    expected = published_digest(small_file(f"{releases}/pulumi-{version}-checksums.txt"), name)
    archive = target / name
    with long_step(f"Downloading the Pulumi CLI {version}", "under a minute") as step:
        actual = fetch(f"{releases}/{name}", archive, step)
    if actual != expected:
        raise ToolchainError(
            f"{releases}/{name} has the SHA-256 digest {actual}, but its publisher states {expected};"
            " nothing was installed"
        )
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    (target / "pulumi").rename(target / "bin")
    archive.unlink()


def published_digest(checksums: str, name: str) -> str:
    """Return the SHA-256 digest that a list in the format of ``sha256sum`` states for the file `name`."""
    for line in checksums.splitlines():
        digest, _, file = line.partition(" ")
        if file.strip().lstrip("*") == name and re.fullmatch(r"[0-9a-f]{64}", digest):
            return digest
    raise DownloadUnavailable(f"no digest is published for {name}")


def small_file(url: str) -> str:
    """Fetch a small text within CONNECT_SECONDS; raises DownloadUnavailable if that cannot be done."""
    answer: list[str] = []
    problem: list[str] = ["no answer in time"]

    def ask() -> None:
        try:
            with urllib.request.urlopen(url, timeout=CONNECT_SECONDS) as response:  # noqa: S310 - a constant https address
                answer.append(response.read().decode())
        except (OSError, HTTPException, ValueError) as error:
            problem[0] = str(error)

    # In a thread, because the time-out of a connection does not cover a name server that stays silent.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(CONNECT_SECONDS)
    if not answer:
        raise DownloadUnavailable(problem[0])
    return answer[0]


def fetch(url: str, target: Path, step: Step) -> str:
    """Write what is at `url` to `target` and return its SHA-256 digest; raises DownloadUnavailable if it breaks off."""
    digest = hashlib.sha256()
    done = 0
    try:
        with (
            urllib.request.urlopen(url, timeout=CONNECT_SECONDS) as response,  # noqa: S310 - a constant https address
            target.open("wb") as out,
        ):
            while chunk := response.read(1 << 20):
                digest.update(chunk)
                out.write(chunk)
                done += len(chunk)
                step.detail = f"{done >> 20} MiB"
    except (OSError, HTTPException) as error:
        target.unlink(missing_ok=True)
        raise DownloadUnavailable(str(error)) from error
    return digest.hexdigest()


def build(version: str, target: Path) -> None:
    """Build the CLI from its Go module into ``target/bin``, with the SDK's script that runs Python programs."""
    go = find_go(f"The Pulumi CLI {version}", "install the Pulumi CLI itself (https://www.pulumi.com/docs/install/)")
    executable = target / "bin" / "pulumi"
    executable.parent.mkdir()
    program = GoProgram(
        name="pulumi",
        title=f"the Pulumi CLI {version}",
        module=GO_MODULE,
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        usually="3 to 5 minutes on 2 cores",
        variables=(("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", f"v{version}"),),
        tags=BUILD_TAGS,
        inlined=INLINED,
        profile=PROFILE,
    )
    go_build.build(go, program, executable)
    listed = [go, "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"]
    script = sdk_directory(listed, go_environment())
    shutil.copyfile(script / "python" / "cmd" / PROGRAM_RUNNER, executable.with_name(PROGRAM_RUNNER))


def sdk_directory(command: Sequence[str], env: dict[str, str]) -> Path:
    """Return the directory in Go's module cache that holds the Pulumi SDK."""
    listed = subprocess.run(command, cwd=GO_MODULE, env=env, capture_output=True, text=True)
    if listed.returncode:
        raise ToolchainError(f"{' '.join(command)}: {listed.stderr.strip()}")
    return Path(listed.stdout.strip())
