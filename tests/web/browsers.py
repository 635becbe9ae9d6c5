"""A real orchard for browser tests: web process, pipeline and agent on a real engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.api.server import ROOT, Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
Visit = Callable[..., Page]
"""Opens the page at a path."""
WHY = "Chromium is not installed (Debian package chromium)"


def need_chromium() -> str:
    """The browser's path; without one the test is skipped, or fails where nothing may be."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail(WHY)
        pytest.skip(WHY)
    return CHROMIUM


def open_browser() -> Iterator[Browser]:
    """A Chromium of the machine's own."""
    path = need_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Orchard(Server):
    """All processes that a recording meets on its way."""

    def start_workers(self) -> None:
        """Start the pipeline and one agent."""
        token = self.data / "worker_token"
        agent = ["-m", "orchard.agent", "--name", "test-agent", "--token-file", str(token)]
        agent += ["--master", f"http://127.0.0.1:{self.port}", "--threads", "2"]
        self.workers = [
            subprocess.Popen([sys.executable, *command], cwd=ROOT, env=self.env)
            for command in (["manage.py", "pipeline"], agent)
        ]

    def stop_workers(self) -> None:
        for process in self.workers:
            process.terminate()
        for process in self.workers:
            process.wait(60)

    def sign_in_link(self) -> str:
        """A one-time link for the administrator."""
        command = [sys.executable, "manage.py", "sign_in_link"]
        told = subprocess.run(
            command, cwd=ROOT, env=self.env, check=True, capture_output=True, text=True
        )
        return next(word for word in told.stdout.split() if word.startswith("http"))

    def submit(self, path: Path) -> str:
        """Hand in a recording as a script would; its job's id."""
        with path.open("rb") as file:
            url = f"http://127.0.0.1:{self.port}/submit"
            files = {"file": (path.name, file)}
            answer = httpx.post(url, headers=self.headers, files=files, timeout=30)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()["job_id"]


class Eyes:
    """Collects what a page complains about on its console.

    What it shows may be deleted while it looks: then it may find out that ``gone`` is.
    """

    def __init__(self, page: Page, gone: str = "") -> None:
        self.complaints: list[str] = []
        self._gone = gone
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        url = str(message.location.get("url"))
        if self._gone and url.endswith(self._gone) and " 404 " in message.text:
            return
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({url})")


def sign_in(browser: Browser, orchard: Orchard) -> Any:
    """What a browser knows after a one-time link was used in it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(orchard.sign_in_link())
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"http://127.0.0.1:{orchard.port}/")
    state = context.storage_state()
    context.close()
    return state
