"""Every page as people meet it who cannot see well, or use no mouse: axe finds nothing serious."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, expect

from orchard.services import engine
from statecore.domain.issues import Holder
from statecore.services import checkouts, labels, locks, namespaced
from statecore.store import open_store
from tests.web.browsers import Orchard

SERIOUS = ("serious", "critical")
PAGES = (
    "/", "/ui/jobs/", "/ui/workers/", "/ui/issues/", "/ui/issues/34/", "/ui/processes/",
    "/ui/locks/", "/ui/labels/", "/ui/state/", "/ui/state/custom/", "/ui/logs/", "/ui/events/",
    "/ui/engine/", "/ui/cleanup/", "/ui/cleanup/?kind=issues",
)  # fmt: skip


@pytest.fixture(scope="module")
def orchard(tmp_path_factory, engine_server) -> Iterator[Orchard]:
    """A site with a little of everything in it."""
    engine_server.client.flushdb()
    site = Orchard(tmp_path_factory.mktemp("site"), engine_server.url)
    site.start()
    store = open_store(engine_server.url)
    before = engine.use(store)
    for number in (33, 34, 35):
        store.run(checkouts.check_out(number, Holder(process_id=f"agent-{number}")))
    store.run(checkouts.check_in(33))
    store.run(namespaced.put("custom", "key", {"value": "日本語"}))
    store.run(locks.acquire("deploy", "somebody"))
    store.run(labels.mark_failed(store.run(labels.claim(1))[0].request_id, "no", final=True))
    yield site
    engine.use(before)
    store.close()
    site.stop()


@pytest.fixture(scope="module")
def context(browser: Browser, orchard: Orchard, session: Any) -> Iterator[BrowserContext]:
    """Somebody who is signed in."""
    base = f"http://127.0.0.1:{orchard.port}"
    context = browser.new_context(locale="en", base_url=base, storage_state=session)
    yield context
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(context: BrowserContext, scheme: str):
    page, found = context.new_page(), []
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for path in PAGES:
        answer = page.goto(path)
        assert answer
        assert answer.status == 200, path
        for one in Axe().run(page).response["violations"]:
            if one["impact"] in SERIOUS:
                found.append((path, one["id"], one["nodes"][0]["html"][:160]))
    page.close()
    assert found == []


def test_the_keyboard_alone_leads_everywhere(context: BrowserContext):
    page = context.new_page()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.goto("/")
    wanted = page.locator("header nav a").evaluate_all("links => links.map(l => l.pathname)")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.pathname || ''"))
        if set(wanted) <= set(reached):
            break
    assert set(wanted) <= set(reached)
    page.close()
