"""The page as a person uses it: Chromium on a whole installation."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import Error, expect, sync_playwright

from tests import recordings
from tests.foundation.launcher import ROOT

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium; missing: skipped at home, failed in CI."""
    if CHROMIUM is None:
        reason = "there is no chromium on this machine"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield launched
        launched.close()


@pytest.fixture
def page(browser, installation):
    """A page of somebody signed in by a one-time link; the console must stay silent."""
    context = browser.new_context(base_url=installation.url, locale="en-GB")
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda line: line.type == "error" and faults.append(line.text))
    page.goto(sign_in_link(installation))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    yield page
    context.close()
    assert [fault for fault in faults if "ERR_INTERNET_DISCONNECTED" not in fault] == []


def sign_in_link(installation):
    env = os.environ | {"ORCHARD_DATA": str(installation.data), "PORT": str(installation.port)}
    command = [sys.executable, "manage.py", "sign_in_link"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """A recording of several chunks."""
    path = tmp_path_factory.mktemp("speech") / "talk & <b>tea.wav"
    return recordings.write_wav(recordings.build([1.0, 2.0, 1.0, 3.0] * 5).samples, path)


def hand_in(page, path):
    """Upload a file; the address of its job's page."""
    page.set_input_files("input[type=file]", str(path))
    link = page.get_by_role("link", name=path.name).first
    expect(link).to_be_visible(timeout=20_000)
    return link.get_attribute("href")


def test_a_recording_is_handed_in_watched_and_read_without_a_reload(page, speech):
    address = hand_in(page, speech)
    page.goto(address)
    expect(page.get_by_text("completed", exact=True).first).to_be_visible(timeout=120_000)
    expect(page.get_by_text(re.compile("Dashwood")).first).to_be_visible(timeout=10_000)
    shown = page.locator("main").inner_text()
    page.reload()
    expect(page.get_by_text(re.compile("Dashwood")).first).to_be_visible()
    assert shown.count("Dashwood") == page.locator("main").inner_text().count("Dashwood")


def test_a_page_that_was_cut_off_goes_on_where_it_stopped(page, speech):
    address = hand_in(page, speech)
    page.goto(address)
    page.context.set_offline(True)
    page.wait_for_timeout(3000)
    page.context.set_offline(False)
    expect(page.get_by_text("completed", exact=True).first).to_be_visible(timeout=120_000)
    expect(page.get_by_text(re.compile("Dashwood")).first).to_be_visible(timeout=10_000)


def test_nobody_reads_without_signing_in(browser, installation):
    context = browser.new_context(base_url=installation.url)
    page = context.new_page()
    page.goto("/ui/jobs/")
    assert page.url.startswith(f"{installation.url}/login")
    context.close()


def test_a_sign_in_link_works_once(browser, installation):
    link = sign_in_link(installation)
    for usable in (True, False):
        context = browser.new_context()
        page = context.new_page()
        try:
            page.goto(link)
        except Error:
            assert not usable
        button = page.get_by_role("button", name="Sign in")
        assert button.is_visible() is usable
        if usable:
            button.click()
            page.wait_for_url("**/")
        context.close()


@pytest.mark.parametrize("address", ["/", "/ui/jobs/", "/ui/workers/"])
def test_a_phone_shows_every_page_without_scrolling_sideways(page, address):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_japanese_browser_gets_japanese(browser, installation):
    context = browser.new_context(base_url=installation.url, locale="ja-JP")
    page = context.new_page()
    page.goto("/login")
    assert page.locator("html").get_attribute("lang") == "ja"
    assert re.search("[ぁ-ん]", page.locator("body").inner_text())
    context.close()
