"""The pages of docs/ build as a site, and no link in them, in the README or in the site leads nowhere."""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import markdown
import pytest
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from scripts.site_hooks import on_page_markdown

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


@dataclass
class Found(HTMLParser):
    """What a page of HTML links to, loads, and can be linked to by."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value for key, value in attrs if value is not None}
        self.anchors |= {given[key] for key in ("id", "name") if key in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("script", "img", "iframe", "source") and "src" in given:
            self.loaded.append(given["src"])
        elif tag == "link" and "href" in given and given.get("rel") != "canonical":
            self.loaded.append(given["href"])


@cache
def configuration() -> MkDocsConfig:
    """Return the site's configuration."""
    return load_config(str(ROOT / "mkdocs.yml"))


@cache
def read(page: Path) -> Found:
    """Read a page of Markdown, as the site does, or of HTML."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        config = configuration()
        text = markdown.markdown(text, extensions=config.markdown_extensions, extension_configs=config.mdx_configs)
    found = Found()
    found.feed(text)
    return found


def astray(page: Path, links: list[str]) -> Iterator[str]:
    """List the links of a page to files or anchors that are not on the disk."""
    for link in links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = Path(posixpath.normpath(page.parent / unquote(parts.path))) if parts.path else page
        if not target.exists() or (
            parts.fragment and target.suffix in (".md", ".html") and unquote(parts.fragment) not in read(target).anchors
        ):
            yield link


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a checkout as `make docs` does; `--quiet` would hide from `--strict` what it counts."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with pages of its own, which a test may spoil."""
    for entry in ROOT.iterdir():
        if entry.name == "docs":
            shutil.copytree(entry, tmp_path / "docs")
        elif entry.name not in (".git", ".venv", "build"):
            (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / "mkdocs.yml").unlink()
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_of_a_page_leads_nowhere_on_github(page: Path) -> None:
    assert list(astray(page, read(page).links + read(page).loaded)) == []


def test_no_link_of_the_site_leads_nowhere(site: Path) -> None:
    pages = [page for page in site.rglob("*.html") if page.name != "404.html"]
    assert len(pages) > 50
    lost = {str(page.relative_to(site)): list(astray(page, read(page).links + read(page).loaded)) for page in pages}
    assert {page: links for page, links in lost.items() if links} == {}


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert [url for url in read(page).loaded if urlsplit(url).netloc] == []
        assert "fonts.g" not in page.read_text(encoding="utf-8")


def test_a_file_outside_of_the_pages_is_linked_by_its_address_in_the_repository(site: Path) -> None:
    links = read(site / "architecture.html").links
    assert "https://github.com/auterity/infrastructure/blob/main/README.md" in links
    assert "https://github.com/auterity/infrastructure/tree/main/components" in links
    assert "adr/README.html" in links or "adr/index.html" in links


def test_a_pipe_in_the_code_of_a_table_is_shown_without_its_backslash(site: Path) -> None:
    assert "(mon|tue|wed" in (site / "settings/database.html").read_text(encoding="utf-8")


def test_each_link_that_leads_nowhere_and_a_page_that_no_menu_leads_to_are_refused(checkout: Path) -> None:
    with (checkout / "docs/sandbox.md").open("a") as page:
        page.write("\n[a](components/gone.md) [b](operations.md#gone-there) [c](#gone-here)\n")
    (checkout / "docs/forgotten.md").write_text("# Forgotten\n")
    done = build(checkout, checkout / "build")
    assert done.returncode != 0
    for named in ("components/gone.md", "#gone-there", "#gone-here", "forgotten.md"):
        assert named in done.stderr


@pytest.mark.parametrize("link", ["../../components/gone.py", "../../../elsewhere"])
def test_a_link_to_no_file_of_the_repository_is_refused(link: str) -> None:
    page = Page(None, File("runbooks/vault.md", None, "", False), configuration())
    with pytest.raises(PluginError, match=rf"docs/runbooks/vault\.md: {link} leads to no file of the repository"):
        on_page_markdown(f"[gone]({link})", page, configuration(), Files([]))
