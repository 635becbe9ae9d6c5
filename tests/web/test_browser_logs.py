"""The page on logs in a real browser: what is said is seen, and what is read stays in its place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.server import ROOT
from tests.web.browsers import Eyes, Orchard, need_chromium

pytestmark = pytest.mark.slow
SOON_MS = 15_000
JOB = "0123456789abcdef"
IN_SIGHT = """() => [...document.querySelectorAll(".log-line")]
  .map((row) => [row.dataset.key, row.getBoundingClientRect().top]).find(([, top]) => top >= 70)"""


@pytest.fixture(scope="module")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchard]:
    """A web process; the page on logs needs nothing else."""
    need_chromium()
    with Orchard(tmp_path_factory.mktemp("orchard"), "memory://") as orchard:
        yield orchard


@pytest.fixture
def expected() -> list[str]:
    """What a test expects the console to say."""
    return []


@pytest.fixture
def page(orchard: Orchard, browser: Browser, session: Any, expected: list[str]) -> Iterator[Page]:
    """A page in another time zone; whatever else its console says fails the test at its end."""
    context = browser.new_context(
        locale="en", timezone_id="Asia/Tokyo", storage_state=session,
        base_url=f"http://127.0.0.1:{orchard.port}",
    )  # fmt: skip
    page = context.new_page()
    eyes = Eyes(page)
    yield page
    context.close()
    assert [one for one in eyes.complaints if not any(part in one for part in expected)] == []


def in_tokyo(at: datetime) -> str:
    """A moment as a field of the form shows it there."""
    return at.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%Y-%m-%dT%H:%M:%S")


def say(orchard: Orchard, *messages: str, **facts: Any) -> None:
    lines = [{"message": message, "process": "test"} | facts for message in messages]
    answer = orchard.client.post("/api/v1/logs", json={"lines": lines})
    assert answer.status_code == 201, answer.text


def test_what_is_said_is_seen_within_a_moment_where_it_belongs(orchard: Orchard, page: Page):
    say(orchard, "first <b>bold</b>", worker="kitchen-pc", job=JOB, issue=7)
    page.goto("/ui/logs/?process=test")
    texts = page.locator(".log-text")
    expect(texts.first).to_have_text("first <b>bold</b>")
    say(orchard, "second")
    expect(texts.first).to_have_text("second", timeout=3000)
    say(orchard, "third")
    expect(texts.first).to_have_text("third", timeout=3000)
    say(orchard, "of another process", process="other")
    say(orchard, "fourth")
    expect(texts.first).to_have_text("fourth", timeout=3000)
    assert "of another process" not in texts.all_text_contents()
    expect(page.get_by_role("link", name=JOB)).to_have_attribute("href", f"/ui/jobs/{JOB}/")


def test_whoever_reads_is_not_moved(orchard: Orchard, page: Page):
    say(orchard, *(f"line {i}" for i in range(120)), worker="reader")
    page.goto("/ui/logs/?worker=reader")
    expect(page.locator(".log-line")).to_have_count(100)
    page.evaluate("scrollTo({ top: 900, behavior: 'instant' })")
    before = page.evaluate(IN_SIGHT)
    say(orchard, *(f"new {i}" for i in range(10)), worker="reader")
    expect(page.locator(".log-line")).to_have_count(110, timeout=5000)
    key, top = page.evaluate(IN_SIGHT)
    assert key == before[0]
    assert abs(top - before[1]) < 2

    page.evaluate("scrollTo(0, 0)")
    page.get_by_text("Follow live").click()
    say(orchard, "held back", worker="reader")
    pill = page.locator("[data-news]")
    expect(pill).to_have_text("1 new line", timeout=5000)
    expect(page.locator(".log-line")).to_have_count(110)
    pill.click()
    expect(page.locator(".log-text").first).to_have_text("held back")

    page.get_by_role("link", name="Older").click()
    expect(page.locator(".log-line")).to_have_count(20)
    expect(page.locator(".log-text").last).to_have_text("line 0")


def test_a_search_stays_in_the_address_in_utc_and_by_keyboard(orchard: Orchard, page: Page):
    at = (datetime.now(UTC) - timedelta(days=2)).replace(minute=30, second=5, microsecond=0)
    since, until = (at + timedelta(minutes=minutes) for minutes in (-5, 5))
    say(orchard, "会議の音声を分割しました", worker="w-ja", time=at.isoformat())
    page.goto("/ui/logs/")
    page.get_by_role("searchbox").fill("音声")
    page.get_by_text("More filters").click()
    page.get_by_label("From").fill(in_tokyo(since))
    page.get_by_label("Until").fill(in_tokyo(until))
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url(f"**since={quote(f'{since:%Y-%m-%dT%H:%M:%S}.000Z')}**")
    assert "worker=" not in page.url
    expect(page.locator(".log-text")).to_have_text("会議の音声を分割しました")
    expect(page.get_by_label("From")).to_have_value(in_tokyo(since))
    expect(page.locator(".log-at")).to_contain_text(in_tokyo(at)[-8:])
    with page.expect_download() as started:
        page.get_by_role("link", name="Export").click()
    assert "会議の音声" in started.value.path().read_text("utf-8")


def test_the_audit_log_is_asked_in_the_viewers_time_as_well(page: Page):
    since = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    page.goto("/ui/access/audit/")
    expect(page.get_by_text("(UTC)")).to_have_count(0)
    page.get_by_label("From").fill(in_tokyo(since))
    page.get_by_label("Who").fill("command line")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(f"**since={quote(f'{since:%Y-%m-%dT%H:%M:%S}.000Z')}**")
    assert "action=" not in page.url
    expect(page.locator(".audit tbody tr").first).to_contain_text("user.link")
    expect(page.get_by_label("From")).to_have_value(in_tokyo(since))


def test_a_server_that_was_away_is_followed_again(
    orchard: Orchard, page: Page, expected: list[str]
):
    expected.append("503 (Service Unavailable)")
    page.goto("/ui/logs/?process=test")
    page.route("**/ui/logs/new*", lambda route: route.fulfill(status=503, body=""))
    expect(page.locator("[data-log-state]")).to_be_visible(timeout=5000)
    page.unroute("**/ui/logs/new*")
    say(orchard, "back again")
    expect(page.locator(".log-text").first).to_have_text("back again", timeout=5000)
    expect(page.locator("[data-log-state]")).to_be_hidden()


def test_the_server_and_its_commands_write_their_own_lines(orchard: Orchard, page: Page):
    orchard.client.get("/api/v1/jobs/nonsense")
    command = [sys.executable, "manage.py", "show_settings"]
    subprocess.run(command, cwd=ROOT, env=orchard.env, check=True, capture_output=True)
    page.goto("/ui/logs/?process=web&q=/api/v1/jobs/nonsense")
    expect(page.locator(".log-text").first).to_contain_text("Not Found", timeout=5000)
