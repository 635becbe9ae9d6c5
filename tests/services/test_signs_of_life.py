"""What a sign of life puts right in a worker's record."""

from __future__ import annotations

from orchard.domain.timeline import ChunkResult
from orchard.services import fleet, queries, reports, run
from statecore.store import ops
from tests.services.orchards import claim, complete, name_of, processing, worker


def test_a_chunk_whose_report_was_noted_only_in_part_goes_off_the_record(store):
    """The process that took the report died at once; the worker's record may be elsewhere."""
    processing(2)
    worker()
    done, held = claim(count=2)
    report = reports.complete(name_of(done), "w1", done.chunk.token, _result())
    request = next(report)
    while not isinstance(request, ops.Finish):  # what follows is done without us
        request = report.send(_answer(store, request))
    report.close()
    assert name_of(held) in run(queries.get_worker("w1")).pending_chunks
    run(fleet.heartbeat("w1", [(name_of(held), held.chunk.token)]))
    assert run(queries.get_worker("w1")).pending_chunks == (name_of(held),)
    complete(held)
    assert run(queries.get_worker("w1")).pending_chunks == ()


def test_a_chunk_that_a_sign_of_life_does_not_name_stays_while_it_is_held(store):
    processing(1)
    worker()
    (held,) = claim()
    run(fleet.heartbeat("w1"))
    assert run(queries.get_worker("w1")).pending_chunks == (name_of(held),)


def _result() -> ChunkResult:
    return ChunkResult(text="words", time_ms=5)


def _answer(store, request):
    if isinstance(request, ops.Begin):
        return {}, store.now()
    if isinstance(request, ops.Locate):
        return store.locate(request.keys)
    if isinstance(request, ops.Now):
        return store.now()
    return store.perform(request)
