"""Pages of what waits, in a real browser: a job without a worker, and what webhooks were sent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.api.server import ROOT
from tests.conftest import EngineServer
from tests.web.browsers import Eyes, Orchard, need_chromium
from tests.webhooks.receivers import Receiver

pytestmark = pytest.mark.slow
SOON_MS = 60_000


@pytest.fixture(scope="module")
def orchard(
    engine_server: EngineServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orchard]:
    """A site with a pipeline and no agent, which may send webhooks to this machine."""
    need_chromium()
    engine_server.client.flushdb()
    orchard = Orchard(tmp_path_factory.mktemp("orchard"), engine_server.url)
    orchard.env["ORCHARD_WEBHOOK_NETWORKS"] = "127.0.0.0/8"
    orchard.start()
    beside = subprocess.Popen([sys.executable, "manage.py", "pipeline"], cwd=ROOT, env=orchard.env)
    yield orchard
    beside.terminate()
    beside.wait(60)
    orchard.stop()


@pytest.fixture
def api(orchard: Orchard) -> Iterator[httpx.Client]:
    """The site's API, for an administrator."""
    base = f"http://127.0.0.1:{orchard.port}/api/v1"
    with httpx.Client(base_url=base, headers=orchard.headers, timeout=60) as client:
        yield client


def test_a_job_tells_what_it_lacks_until_a_worker_is_there(
    browser: Browser, session: Any, orchard: Orchard, api: httpx.Client
):
    files, form = {"file": ("a.txt", b"one\ntwo")}, {"type": "text", "requires": "gpu"}
    job_id = api.post("/jobs", files=files, data=form).raise_for_status().json()["job_id"]
    page = _page(browser, session, orchard)
    eyes = Eyes(page)
    page.goto(f"/ui/jobs/{job_id}/")
    lack = page.locator('[data-part="lack"]')
    expect(lack).to_contain_text("No worker is online.", timeout=SOON_MS)
    expect(page.locator(".title-line .badge")).to_have_text("working")
    for worker in ({"name": "w1", "types": ["text"]}, {"name": "w2", "types": ["text"],
                                                        "labels": ["gpu"]}):  # fmt: skip
        api.post("/workers", json=worker).raise_for_status()
        if worker["name"] == "w1":
            expect(lack).to_contain_text("has the labels gpu.", timeout=SOON_MS)
    expect(lack).to_have_count(0, timeout=SOON_MS)
    assert eyes.complaints == []
    page.context.close()


def test_deliveries_appear_as_they_are_made_and_what_is_read_stays_open(
    browser: Browser, session: Any, orchard: Orchard, api: httpx.Client
):
    with Receiver("503") as receiver:
        made = api.post("/webhooks", json={"url": receiver.url, "types": ["issue.orphaned"]})
        webhook_id = made.raise_for_status().json()["webhook_id"]
        page = _page(browser, session, orchard)
        eyes = Eyes(page)
        page.goto(f"/ui/webhooks/{webhook_id}/")
        expect(page.get_by_text("Nothing was sent")).to_be_visible()
        api.post(f"/webhooks/{webhook_id}/test").raise_for_status()
        row = page.locator(".deliveries tbody tr")
        expect(row).to_have_count(1, timeout=SOON_MS)
        expect(row).to_contain_text("503", timeout=SOON_MS)
        expect(page.get_by_text("Nothing was sent")).to_be_hidden()
        row.locator("summary").click()
        expect(row.locator("details")).to_have_attribute("open", "")
        receiver.manner = "200"
        row.get_by_role("button").click()
        expect(row.locator(".badge")).to_have_text("delivered", timeout=SOON_MS)
        assert eyes.complaints == []
        page.context.close()


def _page(browser: Browser, session: Any, orchard: Orchard) -> Any:
    base = f"http://127.0.0.1:{orchard.port}"
    return browser.new_context(locale="en", base_url=base, storage_state=session).new_page()
