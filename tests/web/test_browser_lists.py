"""The lists of jobs and workers in a real browser: found, and live while a search is on."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from orchard.services import fleet, submissions
from statecore.store.redis import RedisStore
from tests.api.server import ROOT
from tests.conftest import EngineServer
from tests.web.browsers import Orchard, Visit

pytestmark = pytest.mark.slow
SOON_MS = 15_000
FOLLOW = """
import threading, django; django.setup()
from orchard.catalogue import process
process.start(threading.Event(), "test").join()
"""
NAMES = ("weekly meeting.wav", "会議の録音.m4a", "interview with a customer.mp3", "memo.ogg")


class Program:
    """What another program does to the engine."""

    def __init__(self, store: RedisStore) -> None:
        self.run = store.run

    def submit(self, name: str) -> str:
        """A job that waits for a pipeline process."""
        steps = submissions.create(name, "jobs/x/source.wav", 5_000_000, owner="ann",
                                   use_purifier=True)  # fmt: skip
        return self.run(steps).job_id


@pytest.fixture(scope="module")
def program(engine_server: EngineServer) -> Iterator[Program]:
    store = RedisStore(engine_server.url)
    yield Program(store)
    store.close()


@pytest.fixture(scope="module")
def orchard(orchard: Orchard, program: Program) -> Iterator[Orchard]:
    """With a process that follows the jobs, and no pipeline to work on them."""
    for name in NAMES:
        program.submit(name)
    for name in ("kitchen-pc", "attic-phone"):
        program.run(fleet.register(name=name))
    follower = subprocess.Popen([sys.executable, "-c", FOLLOW], cwd=ROOT, env=orchard.env)
    yield orchard
    follower.kill()
    follower.wait()


@pytest.fixture
def visit(visit: Visit) -> Visit:
    """Opens a page, and waits until it is live."""

    def live(path: str, **options: object) -> Page:
        page = visit(path, **options)
        expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SOON_MS)
        return page

    return live


def listed(page: Page):
    return page.locator("#jobs .job-name")


def found(page: Page, text: str) -> None:
    """Search with the keyboard until the catalogue knows the jobs."""
    stop = time.monotonic() + SOON_MS / 1000
    while time.monotonic() < stop:
        page.get_by_role("searchbox", name="Search jobs by name or id").fill(text)
        page.keyboard.press("Enter")
        page.wait_for_load_state("load")
        if listed(page).count():
            return
    raise AssertionError(f"{text} was not found")


def test_a_search_finds_jobs_and_new_ones_come_into_it_by_themselves(visit, program: Program):
    page = visit("/ui/jobs/")
    for name in NAMES:
        expect(listed(page).filter(has_text=name).first).to_be_visible()
    found(page, "会議")
    expect(listed(page)).to_have_text([NAMES[1]])
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SOON_MS)
    program.submit("another.wav")
    program.submit("会議 2.wav")
    expect(listed(page)).to_have_text(["会議 2.wav", NAMES[1]], timeout=SOON_MS)


def test_in_another_order_new_jobs_announce_themselves_and_wait(visit, program: Program):
    page = visit("/ui/jobs/")
    found(page, "m")
    page.get_by_label("Order").select_option("name")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"q=m&sort=name"))
    before = listed(page).all_text_contents()
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SOON_MS)
    program.submit("a memo.wav")
    pill = page.get_by_role("link", name="One more job matches: show it")
    expect(pill).to_be_visible(timeout=SOON_MS)
    assert listed(page).all_text_contents() == before
    pill.click()
    expect(listed(page).first).to_have_text("a memo.wav", timeout=SOON_MS)


def test_a_row_changes_in_place_while_a_search_is_on(visit, program: Program):
    job_id = program.submit("doomed memo.wav")
    page = visit("/ui/jobs/?q=doomed")
    found(page, "doomed")
    row = page.locator(f'[data-job="{job_id}"]')
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SOON_MS)
    program.run(submissions.cancel(job_id))
    expect(row.locator(".badge")).to_have_text("cancelled", timeout=SOON_MS)


def test_a_worker_is_found_and_stays_found(visit, program: Program):
    page = visit("/ui/workers/")
    page.get_by_role("searchbox").fill("kitchen")
    page.keyboard.press("Enter")
    expect(page.locator(".worker h2")).to_have_text(["kitchen-pc"])
    expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SOON_MS)
    program.run(fleet.heartbeat("kitchen-pc"))
    program.run(fleet.pause("kitchen-pc"))
    expect(page.locator(".worker .badge")).to_have_text(["paused"], timeout=SOON_MS)


LOOKS = {
    "light": {}, "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}}, "ja": {"locale": "ja"},
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", ["/ui/jobs/?q=m&sort=name", "/ui/jobs/?q=none&status=failed",
                                  "/ui/workers/?q=attic&sort=heard"])  # fmt: skip
def test_lists_fit_on_every_screen(look, path, visit):
    page = visit(path, **LOOKS[look])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
