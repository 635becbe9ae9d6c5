"""What can be wrong on the side of issues and state, in words, with what a repair does."""

from __future__ import annotations

from statecore.store.findings import Finding, Subject, Symptom

SYMPTOMS = {
    "key-unknown": Symptom("A key that is none of ours; another program may use it.", "", True),
    "key-type": Symptom(
        "A key holds another type than it must.",
        "deletes it, if it can be made anew from the records, and makes it anew",
    ),
    "key-ttl": Symptom(
        "A key would expire although it must not, or never although it should.",
        "sets its lifetime anew",
    ),
    "namespace-unlisted": Symptom(
        "A namespace has entries and is in no list of namespaces.", "lists it"
    ),
    "issue-unreadable": Symptom("The issue's record cannot be read."),
    "issue-gone": Symptom(
        "Lists, a lock or a plain hash speak of an issue that has no record.", "forgets them"
    ),
    "issue-misplaced": Symptom(
        "Lists, lock or plain hash do not say what the issue's record says.",
        "writes them anew from the record",
    ),
    "version-ahead": Symptom(
        "The version of a record is ahead of the engine's clock: that clock was set back.",
        "",
        True,
    ),
    "process-gone": Symptom("A list names a process that has no record.", "forgets it"),
    "process-misplaced": Symptom(
        "The lists do not say of the process what its record says.", "puts it where it belongs"
    ),
    "process-ttl": Symptom(
        "The record of the process would expire although it is active, or never although it ended.",
        "sets its lifetime anew",
    ),
    "process-overstated": Symptom(
        "The process is said to hold issues that it does not hold.", "takes them off its list"
    ),
    "lock-unreadable": Symptom(
        "What is at the lock's key is no lock, so nobody can take it.",
        "deletes it; whoever held it must take it anew",
    ),
    "lock-gone": Symptom("The list of locks names one that nobody holds.", "takes it out"),
    "lock-unlisted": Symptom("A lock is held and in no list of locks.", "lists it"),
    "lock-ttl": Symptom("A lock would be held for ever.", "lets it end with its lease"),
    "fence-behind": Symptom(
        "The remembered token of a lock is smaller than the one given out.",
        "remembers the larger one",
    ),
    "label-unreadable": Symptom("The label request cannot be read."),
    "label-gone": Symptom("Queue or lists name a label request that has no record.", "forgets it"),
    "label-lost": Symptom(
        "A label request waits and will never be delivered: it is in no queue.", "queues it"
    ),
    "label-misplaced": Symptom(
        "Queue or lists do not say of the label request what its record says.",
        "puts it where it belongs",
    ),
}
"""Every code of this side."""


def found(code: str, subject: Subject, what: str, *, mends: bool = True) -> Finding:
    """A finding in the words of its symptom."""
    symptom = SYMPTOMS[code]
    return Finding(
        code=code, kind=subject.kind, where=subject.name, what=what,
        repair=symptom.repair if mends else "", is_note=symptom.is_note,
    )  # fmt: skip
