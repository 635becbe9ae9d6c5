"""A push node from the form that adds it to its first chunk, in a real browser."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.api.server import ROOT
from tests.conftest import EngineServer
from tests.nodes import PushNode
from tests.recordings import build, write_wav
from tests.web.browsers import Eyes, Orchard, need_chromium

pytestmark = pytest.mark.slow
SOON_MS = 30_000
BACKGROUND = {
    "DJANGO_SETTINGS_MODULE": "orchard.background_settings", "ORCHARD_NODE_REST_S": "1",
    "ORCHARD_RETRY_BACKOFF_S": "0.2",
}  # fmt: skip


@pytest.fixture(scope="module")
def orchard(
    engine_server: EngineServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orchard]:
    """A site with a pipeline and a dispatcher, and no agent."""
    need_chromium()
    engine_server.client.flushdb()
    folder, networks = tmp_path_factory.mktemp("orchard"), "127.0.0.0/8"
    with Orchard(folder, engine_server.url, ORCHARD_NODE_NETWORKS=networks) as orchard:
        beside = [
            subprocess.Popen([sys.executable, "manage.py", name], cwd=ROOT, env=orchard.env | extra)
            for name, extra in (("pipeline", {}), ("dispatch", BACKGROUND))
        ]
        yield orchard
        for process in beside:
            process.terminate()
        for process in beside:
            process.wait(60)


def test_a_node_is_added_found_out_and_forgiven(orchard: Orchard, browser: Browser, tmp_path: Path):
    talk = write_wav(build([1.0]).samples, tmp_path / "talk.wav")
    base = f"http://127.0.0.1:{orchard.port}"
    context = browser.new_context(locale="en", base_url=base)
    page = context.new_page()
    eyes = Eyes(page)
    page.goto(orchard.sign_in_link())
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    with PushNode("failing") as node:
        page.goto("/ui/workers/")
        page.get_by_label("push node").fill(f"127.0.0.1:{node.port}")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_text("The node was added; it answers.")).to_be_visible()
        card = page.locator("li.worker")
        expect(card.locator(".badge")).to_have_text("idle")
        orchard.submit(talk)
        expect(card.locator(".badge")).to_have_text("fails", timeout=SOON_MS)
        expect(card.locator(".node-reason")).to_have_text(
            "it answered with an error: 500 Error: the model <b>broke</b>"
        )
        node.manner = "good"
        expect(card.locator(".badge")).to_have_text("idle", timeout=SOON_MS)
        expect(card.locator(".node-reason")).to_have_count(0)
        expect(card.locator(".worker-speed")).to_contain_text("1chunks done")
    (job,) = httpx.get(f"{base}/jobs", headers=orchard.headers).json()["jobs"]
    assert [chunk["status"] for chunk in job["chunks"]] == ["completed"]
    assert eyes.complaints == []
    context.close()
