"""The timeline of chunks by worker: who did what, when, and what failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.test import Client

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
        chunk(1, status=ChunkStatus.RUNNING, worker_id="a", started_at=at(5), attempts=2,
              errors=(Failure(at=at(4), worker_id="b", error="it <broke>"),)),
        chunk(2),
    ]  # fmt: skip
    picture = draw_lanes(chunks, at(20))
    assert picture is not None
    assert picture.took_s == 20
    assert [lane.worker_id for lane in picture.lanes] == ["b", "a"]
    first, second = picture.lanes
    assert [(bar.number, bar.x, bar.width) for bar in first.bars] == [(0, 0, 500)]
    assert [(mark.number, mark.x) for mark in first.marks] == [(1, 200)]
    assert [(bar.x, bar.width, bar.status) for bar in second.bars] == [(250, 750, "running")]
    assert (first.busy_s, second.busy_s) == (10, 15)


def test_a_failed_chunk_ends_where_it_failed():
    failed = chunk(
        0, status=ChunkStatus.FAILED, worker_id="a", started_at=at(0),
        errors=(Failure(at=at(8), worker_id="a", error="no"),),
    )  # fmt: skip
    picture = draw_lanes([failed], at(100))
    assert picture is not None
    assert picture.took_s == 8


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
