"""What is doubtful is marked on the page of its job, for eyes and ears, in both languages."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils.translation import override

from orchard.domain.timeline import ChunkResult, Line
from orchard.services import edits, run
from orchard.web.sentences import tell
from tests.services.orchards import claim, complete, processing, worker
from tests.transcripts.worlds import finished

WEAK = Line(start_ms=0, end_ms=900, text="perhaps", avg_logprob=-1.4)
GOOD = Line(start_ms=1_000, end_ms=9_000, text="and then words that are clear", avg_logprob=-0.1)
MARK = "data-doubtful"


@pytest.fixture
def job_id(store) -> str:
    """A completed job with one weak line of two."""
    both = ChunkResult(text=f"{WEAK.text} {GOOD.text}", time_ms=5, segments=(WEAK, GOOD))
    return finished([both])


def page(client: Client, job_id: str, language: str = "en") -> str:
    return client.get(f"/ui/jobs/{job_id}/", headers={"Accept-Language": language}).content.decode()


def test_a_doubtful_line_is_marked_and_says_why(reader: Client, job_id: str):
    shown = page(reader, job_id)
    assert shown.count(f" {MARK}>") == 1
    assert "doubtful: improbable words" in shown
    assert "Only doubtful lines" in shown
    assert "疑わしい：確からしくない言葉" in page(reader, job_id, "ja")


def test_a_redone_chunk_says_so_in_the_table(reader: Client):
    job = processing(1)
    worker("w1"), worker("w2")
    complete(claim("w1")[0], "la " * 40)
    assert "redone: one phrase in a loop<" in page(reader, job.job_id)
    complete(claim("w2")[0], "la " * 40)
    shown = page(reader, job.job_id)
    assert "still doubtful" in shown
    assert shown.count('data-status="doubted"') == 2  # a bar, and what it means
    assert "やり直し：同じ語句の繰り返し · まだ疑わしい" in page(reader, job.job_id, "ja")


def test_the_event_is_a_sentence_whatever_stands_in_it():
    event = {"name": "chunk.doubted", "job_id": "j", "index": 3, "worker_id": "<b>"}
    with override("en"):
        assert "one phrase in a loop" in tell(event | {"reasons": ["loop"]})
        assert "&lt;i&gt;" in tell(event | {"reasons": ["<i>"]})
        assert "—" in tell(event | {"reasons": None})


def test_nobody_doubts_what_somebody_has_edited(reader: Client, job_id: str):
    run(edits.edit_line(job_id, WEAK.start_ms, "surely", was=WEAK.text, by="ann"))
    shown = page(reader, job_id)
    assert "surely" in shown
    assert f" {MARK}>" not in shown
