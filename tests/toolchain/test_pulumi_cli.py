"""Where the Pulumi CLI comes from."""

import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.toolchain import ToolchainError, pulumi_cli
from sandbox.toolchain.cache import exclusive, staged
from sandbox.toolchain.pulumi_cli import (
    DownloadUnavailable,
    PulumiCli,
    download,
    ensure_pulumi,
    from_path,
    numbers,
    pinned_version,
)
from tests.toolchain.conftest import MakeTool, served

VERSION = "9.8.7"


@pytest.fixture
def bin_directory(tmp_path: Path) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    return directory


@pytest.fixture
def release(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Serve a directory with a release as its publisher lays it out; yields its address and the directory."""
    directory = tmp_path / "release"
    directory.mkdir()
    archive = directory / f"pulumi-v{VERSION}-{pulumi_cli.platform_name()}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in ("pulumi", "pulumi-language-python"):
            member = tarfile.TarInfo(f"pulumi/{name}")
            member.mode, member.size = 0o755, len(name)
            tar.addfile(member, io.BytesIO(name.encode()))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (directory / f"pulumi-{VERSION}-checksums.txt").write_text(f"{'0' * 64}  other.tar.gz\n{digest}  {archive.name}\n")
    with served(directory) as address:
        yield address, directory


def test_a_cli_on_path_with_its_language_host_is_used(bin_directory: Path, tool: MakeTool) -> None:
    executable = tool("pulumi", f"echo v{pinned_version()}")
    tool("pulumi-language-python", "")
    found, why_not = from_path(str(bin_directory))
    assert (found, why_not) == (PulumiCli(executable, pinned_version(), None), "")


def test_a_cli_on_path_that_is_too_old_is_refused_with_both_versions(bin_directory: Path, tool: MakeTool) -> None:
    tool("pulumi", "echo v3.9.0")
    tool("pulumi-language-python", "")
    found, why_not = from_path(str(bin_directory))
    assert found is None
    assert why_not.endswith(f"is version 3.9.0, older than {pinned_version()}")


def test_a_cli_on_path_without_a_language_host_is_refused(bin_directory: Path, tool: MakeTool) -> None:
    tool("pulumi", f"echo v{pinned_version()}")
    assert from_path(str(bin_directory))[1].endswith("comes without pulumi-language-python")


@pytest.mark.parametrize("body", ["echo something else", f"echo v{VERSION}; exit 1"])
def test_a_program_on_path_that_is_not_pulumi_is_refused(bin_directory: Path, tool: MakeTool, body: str) -> None:
    tool("pulumi", body)
    tool("pulumi-language-python", "")
    found, why_not = from_path(str(bin_directory))
    assert found is None
    assert why_not.endswith("does not tell its version")


def test_a_linked_cli_is_looked_up_where_it_really_lies(bin_directory: Path, tool: MakeTool, tmp_path: Path) -> None:
    executable = tool("pulumi", f"echo v{pinned_version()}")
    tool("pulumi-language-python", "")
    links = tmp_path / "links"
    links.mkdir()
    (links / "pulumi").symlink_to(executable)
    found, _ = from_path(f"{links}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert found is not None
    assert found.executable == executable


def test_versions_are_ordered_by_their_numbers() -> None:
    assert numbers("3.9.12") < numbers("3.10.0-dev.1") < numbers("3.10.1+build")


def test_a_download_that_matches_its_digest_is_installed(tmp_path: Path, release: tuple[str, Path]) -> None:
    target = tmp_path / "target"
    target.mkdir()
    download(VERSION, target, release[0])
    assert {path.name for path in target.rglob("*")} == {"bin", "pulumi", "pulumi-language-python"}


def test_a_download_that_does_not_match_its_digest_is_refused(tmp_path: Path, release: tuple[str, Path]) -> None:
    address, directory = release
    next(directory.glob("*.tar.gz")).write_bytes(b"something else")
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(ToolchainError, match=r"SHA-256 digest .* publisher states"):
        download(VERSION, target, address)
    assert not (target / "bin").exists()


def test_a_download_without_a_published_digest_is_not_taken(tmp_path: Path, release: tuple[str, Path]) -> None:
    address, directory = release
    (directory / f"pulumi-{VERSION}-checksums.txt").write_text("")
    with pytest.raises(DownloadUnavailable, match="no digest is published"):
        download(VERSION, tmp_path, address)


def test_a_download_that_breaks_off_leaves_nothing(tmp_path: Path, release: tuple[str, Path]) -> None:
    address, directory = release
    next(directory.glob("*.tar.gz")).unlink()
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(DownloadUnavailable, match="404"):
        download(VERSION, target, address)
    assert list(target.iterdir()) == []


def test_without_a_download_the_cli_is_built(
    tmp_path: Path, bin_directory: Path, tool: MakeTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk = tmp_path / "sdk"
    (sdk / "python" / "cmd").mkdir(parents=True)
    (sdk / "python" / "cmd" / "pulumi-language-python-exec").write_text("runner")
    tool(
        "go",
        f'case "$1" in list) echo {sdk};; *) for a; do case "$a" in -o=*) echo cli > "${{a#-o=}}";; esac; done;; esac',
    )
    monkeypatch.setenv("PATH", f"{bin_directory}:/usr/bin:/bin")
    monkeypatch.setattr(pulumi_cli, "from_path", lambda _: (None, ""))
    monkeypatch.setattr(pulumi_cli, "RELEASES", "http://127.0.0.1:9")
    found = ensure_pulumi(tmp_path / "cache")
    assert found.executable.read_text() == "cli\n"
    assert found.program_runner is not None
    assert found.program_runner.read_text() == "runner"


def test_a_build_that_fails_leaves_no_half_cli_and_shows_why(
    tmp_path: Path, bin_directory: Path, tool: MakeTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool("go", 'for a; do case "$a" in -o=*) echo half > "${a#-o=}";; esac; done; echo "no space left"; exit 1')
    monkeypatch.setenv("PATH", f"{bin_directory}:/usr/bin:/bin")
    monkeypatch.setattr(pulumi_cli, "from_path", lambda _: (None, ""))
    monkeypatch.setattr(pulumi_cli, "RELEASES", "http://127.0.0.1:9")
    with pytest.raises(ToolchainError, match="no space left"):
        ensure_pulumi(tmp_path / "cache")
    assert {path.suffix for path in (tmp_path / "cache" / "pulumi").iterdir()} == {".lock"}


def test_without_go_a_build_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match=r"install Go .*https://go.dev/dl/"):
        pulumi_cli.build(VERSION, tmp_path)


def test_what_an_interrupted_set_up_left_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    target = tmp_path / "tool"

    def set_up() -> None:
        with staged(target) as part:
            (part / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        set_up()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_set_up_left_is_cleared_away(tmp_path: Path) -> None:
    target = tmp_path / "tool"
    left = tmp_path / "tool.part"
    left.mkdir()
    (left / "half").touch()
    with staged(target) as part:
        (part / "whole").touch()
    assert [path.name for path in target.iterdir()] == ["whole"]


def test_two_set_ups_do_not_run_at_the_same_time(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with exclusive(tmp_path / "lock"):
            order.append("second")

    with exclusive(tmp_path / "lock"):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
