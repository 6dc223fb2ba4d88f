"""Pulumi's official Kubernetes provider: the one on PATH, else the official download, else a build from its module."""

import os
import shutil
import subprocess
from importlib.metadata import version as installed_version
from pathlib import Path

from sandbox.toolchain.cache import exclusive, staged
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.go_build import GoProgram, build, find_go, required_version
from sandbox.toolchain.progress import long_step, say
from sandbox.toolchain.pulumi_cli import RELEASES, DownloadUnavailable, PulumiCli, pinned_version, small_file

MODULE = Path(__file__).parent / "kubernetes-provider"
"""Go module of the provider's main package; its go.mod is the one place that names the version that is built."""

REQUIREMENT = "github.com/pulumi/pulumi-kubernetes/provider/v4"

NAME = "pulumi-resource-kubernetes"
"""Name of the executable, by which the engine knows it."""


def wanted_version() -> str:
    """Return the version that the Python SDK asks the engine for, such as ``4.34.2``."""
    return installed_version("pulumi-kubernetes")


def find_provider(cache_directory: Path) -> Path | None:
    """Return the provider if it is on PATH or set up already; else None."""
    found = shutil.which(NAME, path=os.environ.get("PATH", os.defpath))
    if found:
        return Path(found)
    return next((path for path in _homes(cache_directory) if path.exists()), None)


def ensure_provider(cache_directory: Path, cli: PulumiCli) -> Path:
    """Return the provider, setting it up below `cache_directory` if it is not there: by a build that takes minutes.

    Raises:
        ToolchainError: it can be neither downloaded nor built.
    """
    found = find_provider(cache_directory)
    if found:
        return found
    downloaded, built = _homes(cache_directory)
    with exclusive(cache_directory / f"{NAME}.lock"):
        if not (found := find_provider(cache_directory)):
            try:
                _download(downloaded, cli)
                found = downloaded
            except DownloadUnavailable as reason:
                say(f"The official download of the Kubernetes provider is not available here ({reason}); building it.")
                _build(built)
                found = built
    return found


def _homes(cache_directory: Path) -> tuple[Path, Path]:
    """Return where the provider lies once it is downloaded, and once it is built."""
    home, wanted = cache_directory / NAME, wanted_version()
    return home / wanted / NAME, home / f"{wanted}+{required_version(MODULE, REQUIREMENT)}" / NAME


def _download(target: Path, cli: PulumiCli) -> None:
    """Let the CLI fetch the plugin, as it does on everybody's machine.

    Raises:
        DownloadUnavailable: Pulumi's downloads cannot be reached from here.
        ToolchainError: they can, and this one failed.
    """
    # By itself the CLI tries again for minutes.
    small_file(f"{RELEASES}/pulumi-{pinned_version()}-checksums.txt")
    wanted = wanted_version()
    with (
        staged(target.parent) as part,
        long_step(f"Downloading the Kubernetes provider {wanted}", "under a minute"),
    ):
        done = subprocess.run(
            [cli.executable, "plugin", "install", "resource", "kubernetes", wanted, "--non-interactive"],
            env={**os.environ, "PULUMI_HOME": str(part), "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise ToolchainError(f"pulumi plugin install: {(done.stderr or done.stdout).strip()}")
        (part / "plugins" / f"resource-kubernetes-v{wanted}" / NAME).rename(part / NAME)
        shutil.rmtree(part / "plugins")


def _build(target: Path) -> None:
    """Build the provider.

    It tells the version that the SDK asks for, or the engine warns of it in every command.
    """
    wanted = wanted_version()
    go = find_go(
        "The Kubernetes provider", f"install it (pulumi plugin install resource kubernetes {wanted}) and put it on PATH"
    )
    program = GoProgram(
        name=NAME,
        title="the Kubernetes provider",
        module=MODULE,
        package=".",
        usually="10 to 20 minutes on 2 cores",
        variables=(("main.version", wanted),),
    )
    with staged(target.parent) as part:
        build(go, program, part / NAME)
