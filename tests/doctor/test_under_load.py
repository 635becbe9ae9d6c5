"""A fleet at work raises no false alarm, and a large state is examined in bounded memory."""

from __future__ import annotations

import random
import threading
import time
import tracemalloc

import pytest

from orchard import codec, keys
from orchard.doctor.examining import examine
from orchard.domain.errors import OrchardError
from orchard.domain.lifecycle import JobStatus
from orchard.services import claims, cleanup, engine, fleet, pipeline, reports, run, submissions
from orchard.services.stages import do_stage
from statecore.domain.errors import StateError
from statecore.domain.issues import Claimant, Holder
from statecore.domain.lifecycle import IssueStatus
from statecore.services import checkouts, labels, locks, processes
from statecore.store import ops
from tests.doctor import worlds

SECONDS = 8.0
RUNS = 4


@pytest.fixture
def site(settings, tmp_path, redis_store):
    settings.MEDIA_ROOT = tmp_path / "media"
    before = engine.use(redis_store)
    yield redis_store
    engine.use(before)


def test_a_fleet_at_work_raises_no_false_alarm(site):
    fleet_at_work = _Fleet()
    with fleet_at_work:
        found = [examine(site, pause_s=0.2) for _ in range(RUNS)]
        time.sleep(1)
    assert fleet_at_work.faults == []
    assert fleet_at_work.done > 50
    assert [report.findings for report in found] == [[]] * RUNS
    assert examine(site, pause_s=0.1).findings == []


def test_memory_does_not_grow_with_the_number_of_jobs(site):
    def peak(jobs: int) -> int:
        _add_ended_jobs(site, jobs)
        tracemalloc.start()
        report = examine(site, pause_s=0)
        grown = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert report.findings == []
        assert report.looked_at["keys"] >= jobs
        return grown

    few = peak(1_500)
    assert peak(8_000) < 1.5 * few


class _Fleet:
    """Threads that hand in, process, cancel, check out and deliver, all the time."""

    def __init__(self) -> None:
        self._ends = threading.Event()
        self.faults: list[BaseException] = []
        self.done = 0
        work = (self._hand_in, self._stages, self._worker, self._worker, self._agent, self._clear)
        self._threads = [
            threading.Thread(target=self._repeat, args=(do, number))
            for number, do in enumerate(work)
        ]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, do, number: int) -> None:
        chance = random.Random(number)
        try:
            while not self._ends.is_set():
                do(number, chance)
                time.sleep(0.002)
        except BaseException as fault:
            self.faults.append(fault)

    def _hand_in(self, number: int, chance: random.Random) -> None:
        job = worlds.submit()
        self._ends.wait(0.05)
        if chance.random() < 0.2:
            _tolerant(submissions.cancel(job.job_id))

    def _stages(self, number: int, chance: random.Random) -> None:
        job = run(pipeline.claim_stage("p1"))
        if job is None:
            return
        try:
            self._do_stage(job)
        except OrchardError:
            return  # cancelled meanwhile

    def _do_stage(self, job) -> None:
        token = job.stage.token
        if job.status is JobStatus.PURIFYING:
            run(pipeline.finish_purifying(job.job_id, token, 180_000))
        elif job.status is JobStatus.SPLITTING:
            from orchard.domain.timeline import Span
            from orchard.ports import recordings

            for index in range(3):
                recordings.save_bytes(recordings.chunk_name(job.job_id, index), b"sound")
            spans = [Span(start_ms=i * 60_000, end_ms=(i + 1) * 60_000 - i) for i in range(3)]
            run(pipeline.finish_splitting(job.job_id, token, spans, 180_000))
        else:
            do_stage(job, threading.Event())

    def _worker(self, number: int, chance: random.Random) -> None:
        worker = run(fleet.register(name=f"w{number}"))
        for claimed in run(claims.claim(worker.worker_id, 2)):
            run(fleet.heartbeat(worker.worker_id))
            try:
                if chance.random() < 0.1:
                    run(reports.fail(
                        worlds.name_of(claimed), worker.worker_id, claimed.chunk.token, "noise"
                    ))  # fmt: skip
                else:
                    worlds.complete(claimed)
                    self.done += 1
            except OrchardError:
                run(fleet.heartbeat(worker.worker_id))  # cancelled meanwhile

    def _agent(self, number: int, chance: random.Random) -> None:
        issue, name = chance.randrange(1, 20), f"agent-{chance.randrange(4)}"
        try:
            run(processes.heartbeat(name))
            run(locks.acquire("deploy", name))
            run(checkouts.check_out(issue, Holder(process_id=name)))
            run(checkouts.check_in(issue, IssueStatus.COMPLETED, {}, Claimant(process_id=name)))
            run(locks.release("deploy", name))
            for request in run(labels.claim(3)):
                run(labels.mark_sent(request.request_id))
        except StateError:
            return

    def _clear(self, number: int, chance: random.Random) -> None:
        run(cleanup.clear_once(""))


def _tolerant(steps) -> None:
    try:
        run(steps)
    except OrchardError:
        return


def _add_ended_jobs(store, count: int) -> None:
    """Ended jobs as they lie there for an hour."""
    job = worlds.submit()
    job = run(submissions.cancel(job.job_id))
    at = job.created_at.timestamp() * 1000
    for start in range(0, count, 500):
        ids = [f"{random.getrandbits(64):016x}" for _ in range(start, min(start + 500, count))]
        records = {i: codec.encode_job(_named(job, i)) for i in ids}
        writes: list[ops.Write] = [
            ops.Set(keys.job(i), raw, 3_600_000) for i, raw in records.items()
        ]
        later = dict.fromkeys(ids, 3_600_000)
        writes += [
            ops.SortedAdd(keys.JOBS, dict.fromkeys(ids, at)),
            ops.SortedAddFromNow(keys.jobs_in(JobStatus.CANCELLED), later),
        ]
        store.commit({}, writes)


def _named(job, job_id: str):
    import msgspec

    return msgspec.structs.replace(job, job_id=job_id)
