"""What takes several requests: waiting for jobs, following what happens."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, BinaryIO, TypeVar

from orchard_client.call import Call
from orchard_client.calls import jobs, reading, state
from orchard_client.calls.jobs import Form
from orchard_client.errors import JobNotCompleted, Unavailable, WaitedTooLong
from orchard_client.models.jobs import Job
from orchard_client.models.state import Change, Event, Health, LogLine, Namespace
from orchard_client.models.words import JobStatus
from orchard_client.sending import submit
from orchard_client.steps import Give, Items, Rest, Steps, ask
from orchard_client.uploads import Progress

T = TypeVar("T")

LOOK_FIRST_S, LOOK_LAST_S = 0.2, 3.0
"""How often to look at a job: often at first, as short ones are done soon."""
POLL_S = 25.0
"""How long one look at a feed waits for news."""
LOGS_EVERY_S = 1.0
LATE = timedelta(seconds=10)
"""Log lines may arrive so much later than they were written."""
FOREVER = math.inf
RESET = "reset"
"""The name of the event that says: some events are no longer kept."""


def health() -> Steps[Health]:
    """Whether the server can work: it answers, and so does its state engine."""
    try:
        return (yield from ask(reading.check_health()))
    except Unavailable as away:
        reason = str(away.facts.get("reason", away.reason))
        return Health(status=str(away.facts.get("status", "not ready")), reason=reason)


def wait_for_job(
    job_id: str, *, timeout_s: float | None = None, on_change: Callable[[Job], None] | None = None
) -> Steps[Job]:
    """The job once it has ended, however it has; ``on_change`` is told of each state between.

    Raises:
        WaitedTooLong: it has not ended in time; it goes on.
    """
    stop = time.monotonic() + (FOREVER if timeout_s is None else timeout_s)
    rest_s, last = LOOK_FIRST_S, None
    while True:
        job = yield from ask(jobs.get_job(job_id))
        if on_change and job != last:
            on_change(job)
        if job.status.ended:
            return job
        rest_s, last = min(rest_s * 1.3, LOOK_LAST_S), job
        left_s = stop - time.monotonic()
        if left_s <= 0:
            raise WaitedTooLong(f"job {job_id} is still {job.status} after {timeout_s:g} s")
        yield Rest(min(rest_s, left_s))


def transcribe(
    file: str | os.PathLike[str] | BinaryIO, form: Form = "txt", *, name: str | None = None,
    language: str | None = None, purifier: bool | None = None,
    idempotency_key: str | None = None, progress: Progress | None = None,
    timeout_s: float | None = None, on_change: Callable[[Job], None] | None = None,
) -> Steps[str]:  # fmt: skip
    """Hand a recording in, wait for it, and get its transcript.

    Raises:
        JobNotCompleted: it has failed, or somebody has cancelled it.
        WaitedTooLong: it has not ended in time; it goes on.
    """
    job = yield from submit(
        file, name=name, language=language, purifier=purifier, idempotency_key=idempotency_key,
        progress=progress,
    )  # fmt: skip
    job = yield from wait_for_job(job.job_id, timeout_s=timeout_s, on_change=on_change)
    require_completed(job)
    return (yield from ask(jobs.get_transcript(job.job_id, form)))


def require_completed(job: Job) -> None:
    """Let only jobs pass that have a whole transcript.

    Raises:
        JobNotCompleted: this one has ended without.
    """
    if job.status != JobStatus.COMPLETED:
        raise JobNotCompleted(job.job_id, job.status, job.error)


def follow_events(
    cursor: str = "$", *, names: Collection[str] = (), job_id: str | None = None,
    issue: int | None = None, patience_s: float = FOREVER,
) -> Items[Event]:  # fmt: skip
    """Everything that happens from a cursor on (from now on, unless given), as it happens.

    Goes on where it was when the server was away for up to ``patience_s``. ``names`` chooses
    kinds (``job``) and names (``job.advanced``). An event named ``reset`` says that some
    were missed: what is shown must be read again.
    """
    wanted = _Wanted(frozenset(names), {"job_id": job_id, "issue": issue})
    wait_s = 0.0 if cursor == "$" else POLL_S  # first of all, learn where now is
    while True:
        look = reading.list_events(cursor=cursor, limit=500, wait_s=wait_s)
        page = yield from ask(replace(look, patience_s=patience_s))
        if page.reset:
            yield Give(Event(name=RESET, cursor=page.cursor))
        for event in page.items:
            if wanted.has(event):
                yield Give(event)
        cursor, wait_s = page.cursor, POLL_S


class _Wanted:
    def __init__(self, names: frozenset[str], facts: dict[str, Any]) -> None:
        self._names = names
        self._facts = {name: value for name, value in facts.items() if value is not None}

    def has(self, event: Event) -> bool:
        named = {event.name, event.name.partition(".")[0]}
        if self._names and not self._names & named:
            return False
        return all(event.facts.get(name) == value for name, value in self._facts.items())


def watch(
    namespace: str, *, cursor: str = "", initial: bool = False, patience_s: float = FOREVER
) -> Items[Change | Namespace]:
    """Each change of a namespace from a cursor on (from now on, unless given), as it happens.

    A :class:`Namespace` comes instead of a change when all of it must be looked at anew: with
    ``initial`` first of all, and when some changes are no longer known.
    """

    def patient(call: Call[T]) -> Call[T]:
        return replace(call, patience_s=patience_s)

    while True:
        if not cursor:
            found = yield from ask(patient(state.get_namespace(namespace)))
            cursor = found.cursor
            if initial:
                yield Give(found)
        look = state.watch_namespace(namespace, cursor=cursor, wait_s=POLL_S)
        told = yield from ask(patient(look))
        for change in told.changes:
            yield Give(change)
        cursor, initial = ("", True) if told.reset else (told.cursor, initial)


def follow_logs(*, last: int = 10, patience_s: float = FOREVER, **search: Any) -> Items[LogLine]:
    """The ``last`` log lines that were found, then each new one, oldest first.

    The other arguments are those of the search. Lines that arrive late are told late.
    """
    seen = _Seen(patience_s, search)
    first = yield from ask(reading.search_logs(**search, limit=max(1, last)))
    shown = first.lines[:last][::-1]
    for line in shown + (yield from seen.begin(first.lines)):
        yield Give(line)
    while True:
        yield Rest(LOGS_EVERY_S)
        for line in (yield from seen.look()):
            yield Give(line)


class _Seen:
    """The log lines that were told of late, so that none is told twice."""

    def __init__(self, patience_s: float, search: dict[str, Any]) -> None:
        self._patience_s = patience_s
        self._search = search
        self._told: dict[str, datetime] = {}
        self._newest: datetime | None = None

    def begin(self, lines: Sequence[LogLine]) -> Steps[list[LogLine]]:
        """Take what is there now as told; what was written since, oldest first."""
        self._note(lines)
        newest = self._newest
        if newest is None:
            return []
        return [line for line in (yield from self.look()) if line.time > newest]

    def look(self) -> Steps[list[LogLine]]:
        """Lines that were not told of yet, oldest first."""
        search = dict(self._search)
        if self._newest:
            search["since"] = self._newest - LATE
        new: list[LogLine] = []
        cursor = ""
        while True:
            call = reading.search_logs(**search, limit=500, cursor=cursor)
            page = yield from ask(replace(call, patience_s=self._patience_s))
            new += [line for line in page.lines if line.id not in self._told]
            if not page.next or not page.lines:
                self._note(new)
                return new[::-1]
            cursor = page.next

    def _note(self, lines: Sequence[LogLine]) -> None:
        self._told |= {line.id: line.time for line in lines}
        self._newest = newest = max(self._told.values(), default=None)
        if newest:
            self._told = {one: at for one, at in self._told.items() if at >= newest - 2 * LATE}
