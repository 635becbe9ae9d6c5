"""OpenAI's own client, curl, the command line and the browser: one recording, the same text."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI
from playwright.sync_api import Browser, expect

from tests.client.shell import spawn
from tests.recordings import build, write_wav
from tests.web.browsers import Eyes, Orchard

LATE_MS = 120_000


@pytest.fixture(scope="module")
def orchard(orchard: Orchard) -> Iterator[Orchard]:
    """With a pipeline and an agent."""
    orchard.start_workers()
    yield orchard
    orchard.stop_workers()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two sentences."""
    return write_wav(build([1.0, 1.0]).samples, tmp_path / "two.wav")


def heard_by_openai(url: str, token: str, recording: Path) -> str:
    with OpenAI(base_url=f"{url}/v1", api_key=token, timeout=240) as client:
        return client.audio.transcriptions.create(file=recording, model="whisper-1").text


def heard_by_curl(url: str, token: str, recording: Path) -> str:
    command = [
        "curl", "-sS", f"{url}/v1/audio/transcriptions", "-H", f"Authorization: Bearer {token}",
        "-F", f"file=@{recording}", "-F", "model=whisper-1", "-F", "response_format=text",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    return done.stdout


def heard_by_command_line(url: str, token: str, recording: Path) -> str:
    env = {"ORCHARD_URL": url, "ORCHARD_TOKEN": token}
    done = spawn(env, "submit", str(recording), "--wait")
    assert done.returncode == 0, done.stderr
    return done.stdout


def heard_by_browser(url: str, browser: Browser, session: dict, recording: Path) -> str:
    context = browser.new_context(locale="en", storage_state=session)
    page = context.new_page()
    eyes = Eyes(page)
    page.goto(f"{url}/")
    page.locator("#file").set_input_files(recording)
    link = page.locator(".uploading a")
    link.wait_for(timeout=LATE_MS)
    page.goto(url + (link.get_attribute("href") or ""))
    done = page.locator('.badge.large[data-status="completed"]')
    expect(done).to_be_visible(timeout=LATE_MS)
    expect(page.locator(".block .said")).not_to_have_count(0)
    text = " ".join(page.locator(".block .said").all_inner_texts())
    context.close()
    assert eyes.complaints == []
    return text


def test_four_ways_bring_the_same_text(orchard, browser, session, recording: Path):
    url, token = f"http://127.0.0.1:{orchard.port}", (orchard.data / "token").read_text().strip()
    heard = {
        way.__name__: way(url, token, recording).split()
        for way in (heard_by_openai, heard_by_curl, heard_by_command_line)
    }
    heard["heard_by_browser"] = heard_by_browser(url, browser, session, recording).split()
    assert "dashwood" in " ".join(heard["heard_by_openai"]).lower()
    assert len(set(map(tuple, heard.values()))) == 1, heard
