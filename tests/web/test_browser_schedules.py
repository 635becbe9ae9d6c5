"""The page of schedules in a real browser: made, changed elsewhere while one looks, deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import EngineServer
from tests.web.browsers import Eyes, Orchard, need_chromium

pytestmark = pytest.mark.slow
SOON_MS = 60_000


@pytest.fixture(scope="module")
def orchard(
    engine_server: EngineServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orchard]:
    """A site without a pipeline: nothing is handed in by itself."""
    need_chromium()
    engine_server.client.flushdb()
    orchard = Orchard(tmp_path_factory.mktemp("orchard"), engine_server.url)
    orchard.start()
    yield orchard
    orchard.stop()


def test_a_schedule_is_made_followed_and_deleted(browser: Browser, session: Any, orchard: Orchard):
    base = f"http://127.0.0.1:{orchard.port}"
    context = browser.new_context(base_url=base, locale="en", storage_state=session)
    page = context.new_page()
    eyes = Eyes(page)
    page.goto("/ui/schedules/")
    expect(page.get_by_text("There is no schedule")).to_be_visible()
    page.get_by_text("New schedule").click()
    page.get_by_label("Name", exact=True).fill("mornings")
    upload = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"one\ntwo"}
    page.get_by_label("File", exact=True).set_input_files(upload)
    page.get_by_label("Type of job").select_option("text")
    page.get_by_label("Times, as cron has them").fill("*/30 * * * *")
    page.get_by_label("Times, as cron has them").press("Enter")
    row = page.get_by_role("row", name="mornings")
    expect(row).to_contain_text("every 30 minutes", timeout=SOON_MS)
    expect(row.get_by_role("timer")).to_have_text(re.compile(r"^\d+:\d\d$"))
    with httpx.Client(base_url=f"{base}/api/v1", headers=orchard.headers, timeout=60) as api:
        (made,) = api.get("/schedules").raise_for_status().json()["schedules"]
        path = f"/schedules/{made['schedule_id']}"
        api.patch(path, json={"enabled": False}).raise_for_status()
        expect(row.locator(".badge")).to_have_text("paused", timeout=SOON_MS)
        job_id = api.post(f"{path}/run").raise_for_status().json()["job_id"]
    job = row.get_by_role("link", name="Its job mornings")
    expect(job).to_have_attribute("href", f"/ui/jobs/{job_id}/", timeout=SOON_MS)
    row.get_by_role("button", name="Delete mornings").press("Enter")
    page.get_by_role("button", name="No, go back").press("Enter")
    expect(row).to_be_visible()
    row.get_by_role("button", name="Delete mornings").press("Enter")
    page.get_by_role("button", name="Yes, do it").press("Enter")
    expect(page.get_by_text("There is no schedule", exact=True)).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_text("The schedule was deleted.")).to_be_visible()
    assert eyes.complaints == []
    context.close()
