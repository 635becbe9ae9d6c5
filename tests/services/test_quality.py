"""A chunk with a doubtful text is done once more, elsewhere if possible, and counts once."""

from __future__ import annotations

import msgspec
import pytest

from orchard import codec, keys
from orchard.domain.errors import StaleToken
from orchard.domain.lifecycle import ChunkStatus, JobStatus
from orchard.domain.timeline import ChunkResult, Line
from orchard.services import (
    claims,
    engine,
    fleet,
    outlooks,
    pipeline,
    quality,
    queries,
    reports,
    run,
)
from orchard.services.exchanges import exchange
from orchard.services.reports import Report
from statecore.store import ops
from tests.services.orchards import claim, name_of, processing, worker

LOOP = "Thank you for watching. " * 12
GOOD = "The family of Dashwood had long been settled in Sussex."


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    """What the process remembers of other tests' queues does not count here."""
    monkeypatch.setattr(claims, "plain_times", outlooks.PlainTimes())


@pytest.fixture
def one_store(memory_store):
    """The memory store, for what does not depend on the kind of store."""
    before = engine.use(memory_store)
    yield memory_store
    engine.use(before)


def say(held, text, **figures):
    line = Line(start_ms=0, end_ms=900, text=text, **figures)
    result = ChunkResult(text=text, time_ms=500, segments=(line,))
    return run(reports.complete(name_of(held), held.chunk.worker_id, held.chunk.token, result))


def job_of(held):
    return run(queries.get_job(held.job.job_id))


def places(store, name):
    queued, leased = store.read(
        ops.Score(keys.CHUNK_QUEUE, name), ops.Score(keys.CHUNK_LEASES, name)
    )
    return queued is not None, leased is not None


def told(store):
    tailed = store.run(queries.events_after("", limit=500))
    return [str(msgspec.json.decode(raw)["name"]) for _, raw in tailed.entries]


def test_a_doubtful_chunk_waits_again_and_the_better_text_counts(store):
    processing(1)
    worker("w1"), worker("w2")
    (first,) = claim("w1")
    answered = say(first, LOOP)
    assert set(answered.doubts) >= {"loop"}
    assert answered.chunk.status is ChunkStatus.WAITING
    assert places(store, name_of(first)) == (True, False)
    assert job_of(first).job.completed_chunks == 0
    (second,) = claim("w2")
    assert second.chunk.attempts == 1
    assert say(second, GOOD).doubts == ()
    view = job_of(first)
    assert (view.job.status, view.job.completed_chunks) == (JobStatus.AGGREGATING, 1)
    assert view.chunks[0].doubt.chosen == "second"
    text = run(queries.get_transcript(first.job.job_id)).transcript
    assert text.text == GOOD
    assert places(store, name_of(first)) == (False, False)


def test_repeated_reports_are_answered_like_the_first_whatever_happens_meanwhile(store):
    processing(1)
    worker("w1"), worker("w2")
    (first,) = claim("w1")
    doubts = say(first, LOOP).doubts
    assert (say(first, LOOP).repeated, say(first, LOOP).doubts) == (True, doubts)
    (second,) = claim("w2")
    assert (say(first, LOOP).repeated, say(first, LOOP).doubts) == (True, doubts)
    assert not say(second, GOOD).repeated
    assert say(second, GOOD).repeated
    assert say(first, LOOP).repeated
    assert told(store).count("chunk.doubted") == 1
    assert told(store).count("chunk.completed") == 1


@pytest.mark.usefixtures("one_store")
def test_when_both_are_doubtful_the_better_one_is_taken_and_marked():
    processing(1)
    worker("w1"), worker("w2")
    (first,) = claim("w1")
    say(first, "perhaps some words", avg_logprob=-1.4)
    (second,) = claim("w2")
    assert say(second, LOOP).doubts == ()
    (only,) = run(queries.get_transcript(first.job.job_id)).transcript.segments
    assert (only.text, only.doubts) == ("perhaps some words", ("improbable",))
    doubt = job_of(first).chunks[0].doubt
    assert (doubt.chosen, doubt.left) == ("first", ("improbable",))


@pytest.mark.usefixtures("one_store")
def test_the_doubted_worker_gets_something_else_while_others_are_there():
    processing(2)
    worker("w1"), worker("w2")
    (first,) = claim("w1")
    say(first, LOOP)
    (other,) = claim("w1")
    assert name_of(other) != name_of(first)
    (second,) = claim("w2")
    assert name_of(second) == name_of(first)


@pytest.mark.usefixtures("one_store")
def test_who_asks_all_the_time_keeps_it_from_nobody():
    processing(1)
    worker("w1"), worker("w2")
    (first,) = claim("w1")
    say(first, LOOP)
    assert [claim("w1") for _ in range(5)] == [[]] * 5
    assert [name_of(one) for one in claim("w2")] == [name_of(first)]


def test_the_only_worker_gets_it_again_at_once(store):
    processing(1)
    worker("w1")
    (first,) = claim("w1")
    say(first, LOOP)
    (again,) = claim("w1")
    assert (name_of(again), again.chunk.token > first.chunk.token) == (name_of(first), True)
    say(again, LOOP)
    assert job_of(first).job.status is JobStatus.AGGREGATING


@pytest.mark.usefixtures("one_store")
def test_it_gets_it_again_when_nobody_else_came_for_it(clock):
    processing(1)
    worker("w1"), worker("w2")
    (first,) = claim("w1")
    say(first, LOOP)
    assert claim("w1") == []
    clock.advance(11)
    run(fleet.heartbeat("w2"))
    (again,) = claim("w1")
    assert name_of(again) == name_of(first)


@pytest.mark.usefixtures("one_store")
def test_who_is_paused_or_serves_other_work_is_no_other():
    processing(1)
    worker("w1"), worker("w2")
    run(fleet.pause("w2"))
    run(fleet.register(name="w3", types=["text"]))
    (first,) = claim("w1")
    say(first, LOOP)
    assert [name_of(one) for one in claim("w1")] == [name_of(first)]


@pytest.mark.usefixtures("one_store")
def test_a_worker_that_gives_the_doubted_chunk_up_leaves_the_first_text():
    processing(1)
    worker("w1"), worker("w2")
    (first,) = claim("w1")
    say(first, LOOP)
    (second,) = claim("w2")
    run(reports.fail(name_of(second), "w2", second.chunk.token, "broken", retry=False))
    view = job_of(first)
    assert (view.job.status, view.job.failed_chunks) == (JobStatus.AGGREGATING, 0)
    (line,) = run(queries.get_transcript(first.job.job_id)).transcript.segments
    assert line.text == LOOP.strip()
    assert "loop" in line.doubts


@pytest.mark.usefixtures("one_store")
def test_both_results_may_come_in_one_batch_and_the_stale_one_is_refused():
    processing(2)
    worker("w1"), worker("w2")
    held = claim("w1", 2)
    say(held[0], LOOP)
    (second,) = claim("w2")
    result = ChunkResult(text=GOOD, time_ms=5)
    said = [
        Report(chunk_id=name_of(one), worker_id=who, token=one.chunk.token + more, result=result)
        for one, who, more in [(second, "w2", 0), (held[1], "w1", 0), (second, "w2", 9)]
    ]
    done = run(exchange("w2", said, max_chunks=0)).outcomes
    assert isinstance(done[2], StaleToken)
    assert [one.chunk.status for one in done[:2]] == [ChunkStatus.COMPLETED] * 2


@pytest.mark.usefixtures("one_store")
def test_when_the_first_result_is_lost_the_second_counts(one_store):
    processing(1)
    worker("w1"), worker("w2")
    (first,) = claim("w1")
    say(first, LOOP)
    one_store.commit({}, [ops.Delete((keys.results(first.job.job_id),))])
    (second,) = claim("w2")
    say(second, LOOP)
    assert job_of(first).chunks[0].doubt.chosen == "second"
    (raw,) = one_store.read(ops.Field(keys.results(first.job.job_id), "0"))
    assert "loop" in codec.decode_result(raw).segments[0].doubts


@pytest.mark.usefixtures("one_store")
def test_the_guard_can_be_switched_off(monkeypatch):
    monkeypatch.setattr(quality, "guards_quality", lambda: False)
    processing(1)
    worker()
    (held,) = claim()
    assert say(held, LOOP).doubts == ()
    assert job_of(held).job.status is JobStatus.AGGREGATING


@pytest.mark.usefixtures("one_store")
def test_the_pipeline_joins_the_text_that_counts():
    processing(1)
    worker("w1"), worker("w2")
    (first,) = claim("w1")
    say(first, LOOP)
    (second,) = claim("w2")
    say(second, GOOD)
    stage = run(pipeline.claim_stage("p1"))
    done, fields = run(pipeline.get_results(first.job.job_id))
    assert stage
    assert [one.doubt.chosen for one in done] == ["second"]
    assert queries.join_results(done, fields).text == GOOD
