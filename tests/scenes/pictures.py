"""Pictures of every page of a running orchard, in each look.

python -m tests.scenes.pictures http://127.0.0.1:8000/sign-in/… FOLDER [PAGE …]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from tests.web.browsers import CHROMIUM

DESK = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 800}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESK, "locale": "en"},
    "dark-ja": {"viewport": DESK, "locale": "ja", "color_scheme": "dark"},
    "phone-ja": {"viewport": PHONE, "locale": "ja", "device_scale_factor": 2},
}
PAGES = {
    "overview": "/", "jobs": "/ui/jobs/", "search": "/ui/jobs/?q=tape&sort=name",
    "workers": "/ui/workers/", "worker": "/ui/workers/pixel-7/", "issues": "/ui/issues/",
    "processes": "/ui/processes/", "locks": "/ui/locks/",
    "labels": "/ui/labels/", "state": "/ui/state/", "namespace": "/ui/state/recordings/",
    "entry": "/ui/state/recordings/entry?key=tape-000", "logs": "/ui/logs/",
    "events": "/ui/events/",
    "engine": "/ui/engine/", "transcripts": "/ui/transcripts/?q=dashwood",
    "webhooks": "/ui/webhooks/",
    "cleanup": "/ui/cleanup/", "access": "/ui/access/",
    "tokens": "/ui/access/tokens/", "audit": "/ui/access/audit/", "me": "/ui/me/",
}  # fmt: skip
FIRST = {
    "job": ("/ui/jobs/?status=completed&q=chapter", ".job-name"),
    "busy-job": ("/ui/jobs/?status=processing&sort=-duration", ".job-name"),
    "issue": ("/ui/issues/", ".card a"),
}
"""Pages that are reached by the first link of a kind on another page."""


def take(link: str, folder: Path, wanted: list[str]) -> None:
    """Take the pictures of all pages, or of those wanted, in all looks."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        session = _sign_in(browser, link)
        parts = urlsplit(link)
        base = f"{parts.scheme}://{parts.netloc}"
        for look, options in LOOKS.items():
            context = browser.new_context(**options, base_url=base, storage_state=session)
            page = context.new_page()
            for name in wanted or [*PAGES, *FIRST]:
                _open(page, name)
                page.wait_for_timeout(400)  # charts draw themselves, and the socket connects
                page.screenshot(path=folder / f"{name}-{look}.png", full_page="phone" not in look)
            context.close()
        browser.close()


def _sign_in(browser: Browser, link: str) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url("**/")
    state = context.storage_state()
    context.close()
    return state


def _open(page: Page, name: str) -> None:
    if name in PAGES:
        page.goto(PAGES[name])
        return
    path, link = FIRST[name]
    page.goto(path)
    page.goto(page.locator(link).first.get_attribute("href") or path)


if __name__ == "__main__":
    take(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
