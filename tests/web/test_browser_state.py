"""The pages on state, events and the engine in a real browser: live, and nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from statecore.services import namespaced
from statecore.store.redis import RedisStore
from tests.conftest import EngineServer
from tests.web.browsers import Orchard

pytestmark = pytest.mark.slow
SOON_MS = 15_000
LABELS = "/ui/state/config/entry?key=labels"


@pytest.fixture
def program(orchard: Orchard, engine_server: EngineServer) -> Iterator[Callable[..., None]]:
    """Sets an entry as another program does."""
    store = RedisStore(engine_server.url)
    yield lambda namespace, key, value: store.run(namespaced.put(namespace, key, value)) and None
    store.close()


def test_what_a_program_sets_is_seen_at_once(visit, program):
    program("config", "labels", {"mode": "slow"})
    page, spaces = visit(LABELS), visit("/ui/state/")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SOON_MS)
    expect(spaces.locator("#connection")).to_have_attribute("data-state", "live", timeout=SOON_MS)
    program("config", "labels", {"mode": "very fast"})
    program("planted just now", "first", 1)
    expect(page.locator(".tree")).to_contain_text("very fast", timeout=SOON_MS)
    expect(page.locator("#value")).to_have_value(re.compile("very fast"), timeout=SOON_MS)
    expect(spaces.get_by_role("link", name="planted just now")).to_be_visible(timeout=SOON_MS)


def test_faults_are_told_while_typing_and_saving_is_by_compare_and_set(visit, program):
    program("config", "labels", {"mode": "slow"})
    page = visit(LABELS, expected="409")  # browsers report refusals as errors
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SOON_MS)
    page.locator("#edit summary").click()
    area = page.get_by_label("Value as JSON")
    area.fill('{\n  "mode": "mine",\n}')
    expect(page.locator("[data-verdict]")).to_have_text("Not JSON from line 3, column 1 on")
    page.get_by_role("button", name="Go to the fault").click()
    expect(area).to_be_focused()
    area.fill('{"mode":"mine","big":12345678901234567890}')
    page.get_by_role("button", name="Tidy up").click()
    expect(area).to_have_value('{\n  "mode": "mine",\n  "big": 12345678901234567890\n}')
    program("config", "labels", {"mode": "theirs"})
    expect(page.locator("[data-moved]")).to_be_visible(timeout=SOON_MS)
    expect(area).to_have_value(re.compile("mine"))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#fault")).to_contain_text("Somebody else has changed this entry")
    expect(page.locator(".tree")).to_contain_text("theirs")
    expect(area).to_have_value(re.compile("mine"))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notices")).to_contain_text("Saved.")
    expect(page.locator(".tree")).to_contain_text("mine")


def test_keys_alone_lead_to_an_entry_and_a_saved_change(visit, program):
    program("config", "limit", 3)
    page = visit("/ui/state/config/entry?key=limit")
    page.locator("#edit summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Value as JSON")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("[4, 5]")
    expect(page.locator("[data-verdict]")).to_have_text("This is JSON")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Save")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("Saved.")
    expect(page.locator(".tree")).to_contain_text("2 items")


def test_new_events_come_by_themselves_and_never_move_what_is_read(visit, program):
    for number in range(40):
        program("notes", f"note {number}", number)
    page = visit("/ui/events/?kind=state", viewport={"width": 1000, "height": 500})
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SOON_MS)
    program("notes", "at once", 1)
    expect(page.locator(".event").first).to_contain_text("at once", timeout=SOON_MS)
    read = page.locator(".event", has_text="notes/note 20 ")
    read.scroll_into_view_if_needed()
    page.evaluate("scrollBy(0, 100)")
    before = read.bounding_box()["y"]
    program("notes", "above", 2)
    expect(page.locator(".event").first).to_contain_text("above", timeout=SOON_MS)
    assert abs(read.bounding_box()["y"] - before) <= 1
    read.locator("summary").click()
    program("notes", "while reading", 3)
    pill = page.get_by_role("button", name="1 new event")
    expect(pill).to_be_visible(timeout=SOON_MS)
    expect(page.locator(".event").first).to_contain_text("above")
    pill.click()
    expect(page.locator(".event").first).to_contain_text("while reading")


@pytest.mark.parametrize("locale", ["en", "ja"])
@pytest.mark.parametrize(
    "path", ["/ui/state/", "/ui/state/config/", LABELS, "/ui/events/", "/ui/engine/"]
)
def test_pages_fit_on_a_phone(path, locale, visit, program):
    program("config", "labels", {"a" * 300: "<b>" * 50, "list": [[[[1, 2, {"x": None}]]]]})
    page = visit(path, locale=locale, viewport={"width": 360, "height": 740})
    expect(page.locator("#main h1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_engine_page_looks_again_by_itself(visit):
    page = visit("/ui/engine/")
    rows = page.locator('[data-region="engine-rows"] tr')
    seen = rows.count()
    expect(rows).not_to_have_count(seen, timeout=SOON_MS)
