"""The site of the docs: it builds without a warning, leads nowhere wrong and loads nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from documentation import hooks, operations

pytestmark = pytest.mark.timeout(900)
"""Two languages and a reference are built once; a machine that does other things takes its time."""

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "docs"
LOADING = {
    "audio": "src", "embed": "src", "iframe": "src", "img": "src", "link": "href",
    "script": "src", "source": "src", "video": "src",
}  # fmt: skip
POINTING = {"canonical", "alternate", "next", "prev"}
"""Links of a page's head that nobody loads."""


class Document(HTMLParser):
    """What a page links to, what it loads, and the names that may be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attributes}
        self.names |= {said[key] for key in ("id", "name") if key in said}
        if tag == "a" and "href" in said:
            self.links.add(said["href"])
        points = POINTING & set(said.get("rel", "").split())
        if not points and said.get(LOADING.get(tag, ""), ""):
            self.loads.add(said[LOADING[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` does."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Document]:
    """All pages of the site."""
    found = {path: Document(path.read_text("utf-8")) for path in site.rglob("*.html")}
    assert len(found) > 2 * 30
    return found


def resolve(site: Path, page: Path, target: str) -> Path:
    """The file that an address on a page means."""
    path = unquote(urlsplit(target).path)
    if not path:
        return page
    found = (site / path.lstrip("/") if path.startswith("/") else page.parent / path).resolve()
    return found / "index.html" if found.is_dir() else found


def is_elsewhere(address: str) -> bool:
    return bool(urlsplit(address).netloc) or address.startswith(("mailto:", "data:"))


def test_every_link_leads_to_a_page_and_to_a_place_that_it_has(site, pages):
    broken = []
    for page, document in pages.items():
        for link in document.links:
            if is_elsewhere(link):
                continue
            target, place = resolve(site, page, link), unquote(urlsplit(link).fragment)
            is_there = target.exists() and target.is_relative_to(site)
            known = pages[target].names if target in pages else set()
            if not is_there or (place and target in pages and place not in known):
                broken.append(f"{page.relative_to(site)}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(site, pages):
    loads = {(page, address) for page, document in pages.items() for address in document.loads}
    assert {address for _, address in loads if urlsplit(address).netloc} == set()
    missing = {
        f"{page.relative_to(site)}: {address}"
        for page, address in loads
        if not is_elsewhere(address) and not resolve(site, page, address).exists()
    }
    assert missing == set()
    styles = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert "url(http" not in styles.replace('"', "").replace("'", "")
    assert "url(//" not in styles.replace('"', "").replace("'", "")


def test_every_page_of_the_docs_is_on_the_site_in_both_languages(site):
    wanted = {
        path.relative_to(SOURCES).with_suffix(".html")
        for path in SOURCES.rglob("*.md")
        if not path.name.endswith(".ja.md")
    }
    built = {path.relative_to(site) for path in site.rglob("*.html")}
    assert {path for path in wanted if path not in built or Path("ja") / path not in built} == set()


def test_a_new_page_needs_no_line_in_the_nav_and_one_in_a_new_folder_is_told_of():
    nav = [{"Guides": ["a.md", "*"]}, {"Decisions": "decisions/*"}]
    pages = {"b.md", "c.md", "decisions/1.md", "elsewhere/d.md"}
    whole = [{"Guides": ["a.md", "b.md", "c.md"]}, {"Decisions": ["decisions/1.md"]}]
    assert hooks.expand(nav, pages) == whole
    assert pages - set(hooks.named(whole)) == {"elsewhere/d.md"}  # which a strict build refuses


def test_every_operation_of_the_api_is_on_its_page_in_both_languages(site):
    document = operations.read_document()
    names = {
        operation["operationId"]
        for one in document["paths"].values()
        for verb, operation in one.items()
        if verb in operations.VERBS
    }
    assert len(names) > 50
    for page in (site / "reference" / "api.html", site / "ja" / "reference" / "api.html"):
        text = page.read_text("utf-8")
        assert [name for name in names if f"<code>{name}</code>" not in text] == []
