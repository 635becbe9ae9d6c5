"""Hearing: what workers say of chunks, decided on and written partition by partition.

What is said of chunks of one partition changes in one step, together with the records
of the workers when those are there, too: one round trip to the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchard.domain import workers
from orchard.domain.chunks import parse_chunk_id
from orchard.repository import chunk_cell, job_cell, worker_cell
from orchard.services import traces
from orchard.services.batches import Batch
from orchard.services.lookups import touch
from orchard.services.said import Outcome, Said, Sign, make_note
from statecore.store import ops
from statecore.store.steps import Decision, Seen, Steps, group_by_partition, locate, transact


def hear(said: Sequence[Said], *, alive: str = "") -> Steps[list[Outcome]]:
    """Decide on what workers say of chunks; one refusal does not stop the others.

    The count of a job, its next state, the result and the events change with the
    chunks or not at all. What is said again is answered like the first time. The
    records of the workers note it as a sign of life; that of ``alive`` (a URL) in
    any case.
    """
    outcomes: dict[int, Outcome] = {}
    by_url = _by_worker(said, alive)
    groups = yield from group_by_partition(list(enumerate(said)), _job_key)
    inside = yield from _find_inside(by_url, groups)
    for place, group in groups.items():
        urls = [url for url, home in inside.items() if home == place]
        done = yield from _decide_together([each for _, each in group], urls)
        outcomes |= dict(zip([number for number, _ in group], done, strict=True))
    ordered = [outcomes[number] for number in range(len(said))]
    for url, mine in by_url.items():
        if url in inside:
            continue
        note = make_note([said[i] for i in mine], [ordered[i] for i in mine])
        yield from touch(url, gained=note.held, lost=note.lost, speeds=note.speeds)
    traces.end_attempts(said, ordered)
    return ordered


def _find_inside(
    by_url: dict[str, list[int]], groups: dict[int, list[tuple[int, Said]]]
) -> Steps[dict[str, int]]:
    """The workers whose records are in the one partition that all they speak of is in."""
    homes = yield from locate(*map(_worker_key, by_url))
    places = {number: place for place, group in groups.items() for number, _ in group}
    return {
        url: home
        for url, home in zip(by_url, homes, strict=True)
        if {places[number] for number in by_url[url]} == {home}
    }


def _by_worker(said: Sequence[Said], alive: str) -> dict[str, list[int]]:
    """Which of it each worker says, by the workers' URLs."""
    found: dict[str, list[int]] = {alive: []} if alive else {}
    for number, each in enumerate(said):
        if url := workers.worker_url(each.worker_id):
            found.setdefault(url, []).append(number)
    return found


def _decide_together(said: Sequence[Said], urls: Sequence[str]) -> Steps[list[Outcome]]:
    """Decide on chunks of one partition in one step, and note it in these workers' records."""
    told = [each.chunk_id for each in said if not isinstance(each, Sign)]
    unread: list[ops.Cell] = []
    job_ids = {place[0] for name in told if (place := parse_chunk_id(name))}

    def decide(seen: Seen, at: datetime) -> Decision[list[Outcome]]:
        batch = Batch(seen, at)
        outcomes = [batch.answer(each) for each in said]
        unread[:] = batch.unread
        if unread:
            return Decision([])
        for url in urls:
            batch.note(url, said, outcomes)
        return Decision(outcomes, batch.writes())

    cells, hot = _cells(said, urls), [*job_ids, *urls]
    outcomes = yield from transact(cells, decide, hot=hot)
    while unread:  # first results that were doubted; nothing else needs them
        cells += unread
        outcomes = yield from transact(cells, decide, hot=hot)
    return outcomes


def _cells(said: Sequence[Said], urls: Sequence[str]) -> list[ops.Cell]:
    cells: dict[ops.Cell, None] = {}
    for each in said:
        if place := parse_chunk_id(each.chunk_id):
            if not isinstance(each, Sign):
                cells[job_cell(place[0])] = None
            cells[chunk_cell(*place)] = None
    return [*cells, *map(worker_cell, urls)]


def _job_key(numbered: tuple[int, Said]) -> str:
    place = parse_chunk_id(numbered[1].chunk_id)
    return job_cell(place[0]).key if place else ""


def _worker_key(url: str) -> str:
    return worker_cell(url).key
