"""The page sends large files in parts: it pauses, and goes on after a reload and a lost line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.web.browsers import Orchard, need_chromium

SOON_MS = 60_000
PARTS = "**/api/v1/uploads/tus/*"
SOUND = os.urandom(12_000_000)


@pytest.fixture(scope="module")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchard]:
    """A web process alone: nobody works on what is handed in."""
    need_chromium()
    with Orchard(tmp_path_factory.mktemp("data"), "memory://") as server:
        yield server


@pytest.fixture
def page(browser: Browser, orchard: Orchard, session: Any) -> Iterator[Page]:
    """The overview."""
    context = browser.new_context(locale="en", storage_state=session)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"http://127.0.0.1:{orchard.port}/")
    yield page
    context.close()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "会議.wav"
    path.write_bytes(SOUND)
    return path


class LostLine:
    """Lets some parts through, and no more."""

    def __init__(self, page: Page, lets: int) -> None:
        self.lets = lets
        page.route(PARTS, self._pass)

    def _pass(self, route: Route) -> None:
        if route.request.method != "PATCH":
            return route.continue_()
        if self.lets == 0:
            return route.abort("internetdisconnected")
        self.lets -= 1
        return route.continue_()


def arrived(page: Page, orchard: Orchard) -> bytes:
    """What the server has of the file, once it is handed in."""
    link = page.locator(".uploading a")
    link.wait_for(timeout=SOON_MS)
    job_id = (link.get_attribute("href") or "").split("/")[3]
    return (orchard.data / "media" / "jobs" / job_id / "source.wav").read_bytes()


def test_a_large_file_goes_on_after_a_reload(page: Page, orchard: Orchard, recording: Path):
    LostLine(page, lets=1)
    with page.expect_event("requestfailed", timeout=SOON_MS):  # so the first part has arrived
        page.locator("#file").set_input_files(recording)
    expect(page.locator(".uploading .amount")).to_have_text("41 %", timeout=SOON_MS)
    page.reload()
    page.unroute(PARTS)
    offsets: list[str] = []
    page.on("request", lambda request: offsets.append(request.headers.get("upload-offset", "")))
    page.locator("#file").set_input_files(recording)
    assert arrived(page, orchard) == SOUND
    assert [one for one in offsets if one] == ["5000000", "10000000"]


def test_an_upload_can_be_paused_and_gone_on_with(page: Page, orchard: Orchard, recording: Path):
    LostLine(page, lets=1)
    page.locator("#file").set_input_files(recording)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".uploading .amount")).to_have_text("paused", timeout=SOON_MS)
    page.unroute(PARTS)
    page.get_by_role("button", name="Resume").click()
    assert arrived(page, orchard) == SOUND


def test_a_large_file_can_be_cancelled(page: Page, orchard: Orchard, recording: Path):
    """Others may lie there: one whose beginning was paused expires by itself."""
    LostLine(page, lets=1)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    with page.expect_event("requestfailed", timeout=SOON_MS):  # so the first part has arrived
        page.locator("#file").set_input_files(recording)
    expect(page.locator(".uploading .amount")).to_have_text("41 %", timeout=SOON_MS)
    assert [*(orchard.data / "media" / "parts").glob("*/content")] != []
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".uploading")).to_have_count(0, timeout=SOON_MS)
    (upload_id,) = {url.rpartition("/")[2] for url in sent if fnmatch(url, PARTS)}
    assert not (orchard.data / "media" / "parts" / upload_id).exists()
