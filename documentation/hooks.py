"""What mkdocs calls while it builds the site: pages from outside docs/, and a nav that is whole."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from documentation import operations

ROOT = Path(__file__).parents[1]
PROJECT = {
    "README.md": "index.md", "README.ja.md": "index.ja.md",
    "CHANGELOG.md": "project/changelog.md", "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md", "LICENSE": "project/licence.md",
    "deploy/systemd/README.md": "operations/systemd.md",
}  # fmt: skip
"""Files of the project that are pages of the site, too; docs/ has a line in place of each."""
SOURCES = {page: source for source, page in PROJECT.items()}
_LINK = re.compile(r"(\]\()([^)#\s:]+)((?:#[^)\s]*)?\))")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_OTHER_LANGUAGE = re.compile(r"\[(?:日本語|English)\]\(README[\w.]*\.md\) · ")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replace each pattern of the nav by the pages that no other line names."""
    pages = sorted(
        path.relative_to(config.docs_dir).as_posix()
        for path in Path(config.docs_dir).rglob("*.md")
        if not path.name.endswith(".ja.md")
    )
    config.nav = expand(config.nav, set(pages) - set(named(config.nav)))
    return config


def named(nav: Any) -> list[str]:
    """The pages that a nav names, by path."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in named(part)]


def expand(nav: Any, rest: set[str]) -> Any:
    """The nav with pages in place of its patterns; a star does not go into folders."""
    if isinstance(nav, dict):
        return {title: expand(part, rest) for title, part in nav.items()}
    if not isinstance(nav, list):
        return [page for page in sorted(rest) if _fits(page, nav)] if "*" in nav else nav
    found: list[Any] = []
    for part in nav:
        pages = expand(part, rest)
        found += pages if isinstance(part, str) and "*" in part else [pages]
    return found


def _fits(page: str, pattern: str) -> bool:
    return posixpath.dirname(page) == posixpath.dirname(pattern)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put the files that pages link to into the site."""
    for path in sorted(linked_files(ROOT / "docs")):
        files.append(File.generated(config, f"files/{path}", abs_src_path=str(ROOT / path)))
    return files


def read_project_page(source: str) -> str:
    """A file of the project as a page: without the link to itself in another language."""
    text = (ROOT / source).read_text("utf-8")
    if source == "LICENSE":
        return f"# Licence\n\n```text\n{text}```\n"
    return _OTHER_LANGUAGE.sub("", text)


def linked_files(folder: Path) -> set[str]:
    """The files outside of docs/ that some page links to and that are no pages, from the root."""
    sources = [*folder.rglob("*.md"), *(ROOT / name for name in PROJECT)]
    targets = {
        posixpath.normpath(posixpath.join(path.parent.relative_to(ROOT).as_posix(), link[2]))
        for path in sources
        for link in _LINK.finditer(_FENCE.sub("", path.read_text("utf-8")))
    }
    return {one for one in targets if not one.startswith("docs/") and one not in PROJECT}


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let links lead where the site has what they mean; put in what is made from code."""
    here = page.file.src_uri
    source = SOURCES.get(here, f"docs/{here}")
    text = read_project_page(source) if here in SOURCES else markdown

    def lead(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[2]))
        way = posixpath.relpath(site_path(target), posixpath.dirname(here) or ".")
        return link[1] + way + link[3]

    linked = _LINK.sub(lead, text)
    if operations.PLACE in linked:
        tables = operations.tables(operations.read_document())
        return linked.replace(operations.PLACE, tables)
    return linked


def site_path(path: str) -> str:
    """Where the site has a file of the project; it finds a page's language by itself."""
    path = path.replace(".ja.md", ".md") if path.startswith("docs/") else path
    if path in PROJECT:
        return PROJECT[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else f"files/{path}"
