"""Lacks: which job waits for a worker that there is not, and what is said of it."""

from datetime import UTC, datetime

import msgspec
import pytest

from orchard.domain import workers
from orchard.domain.chunks import Chunk
from orchard.domain.jobs import create_job
from orchard.domain.lacks import SAYINGS, Lack, Reason, find_lack, tell, waits
from orchard.domain.lifecycle import ChunkStatus, JobStatus, WorkerStatus
from orchard.domain.orders import Order

AT = datetime(2026, 1, 1, tzinfo=UTC)


def job(status="processing", **order):
    made = create_job(
        "0123456789abcdef", "a.txt", "s", 5, owner="ann", use_purifier=False, language="",
        at=AT, order=Order(**order),
    ).job  # fmt: skip
    return msgspec.structs.replace(made, status=JobStatus(status))


def worker(*types, **held):
    made = workers.register_worker(
        None, "agent://w", mode="pull", concurrency=1, metadata={}, at=AT, types=types
    ).worker
    return workers.direct_worker(made, at=AT, **held).worker


@pytest.mark.parametrize(
    ("status", "chunks", "expected"),
    [
        ("processing", "waiting completed", True), ("processing", "waiting running", False),
        ("processing", "completed failed", False), ("created", "", False),
        ("failed", "waiting", False), ("splitting", "waiting", False),
    ],
)  # fmt: skip
def test_a_job_waits_whose_chunks_wait_while_none_is_at_work(status, chunks, expected):
    pieces = [
        Chunk(index=i, start_ms=0, end_ms=1, status=ChunkStatus(one))
        for i, one in enumerate(chunks.split())
    ]
    assert waits(job(status), pieces) is expected


def test_what_is_lacking_is_told_by_who_is_there():
    wanting = job(job_type="text", requires=("gpu",))
    does_it, other = worker("audio", "text"), worker("audio")
    assert find_lack(wanting, [], []).reason is Reason.NO_WORKER
    assert find_lack(wanting, [other], []).reason is Reason.NO_TYPE
    without = find_lack(wanting, [other, does_it], [])
    assert (without.reason, without.labels) == (Reason.NO_LABELS, ("gpu",))
    held = [worker("text", paused=True), worker("text", draining=True)]
    assert find_lack(wanting, [other, *held], held).reason is Reason.ALL_HELD
    assert find_lack(wanting, [*held, does_it], [*held, does_it]) is None


def test_a_silent_worker_takes_no_more():
    silent = msgspec.structs.replace(worker("audio"), status=WorkerStatus.OFFLINE)
    assert find_lack(job(), [silent], [silent]) is not None


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_saying(reason):
    what, helps = tell(Lack(reason=reason, job_type="text", labels=("gpu", "site=x")))
    assert "%(" not in what + helps
    assert what.endswith(".")
    assert reason in SAYINGS
