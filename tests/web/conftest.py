"""What tests of the pages share: the fixtures of the site, and people who are signed in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.api import fixtures
from tests.conftest import EngineServer
from tests.web.browsers import Eyes, Orchard, Visit, need_chromium, open_browser, sign_in

_site, store = fixtures._site, fixtures.store
staff, viewer = fixtures.staff, fixtures.viewer
operator, reader = fixtures.operator, fixtures.reader


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of one file; its event loop would be in the way of others'."""
    yield from open_browser()


@pytest.fixture(scope="module")
def orchard(
    engine_server: EngineServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orchard]:
    """A site on an empty engine; the files of tests put to it what they need."""
    need_chromium()
    engine_server.client.flushdb()
    with Orchard(tmp_path_factory.mktemp("orchard"), engine_server.url) as orchard:
        yield orchard


@pytest.fixture(scope="module")
def session(orchard: Orchard, browser: Browser) -> Any:
    """What the browser of an administrator knows."""
    return sign_in(browser, orchard)


@pytest.fixture
def visit(orchard: Orchard, browser: Browser, session: Any) -> Iterator[Visit]:
    """Opens a page in a browser of its own; what its console says fails the test at its end.

    Unless it is not quiet, or says what is ``expected``, or finds out that ``gone`` is.
    """
    opened: list[tuple[BrowserContext, Eyes, str]] = []

    def visit(
        path: str = "/", *, quiet: bool = True, expected: str = "", gone: str = "", **options: Any
    ) -> Page:
        base = f"http://127.0.0.1:{orchard.port}"
        options = {"locale": "en", "base_url": base} | options
        context = browser.new_context(**options, storage_state=session)
        page = context.new_page()
        if quiet:
            opened.append((context, Eyes(page, gone), expected))
        page.goto(path)
        return page

    yield visit
    for context, _, _ in opened:
        context.close()
    for _, eyes, expected in opened:
        assert [one for one in eyes.complaints if not expected or expected not in one] == []
