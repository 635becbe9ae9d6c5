"""The pages on issues in a real browser: two people, countdowns, the keyboard, a phone."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.web.browsers import Orchard, Visit

pytestmark = pytest.mark.slow
SOON_MS = 15_000
PATHS = ("/ui/issues/", "/ui/issues/?status=processing", "/ui/issues/7/", "/ui/processes/",
         "/ui/locks/", "/ui/labels/?status=queued")  # fmt: skip


@pytest.fixture(scope="module")
def orchard(orchard: Orchard) -> Orchard:
    """With an issue that somebody works on."""
    check_out(orchard, 7, ttl_s=600)
    return orchard


@pytest.fixture
def visit(visit: Visit) -> Visit:
    """Opens a page, and waits until it is live."""

    def live(path: str, **options: object) -> Page:
        page = visit(path, **options)
        until_live(page)
        return page

    return live


def check_out(orchard: Orchard, number: int, ttl_s: int) -> int:
    """An issue that an agent has checked out by REST; its token."""
    body = {"process_id": f"agent-{number}", "task_type": "review", "ttl_s": ttl_s}
    answer = orchard.client.post(f"/api/v1/issues/{number}/checkout", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


def until_live(page: Page) -> None:
    expect(page.locator('#connection[data-state="live"]')).to_be_visible(timeout=SOON_MS)


def test_what_one_does_another_sees_within_a_second(visit, orchard: Orchard):
    check_out(orchard, 20, ttl_s=600)
    watcher, actor = visit("/ui/issues/"), visit("/ui/issues/20/")
    expect(watcher.locator('.column[data-status="processing"] [data-key="20"]')).to_be_visible()
    actor.get_by_label("Take it back as").select_option("completed")
    actor.get_by_role("button", name="Check in").click()
    with actor.expect_response(lambda answer: answer.url.endswith("/check-in")):
        actor.get_by_role("button", name="Yes, do it").click()
    moved = watcher.locator('.column[data-status="completed"] [data-key="20"]')
    expect(moved).to_be_visible(timeout=1000)
    expect(watcher.locator('.column[data-status="processing"] [data-key="20"]')).to_have_count(0)
    expect(actor.locator(".notice").first).to_contain_text("checked in as")


def test_a_lease_counts_down_and_a_sign_of_life_renews_it_without_a_reload(visit, orchard):
    token = check_out(orchard, 21, ttl_s=300)
    page = visit("/ui/issues/")
    page.evaluate("() => { window.loadedOnce = true; }")
    left = page.locator('[data-key="21"] [data-left]')
    expect(left).to_have_text("4:57", timeout=SOON_MS)
    body = {"process_id": "agent-21", "token": token}
    answer = orchard.client.post("/api/v1/issues/21/heartbeat", json=body)
    assert answer.status_code == 200, answer.text
    page.wait_for_function(
        "() => ['5:00', '4:59'].includes("
        "document.querySelector('[data-key=\"21\"] [data-left]').textContent)",
        timeout=1500,
    )
    assert page.evaluate("window.loadedOnce")


def test_an_issue_whose_time_is_up_becomes_an_orphan_and_is_repaired(visit, orchard: Orchard):
    check_out(orchard, 22, ttl_s=3)
    page = visit("/ui/issues/")
    card = page.locator('[data-key="22"]')
    expect(card.locator(".orphan-mark")).to_be_visible(timeout=10_000)
    page.locator(".orphans").get_by_role("button", name="Repair").click()
    expect(page.locator(".preview")).to_contain_text("#22")
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.locator(".notice").first).to_contain_text("repaired")
    expect(page.locator('.column[data-status="error"] [data-key="22"]')).to_be_visible()


def test_an_issue_is_found_with_the_keyboard_alone(visit):
    page = visit("/ui/issues/")
    page.locator("#issue-q").focus()
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/ui/issues/7/$"))


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone(language, scheme, visit):
    page = visit(
        PATHS[0], locale=language, color_scheme=scheme, viewport={"width": 360, "height": 740}
    )
    for path in PATHS:
        page.goto(path)
        until_live(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_numbers_tick_without_moving_anything(visit, orchard: Orchard):
    check_out(orchard, 23, ttl_s=100)
    page = visit("/ui/issues/")
    boxes = "() => JSON.stringify([...document.querySelectorAll('.issue')].map((one) =>"
    boxes += " { const { x, y, width, height } = one.getBoundingClientRect();"
    boxes += " return [x, y, width, height]; }))"
    before = page.evaluate(boxes)
    start = page.locator('[data-key="23"] [data-left]').inner_text()
    until = time.monotonic() + SOON_MS / 1000
    while page.locator('[data-key="23"] [data-left]').inner_text() == start:
        assert time.monotonic() < until
    assert page.evaluate(boxes) == before
