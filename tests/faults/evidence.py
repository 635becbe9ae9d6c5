"""What a fleet has done, from three sides, and the checks that they tell the same story.

The sides: what agents asked and were answered (their histories), what the
stream of events says, and what the records hold in the end. Each check returns
what is wrong in words; an empty list is what every test hopes for.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from orchard import codec
from orchard.doctor.examining import examine
from orchard.domain.chunks import Chunk, chunk_id
from orchard.domain.errors import OrchardError, UnknownJob
from orchard.domain.events import ChunkCompleted, Event, JobAdvanced
from orchard.domain.lifecycle import ChunkStatus, JobStatus
from orchard.services import queries
from orchard.services.queries import JobView
from statecore.store.base import Store
from tests.state.histories import UNKNOWN, Call, is_linearizable

FOREVER = float("inf")


class Told(NamedTuple):
    """One call of an agent about one chunk, as the agent saw it."""

    what: str
    """``claim``, ``copy`` (of what another has, too) or ``complete``."""
    chunk_id: str
    token: int
    worker_id: str
    began: float
    ended: float
    """Infinite when no answer came."""
    answer: str
    """``yes``, the code of a refusal, or nothing when no answer came."""


@dataclass
class Evidence:
    """All that is known when everything has come to rest."""

    jobs: dict[str, JobView | None]
    """The jobs that had to end; ``None`` for one that is gone."""
    events: list[Event]
    told: list[Told] = field(default_factory=list)
    forgotten: frozenset[str] = frozenset()
    """Jobs that the test itself has deleted from the engine: of these nothing is expected."""


def words(told_chunk: str, worker_id: str, token: int) -> str:
    """What an agent of ours pretends to have heard; it says who did the work."""
    return f"{told_chunk} {worker_id} {token}"


def gather(
    store: Store, job_ids: Iterable[str], told: list[Told], forgotten: Iterable[str] = ()
) -> Evidence:
    """Read the records and all events."""
    jobs = {job_id: _view(store, job_id) for job_id in job_ids}
    return Evidence(jobs, list(read_events(store)), told, frozenset(forgotten))


def _view(store: Store, job_id: str) -> JobView | None:
    try:
        return store.run(queries.get_job(job_id))
    except UnknownJob:
        return None


def read_events(store: Store) -> Iterator[Event]:
    """Everything that is in the stream, in order; the state side's events are left out."""
    cursor = "0-0"
    while (tailed := store.run(queries.events_after(cursor, limit=1000))).entries:
        for _, raw in tailed.entries:
            event = codec.decode_event(raw)
            if isinstance(event, Event):
                yield event
        cursor = tailed.cursor


def read_history(path: Path) -> list[Told]:
    """What an agent wrote down: a line when it asks, and one when it is answered."""
    asked: dict[int, list[Any]] = {}
    answers: dict[int, tuple[float, str]] = {}
    for line in path.read_text().splitlines():
        try:
            number, *rest = json.loads(line)
        except ValueError:
            continue  # killed while it wrote
        if number in asked:
            answers[number] = tuple(rest)
        else:
            asked[number] = rest
    return [Told(*one, *answers.get(number, (FOREVER, ""))) for number, one in asked.items()]


# -- checks -------------------------------------------------------------------------


def find_faults(evidence: Evidence) -> list[str]:
    """Everything that is wrong, in words."""
    expected = {
        job_id: view for job_id, view in evidence.jobs.items() if job_id not in evidence.forgotten
    }
    return [
        *_ends(expected),
        *_counts(expected, evidence.events),
        *_words_and_counts(expected, evidence),
        *_refusals(evidence),
        *_histories(evidence.told),
    ]


def find_broken_invariants(store: Store, *, files: bool, pause_s: float = 0.3) -> list[str]:
    """What ``manage.py doctor`` would find."""
    found = examine(store, files=files, pause_s=pause_s)
    return [] if not found.faults else [f"doctor: {one}" for one in found.findings]


def _ends(jobs: dict[str, JobView | None]) -> Iterator[str]:
    """Every job ends, and no chunk of it is missing."""
    for job_id, view in jobs.items():
        if view is None:
            yield f"job {job_id} is gone"
        elif view.job.status is not JobStatus.COMPLETED:
            yield f"job {job_id} is {view.job.status}: {view.job.error}"
        elif [c.index for c in view.chunks if c.status is ChunkStatus.COMPLETED] != [
            *range(view.job.total_chunks)
        ]:
            yield f"job {job_id} is completed without some of its chunks"


def _counts(jobs: dict[str, JobView | None], events: list[Event]) -> Iterator[str]:
    """No chunk and no job is counted twice: the events tell each end once, and in steps of one."""
    counted: dict[str, list[ChunkCompleted]] = defaultdict(list)
    ended = Counter[str]()
    for event in events:
        if isinstance(event, ChunkCompleted):
            counted[event.job_id].append(event)
        elif isinstance(event, JobAdvanced) and event.status is JobStatus.COMPLETED:
            ended[event.job_id] += 1
    for job_id, view in jobs.items():
        if view is None or view.job.status is not JobStatus.COMPLETED:
            continue  # that is said already
        told, total = counted[job_id], view.job.total_chunks
        if sorted(one.index for one in told) != [*range(total)]:
            yield f"job {job_id}: events tell of chunks {sorted(one.index for one in told)}"
        if [one.completed_chunks for one in told] != [*range(1, total + 1)]:
            yield f"job {job_id} was counted {[one.completed_chunks for one in told]}"
        if ended[job_id] != 1:
            yield f"job {job_id} ended {ended[job_id]} times"
        holders = {one.index: one.worker_id for one in told}
        if any(holders.get(c.index) != c.worker_id for c in view.chunks):
            yield f"job {job_id}: events and records name different workers"


def _words_and_counts(jobs: dict[str, JobView | None], evidence: Evidence) -> Iterator[str]:
    """The transcript has the words of each chunk's last holder, once and in order."""
    ours = {one.worker_id for one in evidence.told}
    for job_id, view in jobs.items():
        if view is None or view.job.result is None:
            continue
        lines = [line.text for line in view.job.result.segments or ()]
        if len(lines) != view.job.total_chunks:
            yield f"job {job_id}: {len(lines)} lines for {view.job.total_chunks} chunks"
            continue
        for chunk, line in zip(view.chunks, lines, strict=True):
            name = chunk_id(job_id, chunk.index)
            if chunk.worker_id in ours and line != words(name, chunk.worker_id, chunk.token):
                yield f"{name}, held by {chunk.worker_id} with {chunk.token}, has {line!r}"


def _refusals(evidence: Evidence) -> Iterator[str]:
    """A report that was refused has left no words, and one that was accepted has."""
    chunks: dict[str, Chunk] = {}
    for job_id, view in evidence.jobs.items():
        if view and job_id not in evidence.forgotten and view.job.status is JobStatus.COMPLETED:
            chunks |= {chunk_id(job_id, chunk.index): chunk for chunk in view.chunks}
    for one in evidence.told:
        chunk = chunks.get(one.chunk_id)
        if chunk is None or one.what != "complete" or not one.answer:
            continue
        if (one.token == chunk.token) != (one.answer == "yes"):
            yield f"{one} was answered so, but {chunk.worker_id} holds it with {chunk.token}"


def _histories(told: list[Told]) -> Iterator[str]:
    """For each chunk there is an order in which a fenced lease could have answered like this."""
    by_chunk: dict[str, list[Told]] = defaultdict(list)
    for one in told:
        by_chunk[one.chunk_id].append(one)
    for name, calls in by_chunk.items():
        known = [_call(one) for one in calls if one.answer in ("yes", "")]
        if not is_linearizable(known, fenced_lease, ((), 0)):
            yield f"the history of {name} is impossible: {sorted(calls, key=lambda c: c.began)}"


def _call(one: Told) -> Call:
    return Call(one.began, one.ended, (one.what, one.token), True if one.answer else UNKNOWN)


def fenced_lease(state: Hashable, asked: tuple[Any, ...]) -> tuple[Hashable, Any]:
    """One chunk: the tokens of those who may have it, and that of who is done.

    A claim or a copy gets a greater token than any before, and none once the chunk is
    done; a claim ends what others had. A report counts with the token of somebody who has
    the chunk, and of one alone; repeating it changes nothing.
    """
    assert isinstance(state, tuple)
    (tokens, done), (what, token) = state, asked
    if what in ("claim", "copy"):
        if done or token <= max(tokens, default=0):
            return state, False
        return ((*(tokens if what == "copy" else ()), token), 0), True
    assert what == "complete", what
    if token == done or (not done and token in tokens):
        return (tokens, token), True
    return state, False


def answer_of(fault: OrchardError) -> str:
    """How a refusal is written into a history."""
    return fault.code
