"""Edits of a transcript: beside what was heard, by line, never over somebody else's."""

from __future__ import annotations

import msgspec
import pytest
from django.test import Client

from orchard.domain.errors import InvalidInput, TextChanged, TransitionRefused, UnknownJob
from orchard.domain.jobs import Job
from orchard.domain.timeline import ChunkResult, Line
from orchard.domain.transcripts import make_result
from orchard.models import AuditEntry
from orchard.ports import recordings
from orchard.services import edits, pipeline, queries, reports, run, submissions
from tests.services import orchards


@pytest.fixture
def job(store) -> Job:
    """A job whose transcript has two lines."""
    made = orchards.processing(1)
    orchards.worker("w1")
    claimed = orchards.claim("w1")[0]
    lines = (
        Line(start_ms=0, end_ms=900, text="Hello wrld"),
        Line(start_ms=1000, end_ms=2000, text="Bye"),
    )
    result = ChunkResult(text="Hello wrld Bye", time_ms=5, segments=lines)
    run(reports.complete(orchards.name_of(claimed), "w1", claimed.chunk.token, result))
    ready = run(pipeline.claim_stage("p1"))
    assert ready
    chunks, fields = run(pipeline.get_results(made.job_id))
    joined = queries.join_results(chunks, fields)
    recordings.save_bytes(recordings.transcript_name(made.job_id), msgspec.json.encode(joined))
    ended = make_result(joined, 7, 9999)
    run(pipeline.finish_aggregating(made.job_id, ready.stage.token, ended, chunks))
    return run(submissions.get_record(made.job_id))


def text_of(job: Job) -> list[str]:
    """The lines as people read them."""
    spoken = run(queries.get_transcript(job.job_id)).transcript
    edited = edits.apply_edits(spoken, run(edits.get_edits(job.job_id)))
    return [one.text for one in edited.segments]


def test_an_edit_stands_beside_what_was_heard(job):
    edit = run(edits.edit_line(job.job_id, 0, " Hello\n world ", was="Hello wrld", by="ann"))
    assert (edit.text, edit.by) == ("Hello world", "ann")
    assert text_of(job) == ["Hello world", "Bye"]
    assert run(queries.get_transcript(job.job_id)).transcript.segments[0].text == "Hello wrld"
    assert run(edits.edit_line(job.job_id, 0, "Hello wrld", was="Hello world", by="bob")) is None
    assert run(edits.get_edits(job.job_id)) == {}


def test_an_edit_on_what_somebody_else_has_changed_is_refused(job):
    run(edits.edit_line(job.job_id, 0, "Hello world", was="Hello wrld", by="ann"))
    with pytest.raises(TextChanged) as refused:
        run(edits.edit_line(job.job_id, 0, "Hello, world", was="Hello wrld", by="bob"))
    assert refused.value.facts["text"] == "Hello world"
    assert text_of(job)[0] == "Hello world"


@pytest.mark.parametrize("text", ["", "  ", "x" * 5001, "a\0b", "\x1b[1m"])
def test_a_text_that_will_not_do_is_refused(job, text):
    with pytest.raises(InvalidInput, match="text"):
        run(edits.edit_line(job.job_id, 0, text, was="Hello wrld", by="ann"))
    with pytest.raises(InvalidInput, match="no line begins there"):
        run(edits.edit_line(job.job_id, 5, "x", was="", by="ann"))
    assert text_of(job) == ["Hello wrld", "Bye"]


def test_only_a_whole_transcript_is_edited_and_edits_go_with_their_job(job):
    with pytest.raises(UnknownJob):
        run(edits.edit_line("none", 0, "x", was="", by="ann"))
    other = orchards.processing(1)
    orchards.complete(orchards.claim("w1")[0])
    with pytest.raises((TransitionRefused, InvalidInput)):
        run(edits.edit_line(other.job_id, 0, "x", was="words", by="ann"))
    run(edits.edit_line(job.job_id, 0, "x", was="Hello wrld", by="ann"))
    run(submissions.remove(job.job_id))
    assert run(edits.get_edits(job.job_id)) == {}


@pytest.mark.django_db
def test_lines_are_edited_on_the_page_and_downloaded(job, django_user_model):
    staff = Client()
    staff.force_login(django_user_model.objects.create_user("ann", is_staff=True))
    path = f"/ui/jobs/{job.job_id}/edit"
    given = {"start_ms": "0", "text": "<b>Hello</b>", "was": "Hello wrld"}
    assert staff.post(path, given).json() == {"text": "<b>Hello</b>", "edited": True}
    assert staff.post(path, given).status_code == 409
    assert staff.post(path, given | {"start_ms": "x", "was": "y"}).status_code == 409
    assert staff.post("/ui/jobs/none/edit", given).status_code == 404
    page = staff.get(f"/ui/jobs/{job.job_id}/").content.decode()
    assert "&lt;b&gt;Hello&lt;/b&gt;" in page
    assert "transcript.srt?edited=1" in page
    assert AuditEntry.objects.get(action="transcript.edit").facts["before"] == "Hello wrld"
    texts = [
        staff.get(f"/api/v1/jobs/{job.job_id}/transcript.txt{query}").content.decode()
        for query in ("", "?edited=1")
    ]
    assert "Hello wrld" in texts[0]
    assert "<b>Hello</b>" in texts[1]
    viewer = Client()
    viewer.force_login(django_user_model.objects.create_user("bob"))
    assert viewer.post(path, given).status_code == 403
    assert "data-edit-form" not in viewer.get(f"/ui/jobs/{job.job_id}/").content.decode()
