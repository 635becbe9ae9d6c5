"""The pages as the server renders them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.test import Client

from orchard.services import claims, fleet, pipeline, queries, run, submissions
from orchard.services import engine as engine_service
from statecore.store.redis import RedisStore
from tests.services.orchards import claim, complete, processing, submit, worker

PAGES = ["/", "/ui/jobs/", "/ui/workers/", "/ui/numbers", "/ui/jobs/rows", "/ui/workers/list"]


class Outline(HTMLParser):
    """What a page is made of: its tags with attributes, and every id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def failed_job(error: str = "the file has no sound"):
    job = submit()
    stage = run(pipeline.claim_stage("p"))
    run(pipeline.fail_stage(job.job_id, stage.stage.token, error, retry=False))
    return job


@pytest.mark.parametrize("path", [*PAGES, "/ui/jobs/x/", "/ui/jobs/x/changes"])
def test_strangers_are_led_to_the_sign_in_page(path, db, client: Client):
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/login?next={path}")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_pages_render_without_any_job_or_worker(path, language, reader: Client):
    text_of(reader.get(path, headers={"accept-language": language}))


def test_an_empty_overview_teaches_how_to_begin(operator: Client):
    page = text_of(operator.get("/"))
    assert "-F file=@recording.wav http://testserver/submit" in page
    assert 'type="file"' in page


def test_whoever_may_only_look_is_offered_no_upload_and_no_buttons(reader: Client):
    job = processing(2)
    worker()
    assert 'type="file"' not in text_of(reader.get("/"))
    assert "/delete" not in text_of(reader.get(f"/ui/jobs/{job.job_id}/"))
    assert "/drain" not in text_of(reader.get("/ui/workers/"))


def test_a_job_is_shown_with_one_cell_for_each_chunk(operator: Client):
    job = processing(5)
    worker()
    held = claim(count=3)
    complete(held[0])
    page = text_of(operator.get("/"))
    assert 'data-cells="crrww"' in page
    assert "1 of 5 chunks" in page
    assert "1 chunks done, 2 in work, 2 waiting, 0 failed" in page
    assert f'href="/ui/jobs/{job.job_id}/"' in page


def test_a_map_of_a_thousand_chunks_is_seven_elements(operator: Client):
    processing(1000)
    page = Outline(text_of(operator.get("/")))
    cells = [attrs["data-cells"] for attrs in page.all("svg") if "data-map" in attrs]
    assert [len(states) for states in cells] == [1000]
    assert len([attrs for attrs in page.all("path") if attrs["class"] in set("wrpcfx")]) == 6


def test_the_job_page_shows_stages_chunks_workers_and_what_is_written_so_far(operator: Client):
    job = processing(3)
    worker("kitchen")
    held = claim("kitchen", 2)
    complete(held[0], "once upon a time")
    page = text_of(operator.get(f"/ui/jobs/{job.job_id}/"))
    assert "once upon a time" in page
    assert "partial" in page
    assert "being written down" in page
    assert "waits for a worker" in page
    assert 'aria-current="step"' in page
    assert "kitchen" in page
    for form in ("txt", "srt", "vtt", "json"):
        assert f"/api/v1/jobs/{job.job_id}/transcript.{form}" in page


def test_a_failed_job_says_why_in_the_viewers_language(operator: Client):
    job = failed_job("the file cannot be read as sound: Invalid data found")
    english = text_of(operator.get(f"/ui/jobs/{job.job_id}/"))
    assert "the file cannot be read as sound: Invalid data found" in english
    japanese = operator.get(f"/ui/jobs/{job.job_id}/", headers={"accept-language": "ja"})
    assert "ファイルを音声として読み取れません: Invalid data found" in text_of(japanese)


def test_what_people_name_their_files_is_shown_as_text(operator: Client):
    name = '"><script>alert(1)</script>.wav'
    job = run(submissions.create(name, "x", 1, owner="<i>", use_purifier=True))
    for path in ("/", f"/ui/jobs/{job.job_id}/"):
        page = text_of(operator.get(path))
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("path", ["/ui/jobs/none/", "/ui/jobs/none/changes", "/ui/jobs/%00/"])
def test_a_job_that_is_gone_has_a_page_that_says_so(path, operator: Client):
    answer = operator.get(path)
    assert answer.status_code == 404
    assert "no longer exists" in answer.content.decode()


def test_jobs_are_listed_page_by_page_and_by_state(operator: Client):
    ids = [submit().job_id for _ in range(55)]
    first = text_of(operator.get("/ui/jobs/"))
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = text_of(operator.get("/ui/jobs/" + older[1].replace("&amp;", "&")))
    seen = re.findall(r'data-job="([^"]+)"', first) + re.findall(r'data-job="([^"]+)"', second)
    assert sorted(seen) == sorted(ids)
    assert 'rel="next"' not in second
    assert "No job is in this state" in text_of(operator.get("/ui/jobs/?status=failed"))


@pytest.mark.parametrize("query", ["status=nonsense", "cursor=rubbish", "cursor=%00", "status="])
def test_wrong_addresses_of_the_list_lead_to_the_list(query, operator: Client):
    answer = operator.get(f"/ui/jobs/?{query}", follow=True)
    assert answer.status_code == 200


def test_workers_are_shown_with_what_they_do_and_how_fast_they_are(operator: Client):
    processing(4)
    worker("kitchen")
    for one in claim("kitchen", 3):
        complete(one)
    claim("kitchen", 1)
    run(fleet.pause("kitchen"))
    page = text_of(operator.get("/ui/workers/"))
    assert "talk.wav" in page
    assert 'class="sparkline"' in page
    assert "120×" in page  # a minute of sound in half a second
    assert "paused" in page
    assert "/ui/workers/kitchen/resume" in page


def test_fragments_bring_what_was_asked_for_and_leave_out_what_is_gone(operator: Client):
    job = processing(4)
    rows = text_of(operator.get(f"/ui/jobs/rows?id={job.job_id}&id=gone"))
    assert re.findall(r'data-job="([^"]+)"', rows) == [job.job_id]
    changes = text_of(operator.get(f"/ui/jobs/{job.job_id}/changes?i=2&i=x&i=99"))
    assert re.findall(r'data-index="(\d+)"', changes) == ["2"]
    assert re.findall(r'data-block="(\d+)"', changes) == ["2"]


def test_the_cursor_of_a_page_is_older_than_what_it_shows(operator: Client):
    submit()
    cursor = run(queries.events_end())
    page = text_of(operator.get("/"))
    assert f'data-cursor="{cursor}"' in page


def test_pages_need_no_inline_scripts_or_styles(operator: Client):
    job = processing(3)
    worker()
    for path in ("/", "/ui/jobs/", f"/ui/jobs/{job.job_id}/", "/ui/workers/", "/login"):
        answer = operator.get(path)
        assert "unsafe-inline" not in answer["Content-Security-Policy"]
        page = Outline(answer.content.decode())
        assert all("src" in attrs for attrs in page.all("script"))
        assert not page.all("style")
        assert not [attrs for _, attrs in page.tags if "style" in attrs or "onclick" in attrs]


def test_no_id_is_given_twice_and_every_control_has_a_name(operator: Client):
    job = processing(3)
    worker()
    for path in ("/", "/ui/jobs/", f"/ui/jobs/{job.job_id}/", "/ui/workers/"):
        page = Outline(text_of(operator.get(path)))
        ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
        assert len(ids) == len(set(ids)), path
        labels = {attrs.get("for") for attrs in page.all("label")}
        inputs = [a for a in page.all("input") if a.get("type") != "hidden"]
        assert all(a.get("id") in labels or a.get("aria-label") for a in inputs)
        assert all(a.get("aria-label") for a in page.all("progress"))


def test_the_look_is_remembered_and_nothing_else_is_believed(operator: Client):
    operator.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in text_of(operator.get("/"))
    operator.cookies["theme"] = '"><script>'
    assert 'data-theme="auto"' in text_of(operator.get("/"))


def test_pages_say_so_when_the_engine_is_away(operator: Client):
    away = RedisStore("redis://127.0.0.1:1/0")
    before = engine_service.use(away)
    try:
        for path in [*PAGES, "/ui/jobs/x/"]:
            answer = operator.get(path, {"id": "x"})
            assert (answer.status_code, answer["Retry-After"]) == (503, "2")
            assert "state engine is away" in answer.content.decode()
    finally:
        engine_service.use(before)
        away.close()


def test_reading_is_not_possible_by_post(operator: Client):
    assert operator.post("/ui/jobs/").status_code == 405


def test_claims_of_many_jobs_still_make_one_small_page(operator: Client):
    worker()
    for _ in range(3):
        processing(2)
    run(claims.claim("w1", 6))
    assert text_of(operator.get("/ui/workers/")).count("data-chunk=") == 6


def test_the_page_of_a_worker_tells_its_speeds_and_what_it_says_of_itself(reader: Client):
    processing(2)
    run(fleet.register(name="kitchen-pc", metadata={"model": "<script>alert(1)</script>"}))
    complete(claim("kitchen-pc")[0])
    claim("kitchen-pc")
    page = text_of(reader.get("/ui/workers/kitchen-pc/"))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert page.count('<td class="number">0.5 s</td>') == 1
    assert "?worker=kitchen-pc" in page
    assert "data-refresh" in page
    assert reader.get("/ui/workers/nobody/").status_code == 404
    assert reader.get("/ui/workers/bad%20name/").status_code == 404
