"""The tables of moves: complete, closed, and the only way a state changes."""

import pytest

from orchard.domain.errors import TransitionRefused
from orchard.domain.lifecycle import (
    ACTIVE,
    CHUNK_MOVES,
    ENDED,
    JOB_MOVES,
    STAGES,
    WORKER_MOVES,
    ChunkStatus,
    JobStatus,
    WorkerStatus,
    check_move,
)


def test_statuses_are_exactly_those_of_the_contract():
    assert [str(s) for s in JobStatus] == [
        "created", "purifying", "splitting", "processing", "aggregating",
        "completed", "failed", "cancelled",
    ]  # fmt: skip
    assert [str(s) for s in ChunkStatus] == ["waiting", "running", "completed", "failed"]
    assert [str(s) for s in WorkerStatus] == ["online", "busy", "offline"]


def test_every_state_has_a_row_in_its_table():
    assert set(JOB_MOVES) == set(JobStatus)
    assert set(CHUNK_MOVES) == set(ChunkStatus)
    assert set(WORKER_MOVES) == set(WorkerStatus)


def test_every_active_job_can_fail_and_be_cancelled():
    for status in ACTIVE:
        assert {JobStatus.FAILED, JobStatus.CANCELLED} <= JOB_MOVES[status]


def test_only_a_failed_job_comes_back():
    assert {s for s in ENDED if JOB_MOVES[s]} == {JobStatus.FAILED}
    assert JOB_MOVES[JobStatus.FAILED] == {JobStatus.CREATED}


def test_the_purifier_can_be_passed_by():
    assert JobStatus.SPLITTING in JOB_MOVES[JobStatus.CREATED]


def test_an_ended_job_is_no_work_for_anybody():
    assert not ENDED & STAGES
    assert set(JobStatus) == ENDED | ACTIVE


@pytest.mark.parametrize("now", list(JobStatus))
@pytest.mark.parametrize("to", list(JobStatus))
def test_a_move_is_refused_exactly_when_the_table_lacks_it(now, to):
    if to in JOB_MOVES[now]:
        check_move(JOB_MOVES, now, to, "job")
    else:
        with pytest.raises(TransitionRefused, match=f"job is {now} and cannot become {to}"):
            check_move(JOB_MOVES, now, to, "job")
