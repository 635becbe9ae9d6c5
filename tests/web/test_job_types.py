"""Pages of jobs that are no recordings: type, priority, labels, time, result; in both languages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from orchard.domain.orders import Order
from orchard.services import fleet, run
from tests.jobtypes.works import claim, complete, hand_in, work_on
from tests.services import orchards


def text_job(clock, **order):
    job = hand_in("<b>one</b>\ntwo", "<i>names</i>.txt", job_type="text", **order)
    work_on(clock, 1)
    return job


def page_of(client: Client, path: str, language: str = "en") -> str:
    return client.get(path, headers={"accept-language": language}).content.decode()


def test_a_batch_shows_what_it_is_and_leads_to_its_output(operator, clock):
    job = text_job(clock, priority=8)
    run(fleet.register(name="w1", types=["text"]))
    (held,) = claim("w1")
    complete(held, '"<b>1</b>"\n2')
    work_on(clock, 1)
    shown = page_of(operator, f"/ui/jobs/{job.job_id}/")
    for words in ("Text batch", "priority 8", ">Result<", f"/api/v1/jobs/{job.job_id}/output"):
        assert words in shown
    assert "&lt;b&gt;1&lt;/b&gt;" in shown
    assert "<b>1</b>" not in shown
    assert "speech" not in shown


def test_a_job_that_waits_says_for_whom_and_until_when(operator, clock):
    job = hand_in(
        "one", job_type="text", requires=("gpu",), run_at=clock.now() + timedelta(hours=9)
    )
    shown = page_of(operator, f"/ui/jobs/{job.job_id}/")
    assert "only for workers with gpu" in shown
    assert f"{job.run_at:%Y-%m-%d %H:%M} UTC</time>" in shown
    assert "workers do their pieces" in shown
    assert "Purify" not in shown
    japanese = page_of(operator, f"/ui/jobs/{job.job_id}/", "ja")
    for words in ("テキストの一括処理", "gpu を持つワーカーだけ", "開始予定"):
        assert words in japanese


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("No worker that is online does this type of work: Text batch.", "Start an agent")),
        (
            "ja",
            (
                "この種類の作業をするワーカーがオンラインにいません：テキストの一括処理。",
                "エージェント",
            ),
        ),
    ],
)
def test_a_job_whose_type_nobody_does_says_so_and_what_helps(operator, clock, language, words):
    job = text_job(clock)
    run(fleet.register(name="w1"))
    page, part = f"/ui/jobs/{job.job_id}/", f"/ui/jobs/{job.job_id}/changes"
    for path in (page, part):
        shown = page_of(operator, path, language)
        assert 'data-part="lack"' in shown
        assert "data-waits" in shown
        for word in words:
            assert word in shown
    run(fleet.register(name="w2", types=["text"]))
    shown = page_of(operator, part, language)
    assert 'data-part="lack"' not in shown
    assert "data-waits" in shown
    assert claim("w2")
    assert "data-waits" not in page_of(operator, part, language)


def test_hostile_labels_are_shown_as_text(operator, clock):
    job = text_job(clock, requires=("<b>x</b>",))
    run(fleet.register(name="w1", types=["text"]))
    shown = page_of(operator, f"/ui/jobs/{job.job_id}/")
    assert "has the labels &lt;b&gt;x&lt;/b&gt;." in shown


@pytest.mark.parametrize(
    ("language", "other", "sound"),
    [("en", "working", "processing"), ("ja", "処理中", "文字起こし中")],
)
def test_only_a_recording_is_being_transcribed(operator, clock, language, other, sound):
    text = text_job(clock)
    recording = orchards.processing(1)
    for job, word in ((text, other), (recording, sound)):
        shown = page_of(operator, f"/ui/jobs/{job.job_id}/", language)
        assert f'<span class="dot" aria-hidden="true"></span>{word}</span>' in shown
    listed = page_of(operator, "/ui/jobs/", language)
    for word in (other, sound):
        assert f'<span class="dot" aria-hidden="true"></span>{word}</span>' in listed


def test_only_a_recording_has_places(operator, clock):
    for job, shows in ((text_job(clock), False), (orchards.processing(1), True)):
        shown = page_of(operator, f"/ui/jobs/{job.job_id}/", "en")
        assert ('class="job-page without-sound"' in shown) is not shows


def test_a_worker_shows_its_types_and_labels(operator):
    run(fleet.register(name="w1", types=["audio", "text", "gone"], labels=["gpu", "site=x"]))
    shown = page_of(operator, "/ui/workers/w1/")
    assert "Recording, Text batch, gone" in shown
    assert "<code>gpu</code> <code>site=x</code>" in shown


@pytest.mark.parametrize(("language", "word"), [("en", "Text batch"), ("ja", "テキストの一括処理")])
def test_the_upload_form_offers_the_types(operator, language, word):
    shown = page_of(operator, "/", language)
    assert f'<option value="text">{word}</option>' in shown
    assert 'name="run_at"' in shown


def test_a_plain_recording_looks_as_it_did(operator):
    job = orchards.submit()
    shown = page_of(operator, f"/ui/jobs/{job.job_id}/")
    for word in ("priority", "only for workers", "not before", ">Result<"):
        assert word not in shown
    assert Order() == Order(priority=job.priority, job_type=job.job_type)
