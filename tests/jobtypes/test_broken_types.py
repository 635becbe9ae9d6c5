"""A type that raises in each of its steps: the job fails with the reason, and nothing else does."""

from __future__ import annotations

import pytest

from orchard.domain.errors import BadResult, InvalidInput
from orchard.domain.lifecycle import JobStatus
from orchard.jobtypes.registry import type_names
from orchard.services import run
from orchard.services.pipeline import claim_stage
from tests.jobtypes.works import claim, complete, hand_in, see, work_on, worker
from tests.services import orchards

pytestmark = pytest.mark.django_db


def _healthy(clock) -> bool:
    """Whether work goes on beside: a job of the same type, and a recording."""
    job = hand_in("fine")
    work_on(clock, 1)
    worker("w9")
    for one in claim("w9"):
        complete(one, "ok")
    work_on(clock, 1)
    sound = orchards.submit()
    return see(job).status is JobStatus.COMPLETED and run(claim_stage("p9")).job_id == sound.job_id


@pytest.mark.parametrize("how", ["raise", "exit"])
@pytest.mark.parametrize("step", ["accept", "split"])
def test_a_job_whose_type_raises_before_there_are_pieces_fails_with_the_reason(
    store, clock, step, how
):
    job = hand_in(f"{how} in {step}")
    work_on(clock)
    failed = see(job)
    word = "ZeroDivisionError: on purpose" if how == "raise" else "SystemExit: 3"
    assert (failed.status, failed.error) == (
        JobStatus.FAILED, f"the job type 'broken' raised in {step}: {word}",
    )  # fmt: skip
    assert _healthy(clock)


@pytest.mark.parametrize("how", ["raise", "exit"])
def test_a_job_whose_type_raises_in_the_check_fails_and_its_workers_are_not_to_blame(
    store, clock, how
):
    job = hand_in(f"{how} in check")
    work_on(clock, 1)
    worker()
    first, second = claim()
    for one in (first, second):
        with pytest.raises(BadResult, match="raised in check"):
            complete(one, "fine")
    work_on(clock)
    failed = see(job)
    assert failed.status is JobStatus.FAILED
    assert failed.error.startswith("2 of 2 chunks failed: the job type 'broken' raised in check: ")
    assert _healthy(clock)


@pytest.mark.parametrize("how", ["raise", "exit"])
def test_a_job_whose_type_raises_at_the_end_fails_with_the_reason(store, clock, how):
    job = hand_in(f"{how} in aggregate")
    work_on(clock, 1)
    worker()
    for one in claim():
        complete(one, "fine")
    work_on(clock)
    failed = see(job)
    assert failed.status is JobStatus.FAILED
    assert failed.error.startswith("the job type 'broken' raised in aggregate: ")
    assert [chunk.status for chunk in failed.chunks] == ["completed"] * 2
    assert _healthy(clock)


def test_what_a_type_yields_that_is_no_piece_is_named(store, clock):
    job = hand_in("odd")
    work_on(clock)
    assert see(job).error == "the job type 'broken' raised in split: TypeError: str is no Piece"


def test_an_output_cannot_leave_its_folder(store, clock):
    job = hand_in("escape")
    work_on(clock, 1)
    worker()
    for one in claim():
        complete(one, "fine")
    work_on(clock)
    assert "'../escape' is no name of a file" in see(job).error


def test_a_bad_result_is_given_to_another_worker(store, clock):
    job = hand_in("fine")
    work_on(clock, 1)
    worker("w1")
    bad, good = claim("w1")
    with pytest.raises(BadResult, match="the result is bad: it says bad"):
        complete(bad, "bad")
    complete(good, "good")
    clock.advance(10)
    worker("w2")
    (again,) = claim("w2")
    assert again.chunk.index == bad.chunk.index
    complete(again, "better")
    work_on(clock, 1)
    done = see(job)
    assert (done.status, done.result.text) == (JobStatus.COMPLETED, "better\ngood")
    assert done.result.output == "out.txt"


def test_a_file_that_a_type_cannot_work_on_is_refused_with_its_reason(store):
    with pytest.raises(InvalidInput, match="file: too short to be sad"):
        hand_in("unacceptable")


def test_a_type_that_there_is_not_is_refused_and_named(store):
    with pytest.raises(InvalidInput, match="no type 'knitting'; allowed: audio, broken, text"):
        hand_in("wool", job_type="knitting")


def test_what_is_no_type_is_left_out_and_the_others_are_there():
    assert type_names() == ("audio", "broken", "text")


def test_a_job_whose_type_is_gone_fails_with_the_reason(store, clock, types):
    job = hand_in("fine")
    types.setenv("ORCHARD_JOB_TYPES", "")
    from tests.jobtypes.conftest import forget

    forget()
    work_on(clock)
    assert see(job).error == "there is no job type 'broken' here"
