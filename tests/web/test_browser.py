"""The pages in a real browser, against all real processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.recordings import build, write_wav
from tests.servers import until
from tests.web.browsers import Orchard

pytestmark = pytest.mark.slow
SOON_MS, LATE_MS = 15_000, 120_000
CHUNKS = 3
MEMORY = "() => { window.loadedOnce = true; }"

# Every picture that the map of each job shows, in order, from the moment it appears.
WATCH = """() => {
  window.pictures = {};
  const note = () => document.querySelectorAll("[data-job] [data-map]").forEach((map) => {
    const seen = window.pictures[map.closest("[data-job]").dataset.job] ??= [];
    if (seen.at(-1) !== map.dataset.cells) seen.push(map.dataset.cells);
  });
  const all = { subtree: true, childList: true, attributes: true };
  new MutationObserver(note).observe(document, all);
}"""


@pytest.fixture(scope="module")
def orchard(orchard: Orchard) -> Iterator[Orchard]:
    """With a pipeline and an agent."""
    orchard.start_workers()
    yield orchard
    orchard.stop_workers()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of three sentences, so far apart that each becomes a chunk."""
    path = tmp_path_factory.mktemp("sound") / "会議 1.wav"
    return write_wav(build([1.0] + [11.0] * (CHUNKS - 1)).samples, path)


FIRST_ROW_IN_SIGHT = """
() => [...document.querySelectorAll("[data-key], h2")]
  .find((row) => row.getBoundingClientRect().top >= 70).dataset.key
"""


TO_THE_THIRD_ROW = """
() => scrollTo(0, document.querySelectorAll("[data-key]")[2].getBoundingClientRect().top - 80)
"""


def until_live(page: Page) -> None:
    expect(page.locator('#connection[data-state="live"]')).to_be_visible(timeout=SOON_MS)


def test_a_recording_goes_in_its_chunks_move_and_its_words_are_read(visit, recording: Path):
    page = visit()
    until_live(page)
    page.evaluate(MEMORY)
    page.evaluate(WATCH)
    page.locator("#file").set_input_files(recording)
    page.locator(".uploading a").wait_for(timeout=SOON_MS)
    job_id = (page.locator(".uploading a").get_attribute("href") or "").split("/")[3]
    row = page.locator(f'[data-job="{job_id}"]')
    expect(row.locator(".job-name")).to_have_text("会議 1.wav", timeout=SOON_MS)
    expect(row).to_have_attribute("data-status", "completed", timeout=LATE_MS)
    pictures = page.evaluate("id => window.pictures[id]", job_id)
    assert pictures[-1] == "c" * CHUNKS
    assert any("r" in picture for picture in pictures)
    assert page.evaluate("window.loadedOnce")
    row.locator(".job-name").click()
    text = page.locator(".blocks").inner_text().lower()
    assert "john dashwood had then leisure to consider" in text
    said = page.locator(".said").all_inner_texts()
    page.reload()
    assert page.locator(".said").all_inner_texts() == said
    for form in ("txt", "srt", "vtt", "json"):
        with page.expect_download() as download:
            page.get_by_role("link", name=form, exact=True).click()
        assert Path(download.value.path()).stat().st_size > 50


def test_the_page_of_a_job_goes_all_the_way_without_a_reload(visit, orchard, recording: Path):
    job_id = orchard.submit(recording)
    page = visit(f"/ui/jobs/{job_id}/")
    page.evaluate(MEMORY)
    done = page.locator('.badge.large[data-status="completed"]')
    expect(done).to_be_visible(timeout=LATE_MS)
    expect(page.locator(".block .said")).not_to_have_count(0)
    expect(page.locator('tbody [data-status="completed"]')).to_have_count(CHUNKS)
    assert page.locator('[data-map="large"]').get_attribute("data-cells") == "c" * CHUNKS
    assert page.evaluate("window.loadedOnce")
    page.locator('[data-map="large"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-map-hint]")).to_contain_text(
        re.compile("Chunk 1 .*done.*test-agent")
    )


def test_whoever_reads_can_listen_search_and_copy(visit, orchard: Orchard, recording: Path):
    job_id = orchard.submit(recording)
    page = visit(f"/ui/jobs/{job_id}/", permissions=["clipboard-read", "clipboard-write"])
    done = page.locator('.badge.large[data-status="completed"]')
    expect(done).to_be_visible(timeout=LATE_MS)
    line = page.locator(".line[data-start]").last
    start_s = int(line.get_attribute("data-start") or 0) / 1000
    assert start_s > 0
    line.locator(".at").click()
    playing = "start => document.querySelector('audio').currentTime > start"
    page.wait_for_function(playing, arg=start_s, timeout=SOON_MS)
    expect(line).to_have_attribute("aria-current", "true")
    page.locator("audio").evaluate("audio => audio.pause()")
    page.locator("[data-find]").fill("LEISURE to")
    expect(page.locator(".line.found")).to_have_count(1)
    expect(page.locator("[data-found]")).to_have_text("found: 1")
    page.locator("[data-copy]").click()
    expect(page.locator("[data-copy]")).to_contain_text("Copied")
    said = page.locator(".said").all_inner_texts()
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(said)


def test_a_page_that_was_offline_misses_nothing(visit, orchard: Orchard, recording: Path):
    page = visit(quiet=False)  # the browser itself writes down a request that was on its way
    until_live(page)
    page.evaluate(MEMORY)
    page.context.set_offline(True)
    expect(page.locator("#outage")).to_contain_text("offline")
    job_id = orchard.submit(recording)
    done = page.locator(f'[data-job="{job_id}"][data-status="completed"]')
    expect(done).to_have_count(0)
    page.context.set_offline(False)
    until_live(page)
    expect(done).to_be_visible(timeout=LATE_MS)
    assert page.evaluate("window.loadedOnce")
    page.context.close()


def test_a_page_outlives_the_web_process(visit, orchard: Orchard, recording: Path):
    page = visit(quiet=False)  # the browser itself writes down that the server did not answer
    until_live(page)
    page.evaluate(MEMORY)
    orchard.stop()
    expect(page.locator('#connection[data-state="reconnecting"]')).to_be_visible(timeout=SOON_MS)
    orchard.start()
    job_id = orchard.submit(recording)
    row = page.locator(f'[data-job="{job_id}"]')
    expect(row).to_be_visible(timeout=SOON_MS)
    until_live(page)
    expect(row).to_have_attribute("data-status", "completed", timeout=LATE_MS)
    assert page.evaluate("window.loadedOnce")
    page.context.close()


def test_a_recording_is_uploaded_with_the_keyboard_alone(visit, recording: Path):
    page = visit()
    # Listened to from the start: the browser needs a moment until it hands choosers on.
    page.on("filechooser", lambda chooser: None)
    until_live(page)
    before = page.locator(".job").count()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "file":
            break
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(recording)
    expect(page.locator(".job")).to_have_count(before + 1, timeout=SOON_MS)


def test_what_cannot_be_undone_is_asked_first(visit, orchard: Orchard, recording: Path):
    job_id = orchard.submit(recording)
    page = visit(f"/ui/jobs/{job_id}/", gone=f"/ui/jobs/{job_id}/")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="No, go back").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.locator(".notice")).to_have_text("The job was deleted.")
    expect(page.locator(f'[data-job="{job_id}"]')).to_have_count(0)


def test_what_one_does_another_sees(visit, orchard: Orchard, recording: Path):
    watcher = visit("/ui/workers/")
    until_live(watcher)
    card = watcher.locator("#test-agent")
    actor = visit("/ui/workers/")
    actor.locator("#test-agent").get_by_role("button", name="Pause").click()
    expect(card.locator('.badge[data-status="paused"]')).to_be_visible(timeout=SOON_MS)
    actor.locator("#test-agent").get_by_role("button", name="Resume").click()
    expect(card.get_by_role("button", name="Pause")).to_be_visible(timeout=SOON_MS)


def test_wrong_files_are_refused_with_the_reason(visit, tmp_path: Path):
    page = visit(quiet=False)  # the browser itself writes down that the answer was an error
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    page.locator("#file").set_input_files(empty)
    failed = page.locator('.uploading[data-state="failed"]')
    expect(failed).to_contain_text("empty.wav", timeout=SOON_MS)
    expect(failed.locator(".amount")).not_to_have_text("")
    page.get_by_role("button", name="Dismiss").click()
    expect(failed).to_have_count(0)
    page.context.close()


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone(language, scheme, visit, orchard: Orchard, recording: Path):
    job_id = orchard.submit(recording)
    page = visit(
        locale=language, color_scheme=scheme, viewport={"width": 360, "height": 740},
        has_touch=True,
    )  # fmt: skip
    for path in ("/", "/ui/jobs/", f"/ui/jobs/{job_id}/", "/ui/workers/"):
        page.goto(path)
        until_live(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_everything_is_said_in_japanese(visit):
    page = visit(locale="ja")
    until_live(page)
    assert page.locator("html").get_attribute("lang") == "ja"
    expect(page.locator("#connection")).to_have_text("ライブ")
    # "Issue" is the word of the users' own Japanese documents.
    said = " ".join(page.locator("nav, h2, .tile").all_inner_texts()).replace("Issue", "")
    left = re.findall(r"[A-Za-z]{4,}", said)
    assert left == []


def _cookies(page: Page) -> dict[str, str]:
    return {one["name"]: one["value"] for one in page.context.cookies()}


def test_language_and_look_are_chosen_and_kept(visit):
    page = visit()
    page.get_by_role("button", name="日本語に切り替える").click()
    expect(page.get_by_role("link", name="ワーカー", exact=True)).to_be_visible()
    page.get_by_role("button", name="Switch to English").click()
    for look in ("light", "dark"):
        page.locator("#theme").click()
        assert page.locator("html").get_attribute("data-theme") == look
    until(lambda: {"theme": "dark"}.items() <= _cookies(page).items())  # it is kept a moment later
    page.goto("/ui/jobs/")
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_what_is_read_stays_in_its_place_while_rows_arrive(visit, orchard, recording: Path):
    for _ in range(4):
        orchard.submit(recording)
    page = visit(viewport={"width": 900, "height": 320})
    until_live(page)
    # The four jobs are worked on meanwhile: what stays is the first row wholly in sight.
    page.evaluate(TO_THE_THIRD_ROW)
    key = page.evaluate(FIRST_ROW_IN_SIGHT)
    assert key
    before = page.locator(f'[data-key="{key}"]').bounding_box()
    job_id = orchard.submit(recording)
    expect(page.locator(f'[data-job="{job_id}"]')).to_have_count(1, timeout=SOON_MS)
    after = page.locator(f'[data-key="{key}"]').bounding_box()
    assert before
    assert after
    assert abs(after["y"] - before["y"]) <= 2
