"""Every page as people meet it who cannot see well, or use no mouse: axe finds nothing serious."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.api.server import ROOT
from tests.recordings import build, write_wav
from tests.web.browsers import Eyes, Orchard

SERIOUS = ("serious", "critical")
PAGES = (
    "/", "/ui/jobs/", "/ui/jobs/?q=a&sort=name", "/ui/workers/", "/ui/workers/pixel-7/",
    "/ui/issues/", "/ui/issues/633/", "/ui/processes/", "/ui/locks/", "/ui/labels/",
    "/ui/state/", "/ui/state/recordings/", "/ui/state/recordings/entry?key=tape-001", "/ui/logs/",
    "/ui/events/", "/ui/engine/", "/ui/cleanup/", "/ui/cleanup/?kind=issues", "/ui/access/",
    "/ui/access/tokens/", "/ui/access/audit/", "/ui/me/",
)  # fmt: skip
ISSUE = 633
PHONE: ViewportSize = {"width": 360, "height": 740}
SCENE = ("10", "8", "30")
"""Minutes, jobs and issues."""


@pytest.fixture(scope="module")
def orchard(orchard: Orchard, tmp_path_factory) -> Iterator[Orchard]:
    """In the middle of some work, with a little of everything in it."""
    sound = write_wav(build([1.0]).samples, tmp_path_factory.mktemp("sound") / "talk.wav")
    command = [sys.executable, "-m", "tests.scenes", str(sound), *SCENE]
    scene = subprocess.Popen(command, cwd=ROOT, env=orchard.env, stdout=subprocess.PIPE, text=True)
    assert scene.stdout
    assert "goes on" in scene.stdout.readline()
    held = {"process_id": "agent", "task_type": "review"}
    assert orchard.client.post(f"/api/v1/issues/{ISSUE}/checkout", json=held).is_success
    yield orchard
    scene.terminate()
    scene.wait(20)
    scene.stdout.close()


@pytest.fixture(scope="module")
def pages(orchard: Orchard) -> list[str]:
    """Every page, with those of a job that is done and of one that is not."""
    jobs = orchard.client.get("/api/v1/jobs", params={"status": "completed"}).json()["jobs"]
    assert jobs
    return [*PAGES, *(f"/ui/jobs/{one['job_id']}/" for one in jobs[:1])]


@pytest.fixture(scope="module")
def context(browser: Browser, orchard: Orchard, session: Any) -> Iterator[BrowserContext]:
    """Somebody who is signed in."""
    base = f"http://127.0.0.1:{orchard.port}"
    context = browser.new_context(locale="en", base_url=base, storage_state=session)
    yield context
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(
    context: BrowserContext, pages: list[str], scheme: str
):
    page, found = context.new_page(), []
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for path in pages:
        answer = page.goto(path)
        assert answer
        assert answer.status == 200, path
        for one in Axe().run(page).response["violations"]:
            if one["impact"] in SERIOUS:
                found.append((path, one["id"], one["nodes"][0]["html"][:160]))
    page.close()
    assert found == []


def fits(page: Page) -> bool:
    """Whether a page fits its screen, as soon as its pictures are drawn for the room there is."""
    stop = time.monotonic() + 3
    while page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
        if time.monotonic() > stop:
            return False
        page.wait_for_timeout(50)
    return True


def test_every_page_fits_a_phone_in_japanese_and_complains_of_nothing(
    browser: Browser, orchard: Orchard, session: Any, pages: list[str]
):
    context = browser.new_context(
        locale="ja", color_scheme="dark", viewport=PHONE, has_touch=True,
        storage_state=session, base_url=f"http://127.0.0.1:{orchard.port}",
    )  # fmt: skip
    page = context.new_page()
    eyes = Eyes(page)
    too_wide = []
    for path in pages:
        page.goto(path)
        if not fits(page):
            too_wide.append(path)
    context.close()
    assert too_wide == []
    assert eyes.complaints == []


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


def test_no_word_of_the_header_is_broken_however_wide_the_window_is(context: BrowserContext):
    page = context.new_page()
    page.goto("/")
    broken = {}
    for width in range(360, 1441, 40):
        page.set_viewport_size({"width": width, "height": 800})
        broken[width] = page.locator(".brand, .bar .tool, .bar nav a").evaluate_all(
            "all => all.filter(one => one.offsetHeight > 46).map(one => one.innerText)"
        ) + page.evaluate("innerWidth < document.documentElement.scrollWidth ? ['wider'] : []")
    page.close()
    assert {width: words for width, words in broken.items() if words} == {}
