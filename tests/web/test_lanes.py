"""The timeline of chunks by worker: who did what, when, and what failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.test import Client

from orchard.domain.chunk_records import Second, Superseded
from orchard.domain.chunks import Chunk, Failure
from orchard.domain.lifecycle import ChunkStatus
from orchard.services import reports, run
from orchard.web.lanes import draw_lanes
from tests.services import orchards

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def chunk(index: int, **options: object) -> Chunk:
    return Chunk(index=index, start_ms=0, end_ms=1000, **options)


def test_nobody_has_begun():
    assert draw_lanes([chunk(0)], T0) is None
    assert draw_lanes([], T0) is None


def test_bars_stand_where_the_work_was_done():
    done = ChunkStatus.COMPLETED
    chunks = [
        chunk(0, status=done, worker_id="b", started_at=at(0), completed_at=at(10), attempts=1),
        chunk(1, status=ChunkStatus.RUNNING, worker_id="a", started_at=at(5), attempts=2, errors=(
            Failure(at=at(4), worker_id="b", error="it <broke>", started_at=at(2)),
        )),
        chunk(2),
    ]  # fmt: skip
    picture = draw_lanes(chunks, at(20))
    assert picture is not None
    assert picture.took_s == 20
    assert [lane.worker_id for lane in picture.lanes] == ["b", "a"]
    first, second = (
        [(bar.attempt.number, bar.x, bar.width, bar.attempt.status, bar.attempt.is_retry)
         for bar in lane.bars]
        for lane in picture.lanes
    )  # fmt: skip
    assert first == [(0, 0, 500, "completed", False), (1, 100, 100, "failed", False)]
    assert second == [(1, 250, 750, "running", True)]
    assert [(lane.failed, lane.busy_s) for lane in picture.lanes] == [(1, 12), (0, 15)]
    assert [(one.number, one.error) for one in picture.attempts] == [
        (0, ""), (1, "it <broke>"), (1, ""),
    ]  # fmt: skip
    assert not picture.has_duplicates


def test_what_two_workers_had_at_once_is_a_duplicate():
    both = chunk(
        0, status=ChunkStatus.COMPLETED, worker_id="b", started_at=at(5), completed_at=at(9),
        attempts=2,
        errors=(Failure(at=at(8), worker_id="a", error="b was first", started_at=at(0)),),
    )  # fmt: skip
    alone = chunk(
        1, status=ChunkStatus.COMPLETED, worker_id="a", started_at=at(8), completed_at=at(9)
    )
    picture = draw_lanes([both, alone], at(20))
    assert picture is not None
    assert picture.has_duplicates
    assert [(one.number, one.worker_id, one.is_duplicate) for one in picture.attempts] == [
        (0, "a", True), (0, "b", True), (1, "a", False),
    ]  # fmt: skip


def test_an_attempt_that_another_overtook_is_no_failure():
    copied = chunk(
        0, status=ChunkStatus.COMPLETED, worker_id="b", started_at=at(5), completed_at=at(9),
        attempts=1, superseded=(Superseded(worker_id="a", started_at=at(0), at=at(9)),),
    )  # fmt: skip
    running = chunk(
        1, status=ChunkStatus.RUNNING, worker_id="a", started_at=at(10), attempts=1, token=1,
        second=Second(token=2, worker_id="b", worker_url="agent://b", started_at=at(12)),
    )  # fmt: skip
    picture = draw_lanes([copied, running], at(20))
    assert picture is not None
    assert picture.has_superseded
    assert all(one.is_duplicate and not one.is_retry for one in picture.attempts)
    assert [(one.worker_id, one.status, one.took_s) for one in picture.attempts] == [
        ("a", "superseded", 9), ("b", "completed", 4), ("a", "running", 10), ("b", "running", 8),
    ]  # fmt: skip
    assert [lane.failed for lane in picture.lanes] == [0, 0]


def test_one_worker_is_no_duplicate_of_itself():
    late = chunk(
        0, status=ChunkStatus.COMPLETED, worker_id="a", started_at=at(0), completed_at=at(9),
        errors=(Failure(at=at(5), worker_id="a", error="a fell silent", started_at=at(0)),),
    )  # fmt: skip
    picture = draw_lanes([late], at(20))
    assert picture is not None
    assert not picture.has_duplicates


def test_a_failed_chunk_ends_where_it_failed():
    failed = chunk(
        0, status=ChunkStatus.FAILED, worker_id="a", started_at=at(0), completed_at=at(8),
        errors=(Failure(at=at(8), worker_id="a", error="no", started_at=at(0)),),
    )  # fmt: skip
    picture = draw_lanes([failed], at(100))
    assert picture is not None
    assert picture.took_s == 8
    assert [one.status for one in picture.attempts] == ["failed"]


def test_the_page_of_a_job_shows_it(reader: Client):
    job = orchards.processing(2)
    orchards.worker("kitchen-pc")
    claimed = orchards.claim("kitchen-pc")[0]
    name = orchards.name_of(claimed)
    run(reports.fail(name, "kitchen-pc", claimed.chunk.token, "<b>it broke</b>", retry=True))
    page = reader.get(f"/ui/jobs/{job.job_id}/").content.decode()
    assert 'class="lane-name" title="kitchen-pc"' in page
    assert "&lt;b&gt;it broke&lt;/b&gt;" in page
    assert "<b>it broke" not in page
    assert 'data-status="failed"' in page
