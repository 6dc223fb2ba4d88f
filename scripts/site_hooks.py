"""Hooks of mkdocs, so that pages which are right on GitHub are right in the site."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

_LINK = re.compile(r"(?<=\]\()(\.\./[^)\s#]*)(#[^)\s]*)?(?=\))")
"""The target of a relative link upwards, and its anchor."""

_CELL = re.compile(r"<td.*?</td>", re.DOTALL)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links that leave docs/ at the repository; mkdocs resolves and checks the others.

    Args:
        markdown: the page's text.
        page: where it stands.
        config: the site's; ``extra.repository`` is the repository's address, ``docs_dir`` the folder of the pages.
        files: the site's, unused.

    Raises:
        PluginError: a link leads to no file of the repository.
    """
    docs = Path(config.docs_dir)
    repository: str = config.extra["repository"]

    def outside(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(docs.name, posixpath.dirname(page.file.src_uri), link[1]))
        if path == docs.name or path.startswith(f"{docs.name}/"):
            return link[0]
        target = docs.parent / path
        if path.startswith("..") or not target.exists():
            raise PluginError(f"{docs.name}/{page.file.src_uri}: {link[0]} leads to no file of the repository")
        return f"{repository}/{'tree' if target.is_dir() else 'blob'}/main/{path}{link[2] or ''}"

    return _LINK.sub(outside, markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Show a pipe in the code of a table's cell as GitHub does, without the backslash that it has to be written with.

    Args:
        html: the page.
        page: where it stands, unused.
        config: the site's, unused.
        files: the site's, unused.
    """
    return _CELL.sub(lambda cell: cell[0].replace("\\|", "|"), html)
