"""Where the official Kubernetes provider comes from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cloud.server import install_plugins
from sandbox.toolchain import ToolchainError, kubernetes_provider
from sandbox.toolchain.kubernetes_provider import NAME, ensure_provider, find_provider, wanted_version
from sandbox.toolchain.pulumi_cli import PulumiCli, pinned_version
from tests.toolchain.conftest import MakeTool, served

INSTALL = """
echo "$@" >> "$(dirname "$0")/asked"
directory=$PULUMI_HOME/plugins/resource-kubernetes-v$5
mkdir -p "$directory" && echo downloaded > "$directory/pulumi-resource-kubernetes"
"""
"""What `pulumi plugin install resource kubernetes VERSION` does."""

BUILD = """
echo "$@" >> "$(dirname "$0")/built"
for word; do case $word in -o=*) echo built > "${word#-o=}";; esac; done
"""
"""What `go build` does."""


@pytest.fixture
def bin_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH besides the system's own; Pulumi's downloads cannot be reached."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    monkeypatch.setattr(kubernetes_provider, "RELEASES", "http://127.0.0.1:9")
    return directory


@pytest.fixture
def cli(tool: MakeTool) -> PulumiCli:
    return PulumiCli(tool("pulumi", INSTALL), pinned_version(), None)


@pytest.fixture
def releases(tmp_path: Path, bin_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let Pulumi's downloads be reached."""
    assert bin_directory
    directory = tmp_path / "releases"
    directory.mkdir()
    (directory / f"pulumi-{pinned_version()}-checksums.txt").write_text("digests\n")
    with served(directory) as address:
        monkeypatch.setattr(kubernetes_provider, "RELEASES", address)
        yield


def test_a_provider_on_path_is_used(tmp_path: Path, tool: MakeTool, cli: PulumiCli) -> None:
    on_path = tool(NAME, "")
    assert ensure_provider(tmp_path / "cache", cli) == on_path


def test_no_provider_is_looked_for_by_way_of_a_download(tmp_path: Path, cli: PulumiCli) -> None:
    assert find_provider(tmp_path / "cache") is None
    assert not cli.executable.with_name("asked").exists()


@pytest.mark.usefixtures("releases")
def test_the_cli_downloads_it_in_the_version_that_the_sdk_asks_for(tmp_path: Path, cli: PulumiCli) -> None:
    found = ensure_provider(tmp_path / "cache", cli)
    assert found.read_text() == "downloaded\n"
    asked = cli.executable.with_name("asked").read_text()
    assert asked.startswith(f"plugin install resource kubernetes {wanted_version()} ")
    assert find_provider(tmp_path / "cache") == found


@pytest.mark.usefixtures("releases")
def test_a_download_that_fails_says_why_and_leaves_nothing(tmp_path: Path, tool: MakeTool) -> None:
    failing = PulumiCli(tool("pulumi", "echo no room >&2; exit 1"), pinned_version(), None)
    with pytest.raises(ToolchainError, match="no room"):
        ensure_provider(tmp_path / "cache", failing)
    assert find_provider(tmp_path / "cache") is None


def test_where_it_cannot_be_downloaded_it_is_built_once(tmp_path: Path, tool: MakeTool, cli: PulumiCli) -> None:
    go = tool("go", BUILD)
    found = ensure_provider(tmp_path / "cache", cli)
    assert found.read_text() == "built\n"
    assert ensure_provider(tmp_path / "cache", cli) == found
    [command] = go.with_name("built").read_text().splitlines()
    assert f"-X main.version={wanted_version()}" in command


def test_without_go_it_says_what_to_install(tmp_path: Path, cli: PulumiCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(cli.executable.parent))
    with pytest.raises(ToolchainError, match=r"needs Go.*pulumi plugin install resource kubernetes"):
        ensure_provider(tmp_path / "cache", cli)


def test_the_engine_finds_it_where_it_would_have_downloaded_it_to(tmp_path: Path) -> None:
    install_plugins(tmp_path, Path("/somewhere/official"))
    [plugin] = tmp_path.glob(f"plugins/resource-kubernetes-v{wanted_version()}/{NAME}")
    assert "/somewhere/official" in plugin.read_text()
