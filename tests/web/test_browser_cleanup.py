"""Cleaning by hand in two real browsers: one acts, the other sees it within a second."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from orchard.cleaning.deeds import DEEDS
from orchard.services import engine, run, submissions
from statecore.services import labels, locks, namespaced
from statecore.store.redis import RedisStore
from tests.conftest import EngineServer
from tests.services import orchards
from tests.web.browsers import Eyes, Orchard
from tests.web.cleanup_cases import CASES, box_of, forget_jobs

pytestmark = pytest.mark.slow
SOON_MS = 15_000
SEEN_MS = 1_000 * float(os.environ.get("ORCHARD_TEST_PATIENCE", "1"))
"""How long after its result an action may take to be seen by others."""
NOT_THERE = "status of 404"
"""What a browser says of each address that is not there (any more): it cannot be kept from it."""


@pytest.fixture(scope="module")
def store(orchard: Orchard, engine_server: EngineServer) -> Iterator[RedisStore]:
    """The engine of the site, for services that this process runs beside it."""
    store = RedisStore(engine_server.url)
    before = engine.use(store)
    yield store
    engine.use(before)
    store.close()


class Person:
    """Somebody in a browser of their own; what its console says fails the test at its end."""

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.eyes = Eyes(self.page)

    def go(self, path: str) -> Page:
        """Open a page, and wait until it is live, if it is one that is."""
        self.page.goto(path)
        if self.page.locator("#connection").count():
            live = self.page.locator('#connection[data-state="live"]')
            expect(live).to_be_visible(timeout=SOON_MS)
        return self.page

    def prepare(self, deed: str, tick: Callable[[Page], None], filters: str = "") -> Page:
        """Select things for an action, and look at the preview."""
        page = self.page
        page.goto(f"/ui/cleanup/?kind={DEEDS[deed].kind}{filters}")
        tick(page)
        page.locator(f'button[name=deed][value="{deed}"]').click()
        expect(page.locator("[data-run][data-state=previewed]")).to_be_visible(timeout=SOON_MS)
        return page

    def confirm(self) -> Page:
        """Press the button of the preview, and wait for the result."""
        self.page.locator('form[action$="/begin"] button').click()
        expect(self.page.locator("[data-run][data-state=done]")).to_be_visible(timeout=SOON_MS)
        return self.page


@pytest.fixture(scope="module")
def people(orchard: Orchard, browser: Browser, session: Any) -> Iterator[tuple[Person, Person]]:
    base = f"http://127.0.0.1:{orchard.port}"
    options = {"locale": "en", "base_url": base, "storage_state": session}
    contexts = [browser.new_context(**options) for _ in range(2)]
    yield Person(contexts[0]), Person(contexts[1])
    for context in contexts:
        context.close()


@pytest.fixture
def two(people: tuple[Person, Person], store: RedisStore) -> Iterator[tuple[Person, Person]]:
    """Two people who are signed in."""
    forget_jobs()
    yield people
    for person in people:
        person.page.goto("about:blank")
    told = [one for person in people for one in person.eyes.complaints]
    for person in people:
        person.eyes.complaints.clear()
    assert [one for one in told if NOT_THERE not in one] == []


def test_every_action_has_a_case():
    assert CASES.keys() == DEEDS.keys()


@pytest.mark.parametrize("deed", DEEDS)
def test_what_one_does_another_sees_within_a_second(deed, two, store):
    """A machine that is at something else for a moment gets three turns to show it."""
    times_ms = [seen_after_ms(deed, two, store)]
    while times_ms[-1] >= SEEN_MS and len(times_ms) < 3:
        times_ms.append(seen_after_ms(deed, two, store))
    assert times_ms[-1] < SEEN_MS


def seen_after_ms(deed, two, store) -> float:
    actor, watcher = two
    planted = CASES[deed](store)
    watcher.go(planted.watched)
    expect(watcher.page.locator(planted.before).first).to_be_visible(timeout=SOON_MS)
    page = actor.prepare(deed, lambda page: box_of(page, planted).check(), planted.filters)
    expect(page.locator(".touched li")).to_have_count(1)
    expect(page.locator(".touched")).to_contain_text(planted.name)
    expect(watcher.page.locator(planted.before).first).to_be_visible()
    actor.confirm()
    since = time.monotonic()
    expect(page.locator("[data-run-done]")).to_have_text("1")
    expect(page.locator("[data-run-skipped]")).to_have_text("0")
    expect(watcher.page.locator(planted.after).first).to_be_visible(timeout=SOON_MS)
    return 1000 * (time.monotonic() - since)


def test_of_two_who_clean_the_same_the_second_is_told(two):
    first, second = two
    names = [orchards.submit().job_id for _ in range(3)]
    for person in two:
        person.prepare("job.cancel", lambda page: page.locator("[name=all]").check())
        expect(person.page.locator(".touched li")).to_have_count(3)
    first.confirm()
    expect(first.page.locator("[data-run-done]")).to_have_text("3")
    second.confirm()
    expect(second.page.locator("[data-run-done]")).to_have_text("0")
    expect(second.page.locator("[data-run-skipped]")).to_have_text("3")
    for name in names:
        told = second.page.locator(".skipped li", has_text=name)
        expect(told).to_contain_text("The state it is in now does not allow this.")


def test_of_two_at_one_run_the_second_sees_it_done(two):
    first, second = two
    orchards.submit()
    page = first.prepare("job.cancel", lambda page: page.locator("[name=all]").check())
    second.go(page.url)
    first.confirm()
    done = second.page.locator("[data-run][data-state=done]")
    expect(done).to_be_visible(timeout=2 * SEEN_MS)


def test_what_vanishes_before_it_is_confirmed_is_skipped_and_told(two):
    actor, _ = two
    gone, stays = (orchards.submit().job_id for _ in range(2))
    actor.prepare("job.cancel", lambda page: page.locator("[name=all]").check())
    run(submissions.remove(gone))
    page = actor.confirm()
    expect(page.locator("[data-run-done]")).to_have_text("1")
    expect(page.locator(".skipped li")).to_have_count(1)
    expect(page.locator(".skipped li")).to_contain_text(gone)
    expect(page.locator(".skipped li")).to_contain_text("This job no longer exists")
    assert run(submissions.get_record(stays)).status == "cancelled"


def test_a_filter_that_matches_nothing_says_so_and_leads_to_nothing(two):
    actor, _ = two
    orchards.submit()
    page = actor.go("/ui/cleanup/?kind=jobs&q=no-such-name")
    expect(page.locator("form.selection")).to_contain_text("The filter matches nothing")
    page.locator("[name=all]").check()
    page.locator('button[value="job.delete"]').click()
    expect(page.locator("[data-run]")).to_contain_text("The filter matches nothing")
    expect(page.locator('form[action$="/begin"]')).to_have_count(0)


def test_the_list_and_the_counts_are_live_and_what_is_ticked_stays(two, store):
    _, watcher = two
    first = orchards.submit().job_id
    page = watcher.go("/ui/cleanup/?kind=jobs")
    expect(page.locator("tbody tr")).to_have_count(1)
    orchards.submit()
    expect(page.locator("tbody tr")).to_have_count(2, timeout=SOON_MS)
    page.locator(f"tr[data-key='{first}'] input").check()
    expect(page.locator("[data-ticked]")).to_have_text("1 selected")
    run(submissions.cancel(first))
    CASES["label.retry"](store)
    given_up = str(run(labels.count_by_status())[labels.FAILED])
    expect(page.locator("[data-kind=labels] .count")).to_have_text(given_up, timeout=SOON_MS)
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator(f"tr[data-key='{first}'] input")).to_be_checked()
    page.locator(f"tr[data-key='{first}'] input").uncheck()
    orchards.submit()
    expect(page.locator("tbody tr")).to_have_count(3, timeout=SOON_MS)


def test_an_entry_is_edited_from_the_list_and_what_does_not_parse_is_not_lost(two):
    actor, _ = two
    run(namespaced.put("custom", "limit", {"n": 1}))
    page = actor.go("/ui/cleanup/?kind=entries&namespace=custom&q=limit")
    page.get_by_role("link", name="Edit: custom/limit").click()
    expect(page.locator('#connection[data-state="live"]')).to_be_visible(timeout=SOON_MS)
    page.locator("#edit summary").click()
    area = page.get_by_label("Value as JSON")
    area.fill('{\n  "n": oops\n}')
    expect(page.locator("[data-verdict]")).to_contain_text("line 2, column 8")
    expect(area).to_have_value('{\n  "n": oops\n}')
    area.fill('{"n": 2}')
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notices")).to_contain_text("Saved.")


def test_the_keyboard_alone_is_enough(two):
    actor, _ = two
    run(locks.acquire("by-keyboard", "me", 600_000))
    page = actor.go("/ui/cleanup/?kind=locks&q=by-keyboard")
    page.locator("form.filter-row [name=q]").focus()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "name":
            break
    page.keyboard.press("Space")
    expect(page.locator("[data-ticked]")).to_have_text("1 selected")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "lock.release":
            break
    page.keyboard.press("Enter")
    expect(page.locator("[data-run][data-state=previewed]")).to_be_visible(timeout=SOON_MS)
    page.locator("#main").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('form')?.action ?? ''").endswith("/begin"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("[data-run][data-state=done]")).to_be_visible(timeout=SOON_MS)
    expect(page.locator("[data-run-done]")).to_have_text("1")


def test_a_phone_has_room_for_it(two):
    actor, _ = two
    orchards.submit()
    actor.page.set_viewport_size({"width": 360, "height": 740})
    try:
        for kind in ("jobs", "entries&namespace=custom", "expired"):
            page = actor.go(f"/ui/cleanup/?kind={kind}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, kind
        page = actor.prepare("job.cancel", lambda page: page.locator("[name=all]").check())
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    finally:
        actor.page.set_viewport_size({"width": 1280, "height": 720})
