"""A pipeline process: stages of a few jobs side by side, and clearing up beside them."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable

from orchard.domain.errors import StorageAway
from orchard.services import (
    cleanup,
    occurrences,
    part_uploads,
    pipeline,
    queries,
    samples,
    schedules,
    stages,
)
from orchard.services.engine import EngineAway, run

log = logging.getLogger("orchard.pipeline")

STAGE_MB = 24
"""Memory that the stage of one job takes, whatever the length of its recording, in MB; the
decoder and the filters themselves are there once."""
CLEAR_EVERY_S = 1.0
STORAGE_AWAY_S = 5.0
"""Rest before the storage of recordings is asked again, in seconds."""
AWAY_S = 1.0
"""Rest before the state engine is asked again after it was away, in seconds."""
SAMPLE_EVERY_ROUNDS = round(samples.EVERY_S / CLEAR_EVERY_S)
FILES_EVERY_ROUNDS = 600


def new_holder() -> str:
    """A name for this process that no other process has, readable in the records."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


def jobs_at_once(memory_mb: int, processors: int) -> int:
    """How many jobs one process works on: a short recording need not wait for a long one."""
    return max(1, min(memory_mb // STAGE_MB, processors))


def work(stopping: threading.Event, *, holder: str, at_once: int = 1) -> None:
    """Do stages until ``stopping`` is set; those at hand are handed back then."""
    leading = threading.Event()
    beside = [
        threading.Thread(
            target=_clear, args=(stopping, holder, leading), name="reaper", daemon=True
        ),
        threading.Thread(target=_hand_in, args=(stopping, leading), name="schedules", daemon=True),
        *(
            threading.Thread(target=_work_on, args=(stopping, holder), name=f"stages-{number}")
            for number in range(2, at_once + 1)
        ),
    ]
    for thread in beside:
        thread.start()
    log.info("pipeline %s, for %d jobs at once, is ready", holder, at_once)
    _work_on(stopping, holder)
    for thread in beside:
        thread.join()


def _work_on(stopping: threading.Event, holder: str) -> None:
    waiting = _Waiting(stopping)
    while not stopping.is_set():
        _patiently(stopping, lambda: _do_next(stopping, holder, waiting))


def _do_next(stopping: threading.Event, holder: str, waiting: _Waiting) -> None:
    job = run(pipeline.claim_stage(holder))
    if job is None:
        waiting.wait()
        return
    log.info("job %s: %s begins (attempt %d)", job.job_id, job.status, job.stage.attempts)
    stages.do_stage(job, stopping)


class _Waiting:
    """Waits for the next event instead of asking the queue again and again."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._cursor = "$"

    def wait(self) -> None:
        tailed = run(queries.events_after(self._cursor, block_ms=500))
        self._cursor = tailed.cursor


def _hand_in(stopping: threading.Event, leading: threading.Event) -> None:
    """Hand in what schedules say, beside the clearing up: large files take their time."""

    def hand_in() -> None:
        if leading.is_set():
            occurrences.hand_in_due()

    while not stopping.wait(CLEAR_EVERY_S):
        _patiently(stopping, hand_in)


def _clear(stopping: threading.Event, holder: str, leading: threading.Event) -> None:
    cursor, counted, rounds = "", "", 0

    def clear() -> None:
        nonlocal cursor, counted, rounds
        if not run(cleanup.lead(holder)):
            counted = ""
            leading.clear()
            return
        leading.set()
        _, cursor = run(cleanup.clear_once(cursor))
        rounds += 1
        if rounds % SAMPLE_EVERY_ROUNDS == 0 or not counted:
            counted = run(samples.take_sample(counted))
        if rounds % FILES_EVERY_ROUNDS == 0:
            run(cleanup.delete_orphaned_files())
            part_uploads.clear()
            schedules.delete_orphaned_files()

    while not stopping.wait(CLEAR_EVERY_S):
        _patiently(stopping, clear)


def _patiently(stopping: threading.Event, do: Callable[[], None]) -> None:
    """Do one thing; a fault of the engine, or of that thing, does not end the process."""
    try:
        do()
    except EngineAway as away:
        log.warning("the state engine is away: %s", away)
        stopping.wait(AWAY_S)
    except StorageAway as away:
        log.warning("%s", away)
        stopping.wait(STORAGE_AWAY_S)
    except Exception:
        log.exception("a round of the pipeline went wrong")
        stopping.wait(AWAY_S)
