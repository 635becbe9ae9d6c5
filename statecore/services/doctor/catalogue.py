"""What the keys of the state side must be like, and which of them list things."""

from __future__ import annotations

from statecore import keys
from statecore.domain.entries import ISSUES as ISSUES_NAMESPACE
from statecore.domain.lifecycle import IssueStatus, LabelStatus
from statecore.store.findings import Listing, Subject, rule

ISSUE, PROCESS, LOCK, LABEL, NAMESPACE = "issue", "process", "lock", "label", "namespace"
KEY = "key"

RULES = (
    rule(keys.state, "hash", subject=NAMESPACE),
    rule(keys.versions, "hash"),
    rule(keys.NAMESPACES, "set"),
    rule(keys.change, "string", "for a while", most_ms=keys.CHANGE_TTL_MS),
    rule(keys.issue_status, "hash", subject=ISSUE),
    rule(keys.issue_metadata, "hash"),
    rule(keys.entries, "sorted set", is_derived=True),
    rule(keys.issue_history, "stream"),
    rule(keys.issue_lock, "string", "for a while", subject=ISSUE),
    rule(keys.ISSUES_PROCESSING, "set", is_derived=True),
    rule(keys.ISSUES_PROCESSED, "set", is_derived=True),
    rule(keys.ISSUES, "sorted set", is_derived=True),
    *(rule(keys.issues_in(status), "sorted set", is_derived=True) for status in IssueStatus),
    rule(keys.process_info, "hash", "either", subject=PROCESS),
    rule(keys.process_heartbeat, "string", "for a while"),
    rule(keys.process_issues, "set", subject=PROCESS),
    rule(keys.PROCESSES_ACTIVE, "set", is_derived=True),
    rule(keys.PROCESSES_ZOMBIES, "set", is_derived=True),
    rule(keys.PROCESSES, "sorted set", is_derived=True),
    rule(keys.lock, "string", "either", subject=LOCK),
    rule(keys.lock_fence, "string", "for a while"),
    rule(keys.LOCKS, "sorted set", is_derived=True),
    rule(keys.label_line, "sorted set", is_derived=True),
    rule(keys.label, "string", "either", subject=LABEL),
    rule(keys.LABEL_QUEUE, "sorted set", is_derived=True),
    rule(keys.LABEL_LEASES, "sorted set", is_derived=True),
    *(rule(keys.labels_in(status), "sorted set", is_derived=True) for status in LabelStatus),
    rule(keys.KEEPER, "string", "for a while"),
    rule(keys.answer, "string", "for a while", most_ms=keys.ANSWER_TTL_MS),
)
"""Every key of ``statecore.keys`` but the events, which the orchard's rules have."""


def _issue(name: str) -> Subject:
    return Subject(ISSUE, name)


def _process(name: str) -> Subject:
    return Subject(PROCESS, name)


def _lock(name: str) -> Subject:
    return Subject(LOCK, name)


def _label(name: str) -> Subject:
    return Subject(LABEL, name)


LISTINGS = (
    Listing(keys.state(ISSUES_NAMESPACE), "hash", _issue),
    Listing(keys.ISSUES, "sorted set", _issue),
    *(Listing(keys.issues_in(status), "sorted set", _issue) for status in IssueStatus),
    Listing(keys.ISSUES_PROCESSING, "set", _issue),
    Listing(keys.ISSUES_PROCESSED, "set", _issue),
    Listing(keys.PROCESSES, "sorted set", _process, keys.process_info),
    Listing(keys.PROCESSES_ACTIVE, "set", _process, keys.process_info),
    Listing(keys.PROCESSES_ZOMBIES, "set", _process, keys.process_info),
    Listing(keys.LOCKS, "sorted set", _lock, keys.lock),
    Listing(keys.LABEL_QUEUE, "sorted set", _label, keys.label),
    Listing(keys.LABEL_LEASES, "sorted set", _label, keys.label),
    *(Listing(keys.labels_in(status), "sorted set", _label, keys.label) for status in LabelStatus),
)
"""Collections of names: whatever they name must be there, and as they say."""
