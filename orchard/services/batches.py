"""Batches: what is said of several chunks, decided one after the other and written together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchard.domain import chunks, doubts, jobs, workers
from orchard.domain.chunks import Chunk, ChunkChange, check_holder
from orchard.domain.errors import BadResult, OrchardError, StaleToken
from orchard.domain.jobs import Job
from orchard.domain.lifecycle import ChunkStatus
from orchard.domain.timeline import ChunkResult
from orchard.repository import Draft, find_result, find_worker, result_cell
from orchard.services.checking import fault_of
from orchard.services.limits import chunk_policy, keeping
from orchard.services.lookups import (
    chunk_of,
    draft_chunk,
    draft_worker,
    place_of,
    require_chunk,
    require_open,
)
from orchard.services.quality import Verdict, summary_of, weigh
from orchard.services.said import Accepted, Outcome, Report, Said, Setback, Sign, make_note
from statecore.store import ops
from statecore.store.steps import Seen


class Batch:
    """Decisions one after the other, each on what the ones before it leave."""

    def __init__(self, seen: Seen, at: datetime) -> None:
        self._seen, self._at = seen, at
        self._draft = Draft(keeping(), at)
        self._jobs: dict[str, tuple[Job, Job]] = {}
        self._chunks: dict[tuple[str, int], Chunk] = {}
        self._firsts: dict[tuple[str, int], ChunkResult] = {}
        self.unread: list[ops.Cell] = []
        """What has to be read, too, before any of these decisions counts."""

    def answer(self, said: Said) -> Outcome:
        """Decide on one thing that was said."""
        try:
            job_id, index = place_of(said.chunk_id)
            if isinstance(said, Report):
                return self._complete(said, job_id, index)
            if isinstance(said, Setback):
                return self._fail(said, job_id, index)
            return self._go_on(said, job_id, index)
        except OrchardError as refusal:
            return refusal

    def note(self, url: str, said: Sequence[Said], outcomes: Sequence[Outcome]) -> None:
        """Note what a worker said in its record, if it still has one."""
        worker = find_worker(self._seen, url)
        if worker is None:
            return
        mine = [i for i, each in enumerate(said) if workers.worker_url(each.worker_id) == url]
        note = make_note([said[i] for i in mine], [outcomes[i] for i in mine])
        change = workers.hear_from(
            worker, at=self._at, gained=note.held, lost=note.lost, speeds=note.speeds
        )
        draft_worker(self._draft, change)

    def writes(self) -> tuple[ops.Write, ...]:
        """All that the decisions change."""
        for before, after in self._jobs.values():
            self._draft.job(before, after)
        return self._draft.writes()

    def _complete(self, report: Report, job_id: str, index: int) -> Accepted:
        job, chunk = self._open(job_id, index)
        if not job.is_audio and (fault := fault_of(job, chunk, report)):
            failed = self._fail(fault, job_id, index)
            raise BadResult(fault.error, status=str(failed.chunk.status))
        verdict = weigh(job, chunk, report, self._first_of)
        if verdict.is_told_again:
            return Accepted(chunk=chunk, repeated=True, doubts=verdict.doubts)
        if verdict.doubts:
            return self._doubt(job, chunk, report, verdict)
        change = chunks.complete_chunk(
            job_id, verdict.chunk, token=report.token, time_ms=report.result.time_ms,
            summary=summary_of(verdict.result), completed_chunks=job.completed_chunks,
            total_chunks=job.total_chunks, at=self._at,
        )  # fmt: skip
        if change.settled:
            self._keep(job, chunk, change)
            self._draft.result(job_id, index, verdict.result)
        return Accepted(chunk=change.chunk, repeated=not change.settled, before=chunk, job=job)

    def _doubt(self, job: Job, chunk: Chunk, report: Report, verdict: Verdict) -> Accepted:
        """Keep a doubtful first result beside, and send its chunk back."""
        change = doubts.doubt_chunk(
            job.job_id, chunk, token=report.token, reasons=verdict.doubts,
            time_ms=report.result.time_ms, summary=summary_of(verdict.result), at=self._at,
        )  # fmt: skip
        self._keep(job, chunk, change)
        self._firsts[job.job_id, chunk.index] = verdict.result
        self._draft.result(job.job_id, chunk.index, verdict.result)
        return Accepted(chunk=change.chunk, doubts=verdict.doubts, before=chunk, job=job)

    def _first_of(self, job_id: str, index: int) -> ChunkResult | None:
        """The first result of a chunk that was doubted, perhaps in this very batch."""
        if (job_id, index) in self._firsts:
            return self._firsts[job_id, index]
        cell = result_cell(job_id, index)
        if cell not in self._seen:
            self.unread.append(cell)
        return find_result(self._seen, job_id, index)

    def _fail(self, said: Setback, job_id: str, index: int) -> Accepted:
        job, chunk = self._open(job_id, index)
        check_holder(chunk, said.token)
        if chunk.status is not ChunkStatus.RUNNING:
            return Accepted(chunk=chunk, repeated=True)
        if said.handback:
            change = chunks.hand_back(job_id, chunk, said.error, at=self._at, token=said.token)
        else:
            change = chunks.fail_chunk(
                job_id, chunk, said.error, chunk_policy(), retry=said.retry, at=self._at,
                token=said.token,
            )  # fmt: skip
            change = doubts.rather_first(job, change, at=self._at)
        self._keep(job, chunk, change)
        return Accepted(chunk=change.chunk, before=chunk, job=job)

    def _go_on(self, said: Sign, job_id: str, index: int) -> Accepted:
        chunk = self._chunks.get((job_id, index)) or require_chunk(self._seen, job_id, index)
        if said.share is not None:
            change = chunks.progress_chunk(job_id, chunk, said.share, said.token, at=self._at)
            draft_chunk(self._draft, job_id, chunk, change)
            self._chunks[job_id, index] = change.chunk
            return Accepted(chunk=change.chunk)
        check_holder(chunk, said.token)
        if chunk.status is not ChunkStatus.RUNNING:
            raise StaleToken(holder=chunk.worker_id, status=str(chunk.status))
        self._draft.extend(job_id, chunk)
        return Accepted(chunk=chunk)

    def _open(self, job_id: str, index: int) -> tuple[Job, Chunk]:
        """A job and its chunk, as the decisions before leave them."""
        if job_id not in self._jobs:
            return require_open(self._seen, job_id, index)
        job = self._jobs[job_id][1]
        return job, self._chunks.get((job_id, index)) or chunk_of(self._seen, job, index)

    def _keep(self, job: Job, before: Chunk, change: ChunkChange) -> None:
        """Write a chunk, and count it in its job when it came to rest."""
        job_id = job.job_id
        self._chunks[job_id, before.index] = change.chunk
        first = self._jobs[job_id][0] if job_id in self._jobs else job
        draft_chunk(self._draft, job_id, before, change)
        if change.settled:
            counted = jobs.settle_chunk(job, change.chunk.status, at=self._at)
            self._jobs[job_id] = (first, counted.job)
            self._draft.events(counted.events)
