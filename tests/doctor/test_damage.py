"""Every invariant broken by hand: found, explained, mended, and silent afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from orchard import keys
from orchard.doctor.examining import SYMPTOMS, examine, repair
from orchard.domain.lifecycle import JobStatus
from orchard.ports import recordings
from orchard.services import queries, run, submissions
from statecore import keys as state_keys
from statecore.domain.entries import ISSUES
from statecore.domain.lifecycle import IssueStatus, LabelStatus
from statecore.store import Store, ops
from statecore.store.layouts import tagged
from statecore.store.partitions import PartitionedStore
from tests.doctor import worlds
from tests.doctor.worlds import World
from tests.schedules import works as schedules

W1 = "agent://w1"
SOON_MS = 600_000


def write(store: Store, *writes: ops.Write) -> None:
    for each in writes:
        if isinstance(store, PartitionedStore) and is_whole_index(store, each):
            for place in range(store.count):
                store.engine.commit({}, [at(place, each)])
        else:
            store.commit({}, [each])
    store.last_seen = type(store.last_seen)()


def is_whole_index(store: PartitionedStore, write: ops.Write) -> bool:
    """Whether a write is about an index as a whole, which has a part in each partition."""
    names = write.keys if isinstance(write, ops.Delete) else (write.key,)
    about_a_key = isinstance(write, ops.Delete | ops.Expire | ops.Set)
    return about_a_key and any(name in store.layout.indexes for name in names)


def at(place: int, write: ops.Delete | ops.Expire | ops.Set) -> ops.Write:
    """A write to the part that a partition has."""
    if isinstance(write, ops.Delete):
        return ops.Delete(tuple(tagged(place, name) for name in write.keys))
    return replace(write, key=tagged(place, write.key))


def record(store: Store, key: str) -> dict[str, Any]:
    (raw,) = store.read(ops.Key(key))
    return json.loads(raw)


def scheduled(store: Store, *writes: ops.Write) -> None:
    """Write beside a schedule with which nothing is wrong."""
    schedules.make()
    write(store, *writes)


def edit(store: Store, key: str, **changes: Any) -> None:
    write(store, ops.Set(key, json.dumps(record(store, key) | changes).encode()))


def edit_chunk(store: Store, job_id: str, status: str, **changes: Any) -> str:
    """Change the first chunk in a state; its index."""
    (fields,) = store.read(ops.WholeHash(keys.chunks(job_id)))
    index, raw = next((i, raw) for i, raw in fields.items() if status in raw.decode())
    new = json.dumps(json.loads(raw) | changes).encode()
    write(store, ops.HashSet(keys.chunks(job_id), {index: new}))
    return index


def member(store: Store, key: str) -> str:
    return store.scan_index(key, 1)[0][0]


def label_in(store: Store, status: LabelStatus) -> str:
    return member(store, state_keys.labels_in(status))


Damage = Callable[[Store, World], Any]

DAMAGES: list[tuple[str, str, Damage]] = [
    ("job-unlisted", "the list of jobs is deleted",
     lambda s, w: write(s, ops.Delete((keys.JOBS,)))),
    ("job-misplaced", "a list of one state is deleted",
     lambda s, w: write(s, ops.Delete((keys.jobs_in(JobStatus.COMPLETED),)))),
    ("job-misplaced", "a job stands in a second list",
     lambda s, w: write(s, ops.SortedAdd(keys.jobs_in(JobStatus.FAILED), {w.created: 1.0}))),
    ("job-misplaced", "a pinned job stands where it would be forgotten",
     lambda s, w: write(s, ops.SortedAddFromNow(
         keys.jobs_in(JobStatus.COMPLETED), {w.pinned: SOON_MS}))),
    ("job-gone", "the record of a job at work is deleted",
     lambda s, w: write(s, ops.Delete((keys.job(w.processing),)))),
    ("job-gone", "chunks are left of a job that never was",
     lambda s, w: write(s, ops.HashSet(keys.chunks("f" * 16), {"0": b"{}"}))),
    ("job-ttl", "a job at work would expire",
     lambda s, w: write(s, ops.Expire(keys.job(w.processing), SOON_MS))),
    ("job-ttl", "an ended job would stay for ever",
     lambda s, w: write(s, ops.Expire(keys.job(w.completed), None))),
    ("job-ttl", "a pinned job would expire",
     lambda s, w: write(s, ops.Expire(keys.job(w.pinned), SOON_MS))),
    ("stage-lost", "the pipeline's queue is deleted",
     lambda s, w: write(s, ops.Delete((keys.STAGE_QUEUE,)))),
    ("stage-misplaced", "a stage is queued and leased",
     lambda s, w: write(s, ops.SortedAddFromNow(keys.STAGE_LEASES, {w.created: 1000}))),
    ("stage-stale", "a completed job waits for the pipeline",
     lambda s, w: write(s, ops.SortedAdd(keys.STAGE_QUEUE, {w.completed: 1.0}))),
    ("token-behind", "the token of a stage is set back",
     lambda s, w: edit(s, keys.job(w.created), stage={"attempts": 3})),
    ("token-behind", "the token of a chunk is set back",
     lambda s, w: edit_chunk(s, w.processing, "running", token=0)),
    ("chunks-lost", "all chunks of a job are deleted",
     lambda s, w: write(s, ops.Delete((keys.chunks(w.processing),)))),
    ("chunks-lost", "one chunk of a job is deleted",
     lambda s, w: write(s, ops.HashDelete(keys.chunks(w.processing), ("1",)))),
    ("chunks-lost", "one chunk of a job is no chunk",
     lambda s, w: write(s, ops.HashSet(keys.chunks(w.processing), {"2": b"scribble"}))),
    ("chunks-left", "chunks are kept of a job that is over",
     lambda s, w: write(s, ops.HashSet(keys.chunks(w.completed), {"0": b"{}"}))),
    ("chunks-left", "texts are kept of a job that is over",
     lambda s, w: write(s, ops.HashSet(keys.results(w.completed), {"0": b"{}"}))),
    ("counts-wrong", "a job counts too much",
     lambda s, w: edit(s, keys.job(w.processing), completed_chunks=2)),
    ("results-lost", "the texts of a job at work are deleted",
     lambda s, w: write(s, ops.Delete((keys.results(w.processing),)))),
    ("chunk-lost", "the queue of chunks is deleted",
     lambda s, w: write(s, ops.Delete((keys.CHUNK_QUEUE,)))),
    ("chunk-lost", "the leases of chunks are deleted",
     lambda s, w: write(s, ops.Delete((keys.CHUNK_LEASES,)))),
    ("chunk-misplaced", "a waiting chunk is leased as well",
     lambda s, w: write(s, ops.SortedAddFromNow(
         keys.CHUNK_LEASES, {member(s, keys.CHUNK_QUEUE): 1000}))),
    ("chunk-misplaced", "a running chunk is queued as well",
     lambda s, w: write(s, ops.SortedAdd(
         keys.CHUNK_QUEUE, {member(s, keys.CHUNK_LEASES): 1.0}))),
    ("chunk-misplaced", "a lease ends far in the future",
     lambda s, w: write(s, ops.SortedAddFromNow(
         keys.CHUNK_LEASES, {member(s, keys.CHUNK_LEASES): 86_400_000}))),
    ("lease-overdue", "a lease ended long ago and nobody cleared up",
     lambda s, w: write(s, ops.SortedAdd(
         keys.CHUNK_LEASES, {member(s, keys.CHUNK_LEASES): 1.0}))),
    ("chunk-stale", "the queue names a chunk that never was",
     lambda s, w: write(s, ops.SortedAdd(keys.CHUNK_QUEUE, {"nobody_chunk_1": 1.0}))),
    ("chunk-stale", "the leases name what is no chunk",
     lambda s, w: write(s, ops.SortedAddFromNow(keys.CHUNK_LEASES, {"scribble": 1000}))),
    ("worker-gone", "the record of a worker is deleted",
     lambda s, w: write(s, ops.Delete((keys.worker("agent://w2"),)))),
    ("worker-unlisted", "the list of workers is deleted",
     lambda s, w: write(s, ops.Delete((keys.WORKERS,)))),
    ("worker-misplaced", "the list of busy workers is deleted",
     lambda s, w: write(s, ops.Delete((keys.BUSY_WORKERS,)))),
    ("schedule-misplaced", "the list of schedules is deleted",
     lambda s, w: scheduled(s, ops.Delete((keys.SCHEDULES,)))),
    ("schedule-gone", "the list names a schedule that is not there",
     lambda s, w: scheduled(s, ops.SortedAdd(keys.SCHEDULES, {"0" * 16: 1.0}))),
    ("worker-ttl", "a worker would never be forgotten",
     lambda s, w: write(s, ops.Expire(keys.worker(W1), None))),
    ("worker-overstated", "a worker's record names a chunk that another has",
     lambda s, w: edit_worker(s)),
    ("recording-lost", "the recording of a waiting job is deleted",
     lambda s, w: recordings.delete(w.created)),
    ("sound-lost", "the sound of a chunk is deleted",
     lambda s, w: recordings.delete_chunks(w.processing)),
    ("key-type", "the queue of chunks is another thing",
     lambda s, w: write(s, ops.Delete((keys.CHUNK_QUEUE,)), ops.Set(keys.CHUNK_QUEUE, b"x"))),
    ("key-ttl", "the list of jobs would expire",
     lambda s, w: write(s, ops.Expire(keys.JOBS, SOON_MS))),
    ("key-ttl", "an idempotency key has no end",
     lambda s, w: write(s, ops.Expire(keys.idempotency("ann", "k1"), None))),
    ("namespace-unlisted", "the list of namespaces is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.NAMESPACES,)))),
    ("issue-gone", "the record of an issue is deleted",
     lambda s, w: write(s, ops.HashDelete(state_keys.state(ISSUES), ("3",)))),
    ("issue-misplaced", "the lock of an issue is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.issue_lock(1),)))),
    ("issue-misplaced", "somebody has locked an issue that nobody holds",
     lambda s, w: write(s, ops.Set(state_keys.issue_lock(2), b"x", SOON_MS))),
    ("issue-misplaced", "the plain hash of an issue is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.issue_status(2),)))),
    ("issue-misplaced", "the set of issues at work is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.ISSUES_PROCESSING,)))),
    ("issue-misplaced", "the set of issues at work names another",
     lambda s, w: write(s, ops.SetAdd(state_keys.ISSUES_PROCESSING, ("2",)))),
    ("issue-misplaced", "the list of all issues is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.ISSUES,)))),
    ("issue-misplaced", "an issue stands in two lists",
     lambda s, w: write(s, ops.SortedAdd(
         state_keys.issues_in(IssueStatus.ERROR), {"1": 1.0}))),
    ("issue-misplaced", "it is forgotten what a process holds",
     lambda s, w: write(s, ops.Delete((state_keys.process_issues("agent-1"),)))),
    ("process-gone", "the record of a process is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.process_info("agent-2"),)))),
    ("process-misplaced", "the set of active processes is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.PROCESSES_ACTIVE,)))),
    ("process-misplaced", "the list of processes is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.PROCESSES,)))),
    ("process-misplaced", "an ended process is called active",
     lambda s, w: write(s, ops.SetAdd(state_keys.PROCESSES_ACTIVE, ("agent-3",)))),
    ("process-ttl", "an active process would be forgotten",
     lambda s, w: write(s, ops.Expire(state_keys.process_info("agent-1"), SOON_MS))),
    ("process-overstated", "a process is said to hold another's issue",
     lambda s, w: write(s, ops.SetAdd(state_keys.process_issues("agent-2"), ("1",)))),
    ("lock-unreadable", "a lock is scribbled over",
     lambda s, w: write(s, ops.Set(state_keys.lock("deploy"), b"scribble", SOON_MS))),
    ("lock-gone", "a lock is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.lock("deploy"),)))),
    ("lock-unlisted", "the list of locks is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.LOCKS,)))),
    ("lock-ttl", "a lock would be held for ever",
     lambda s, w: write(s, ops.Expire(state_keys.lock("deploy"), None))),
    ("fence-behind", "the token of a lock is set back",
     lambda s, w: write(s, ops.Set(state_keys.lock_fence("deploy"), b"1", SOON_MS))),
    ("label-gone", "a label request is deleted",
     lambda s, w: write(s, ops.Delete((
         state_keys.label(label_in(s, LabelStatus.FAILED)),)))),
    ("label-lost", "the queue of label requests is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.LABEL_QUEUE,)))),
    ("label-misplaced", "the list of failed label requests is deleted",
     lambda s, w: write(s, ops.Delete((state_keys.labels_in(LabelStatus.FAILED),)))),
]  # fmt: skip


def edit_worker(store: Store) -> None:
    raw = record(store, keys.worker(W1))
    names = [*raw["pending_chunks"], "nobody_chunk_7"]
    new = json.dumps(raw | {"pending_chunks": names}).encode()
    write(store, ops.Set(keys.worker(W1), new, SOON_MS // 2))


each_damage = pytest.mark.parametrize(
    ("code", "what", "damage"), DAMAGES, ids=[what for _, what, _ in DAMAGES]
)


@each_damage
def test_a_damage_is_found_mended_and_gone(store, code, what, damage):
    world = worlds.make()
    damage(store, world)
    found = examine(store, pause_s=0)
    assert code in found.counts
    assert all(finding.what and finding.repair for finding in found.findings)
    mended, left = repair(store, pause_s=0)
    assert mended[code] >= 1
    assert left.findings == []


def test_looking_changes_nothing(store):
    world = worlds.make()
    write(store, ops.Delete((keys.CHUNK_QUEUE, keys.chunks(world.processing))))
    first = examine(store, pause_s=0)
    assert first.findings
    assert examine(store, pause_s=0).findings == first.findings


@pytest.mark.parametrize(
    "lost", [keys.CHUNK_QUEUE, keys.CHUNK_LEASES, keys.chunks, keys.results, keys.STAGE_QUEUE]
)
def test_a_job_that_stood_still_is_finished_after_the_repair(store, lost, monkeypatch):
    job_id = _half_done()
    write(store, ops.Delete((lost if isinstance(lost, str) else lost(job_id),)))
    repair(store, pause_s=0)
    monkeypatch.setattr("orchard.services.audio_stages.WORK", _quick_stages())
    for _ in range(10):
        _work_on(job_id)
        if run(queries.get_job(job_id)).job.has_ended:
            break
    view = run(queries.get_job(job_id))
    assert view.job.status is JobStatus.COMPLETED
    assert view.job.completed_chunks == 3
    run(worlds.fleet.remove("w1"))  # it holds what was taken from it, as far as it knows
    assert examine(store, pause_s=0).findings == []


def test_a_job_without_its_recording_fails_and_says_why(store):
    job_id = worlds.split()
    recordings.delete(job_id)
    write(store, ops.Delete((keys.chunks(job_id),)))
    repair(store, pause_s=0)
    job = run(submissions.get_record(job_id))
    assert job.status is JobStatus.FAILED
    assert "recording is not in storage" in job.error


def test_a_record_that_cannot_be_read_is_told_and_left_alone(store):
    world = worlds.make()
    write(store, ops.Set(keys.job(world.created), b"scribble"))
    write(store, ops.HashSet(state_keys.state(ISSUES), {"1": b"scribble"}))
    codes = set(examine(store, pause_s=0).counts)
    assert {"job-unreadable", "issue-unreadable"} <= codes
    _, left = repair(store, pause_s=0)
    assert {finding.code for finding in left.findings} == {"job-unreadable", "issue-unreadable"}
    assert store.read(ops.Key(keys.job(world.created))) == [b"scribble"]


def test_a_foreign_key_is_told_and_left_alone(store):
    write(store, ops.Set("somebody:else", b"1"))
    report = examine(store, pause_s=0)
    assert report.counts == {"key-unknown": 1}
    assert not report.faults
    repair(store, pause_s=0)
    assert store.read(ops.Key("somebody:else")) == [b"1"]


def test_files_without_a_job_are_deleted_once_they_are_old(store, monkeypatch):
    recordings.save_bytes("jobs/gone/source.wav", b"sound")
    assert examine(store, pause_s=0).findings == []
    monkeypatch.setattr("orchard.services.doctor.files.YOUNG_S", -1.0)
    assert examine(store, pause_s=0).counts == {"files-left": 1}
    assert repair(store, pause_s=0)[0] == {"files-left": 1}
    assert not recordings.exists("jobs/gone/source.wav")


def test_a_transcript_that_is_lost_is_told(store):
    world = worlds.make()
    raw = record(store, keys.job(world.pinned))
    raw["result"] |= {"text": None, "segments": None}
    write(store, ops.Set(keys.job(world.pinned), json.dumps(raw).encode()))
    recordings.delete_name(recordings.transcript_name(world.pinned))
    assert examine(store, pause_s=0).counts == {"transcript-lost": 1}


def test_a_version_of_tomorrow_is_told(store):
    worlds.make()
    tomorrow = str(round(time.time() * 1000) + 86_400_000 * 400).encode()
    write(store, ops.HashSet(state_keys.versions(ISSUES), {"1": tomorrow}))
    report = examine(store, pause_s=0)
    assert report.counts == {"version-ahead": 1}
    assert report.faults == 0


def test_a_schedule_that_cannot_be_read_is_told_and_left_alone(store):
    schedules.make()
    assert examine(store, pause_s=0).findings == []
    write(store, ops.Set(keys.schedule("0" * 16), b"scribble"))
    assert repair(store, pause_s=0)[1].counts == {"schedule-unreadable": 1}


def test_every_symptom_is_found_by_some_test():
    told = {code for code, _, _ in DAMAGES} | {
        "job-unreadable", "issue-unreadable", "key-unknown", "files-left", "transcript-lost",
        "version-ahead", "worker-unreadable", "label-unreadable", "schedule-unreadable",
    }  # fmt: skip
    assert set(SYMPTOMS) == told


@pytest.mark.parametrize(
    ("code", "key"),
    [("worker-unreadable", keys.worker(W1)), ("label-unreadable", "")],
)
def test_other_records_that_cannot_be_read_are_told(store, code, key):
    worlds.make()
    name = key or state_keys.label(label_in(store, LabelStatus.FAILED))
    write(store, ops.Set(name, b"scribble", SOON_MS if key else None))
    assert examine(store, pause_s=0).counts == {code: 1}


def _half_done() -> str:
    run(worlds.fleet.register(name="w1"))
    run(worlds.fleet.register(name="w2"))
    job_id = worlds.split()
    worlds.complete(worlds.claim())
    worlds.claim()
    return job_id


def _quick_stages() -> dict[JobStatus, Any]:
    from orchard.domain.timeline import Span
    from orchard.services import audio_stages, pipeline

    def split(job: Any, keeper: Any) -> None:
        if job.total_chunks:
            run(pipeline.resume_processing(job.job_id, job.stage.token))
            return
        spans = [Span(start_ms=i * 60_000, end_ms=(i + 1) * 60_000) for i in range(3)]
        run(pipeline.finish_splitting(job.job_id, job.stage.token, spans, 180_000))

    def purify(job: Any, keeper: Any) -> None:
        run(pipeline.finish_purifying(job.job_id, job.stage.token, 180_000))

    return audio_stages.WORK | {JobStatus.PURIFYING: purify, JobStatus.SPLITTING: split}


def _work_on(job_id: str) -> None:
    import threading

    from orchard.services import claims, pipeline, reports
    from orchard.services.stages import do_stage

    if job := run(pipeline.claim_stage("p1")):
        do_stage(job, threading.Event())
    (fields,) = _fields(job_id)
    for index in fields:
        run(reports.expire(f"{job_id}_chunk_{index}"))  # the worker that had it fell silent
    for claimed in run(claims.claim("w2", 10)):
        worlds.complete(claimed)


def _fields(job_id: str) -> list[Any]:
    from orchard.services import get_engine

    return get_engine().read(ops.WholeHash(keys.chunks(job_id)))
