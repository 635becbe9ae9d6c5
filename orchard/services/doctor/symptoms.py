"""What can be wrong on the side of jobs and workers, in words, with what a repair does."""

from __future__ import annotations

from statecore.store.findings import Finding, Subject, Symptom

SYMPTOMS = {
    "job-unreadable": Symptom("The job's record cannot be read."),
    "job-gone": Symptom(
        "Queues, indexes or chunks name a job that has no record.",
        "forgets what is left of the job",
    ),
    "job-unlisted": Symptom("The job is in no list of jobs.", "lists it"),
    "job-misplaced": Symptom(
        "The job stands in the wrong list of its state, or in several.",
        "puts it into the list that its record names",
    ),
    "job-ttl": Symptom(
        "The job would expire although it must not, or never although it should.",
        "sets its lifetime anew",
    ),
    "stage-lost": Symptom(
        "A pipeline process should work on the job, and none ever will: it is in no queue.",
        "queues it, or gives its holder the lease again",
    ),
    "stage-misplaced": Symptom(
        "The job's stage stands in the wrong place: queued and leased, or leased for too long.",
        "puts it where its record says",
    ),
    "stage-stale": Symptom(
        "The pipeline's queue names a job that needs no pipeline.", "takes it out of the queue"
    ),
    "token-behind": Symptom(
        "A fencing token is smaller than the attempts that were made.",
        "raises it, so that late reports are refused",
    ),
    "chunks-lost": Symptom(
        "Chunks of the job are gone or cannot be read, so it can never be finished.",
        "begins the job again with its recording; without one, fails it",
    ),
    "chunks-left": Symptom(
        "Chunks or results are kept though the job is over.", "deletes them; the record has them"
    ),
    "counts-wrong": Symptom(
        "The job's counts are not those of its chunks, or it waits though all are settled.",
        "counts anew, and lets the job go on when nothing is left",
    ),
    "results-lost": Symptom(
        "Texts of finished chunks are gone.", "has those chunks transcribed again"
    ),
    "chunk-lost": Symptom(
        "A chunk should be done, and nobody will: it is neither queued nor leased.",
        "queues it, or gives its holder the lease again",
    ),
    "chunk-misplaced": Symptom(
        "A chunk stands in the wrong place: queued and leased, or leased for too long.",
        "puts it where its record says",
    ),
    "lease-overdue": Symptom(
        "A lease ran out more than a minute ago and nobody took the chunk back.",
        "returns the chunk to the queue",
    ),
    "chunk-stale": Symptom(
        "Queue or leases name a chunk that nobody has to do.", "takes the name out"
    ),
    "worker-unreadable": Symptom("The worker's record cannot be read."),
    "worker-gone": Symptom(
        "A list names a worker that has no record.", "takes it out of the lists"
    ),
    "worker-unlisted": Symptom("The worker is in no list of workers.", "lists it"),
    "worker-misplaced": Symptom(
        "The lists do not say of the worker what its record says.", "puts it where it belongs"
    ),
    "worker-ttl": Symptom(
        "The worker would never be forgotten.", "lets its record expire as others do"
    ),
    "worker-overstated": Symptom(
        "The worker's record names chunks that it does not hold.", "takes them off its record"
    ),
    "schedule-unreadable": Symptom("The schedule's record cannot be read."),
    "schedule-gone": Symptom(
        "The list of schedules names one that has no record.", "takes it out of the list"
    ),
    "schedule-misplaced": Symptom(
        "The schedule is not in the list, or not at its next time: it would not be handed in then.",
        "puts it where its record says",
    ),
    "recording-lost": Symptom(
        "The recording of a job that is not finished is not in storage.",
        "fails the job, with this reason",
    ),
    "sound-lost": Symptom(
        "The sound of a chunk that is still to be done is not in storage.",
        "begins the job again with its recording",
    ),
    "transcript-lost": Symptom("The transcript of a finished job is not in storage."),
    "files-left": Symptom("Files lie in storage for a job that is not there.", "deletes them"),
}
"""Every code of this side."""


def found(code: str, subject: Subject, what: str) -> Finding:
    """A finding in the words of its symptom."""
    symptom = SYMPTOMS[code]
    return Finding(
        code=code, kind=subject.kind, where=subject.name, what=what, repair=symptom.repair,
        is_note=symptom.is_note,
    )  # fmt: skip
