"""Names of everything the state side keeps in the engine.

Those with ``poppo:`` that CONTRACTS section 1 lists are contracts; the others
are indexes and queues of ours.
"""

from __future__ import annotations

from statecore.domain.lifecycle import IssueStatus, LabelStatus

EVENTS = "events"
"""Stream: every change, oldest first; the orchard appends to it as well."""
NAMESPACES = "poppo:namespaces"
"""Set: names of all namespaces that were ever written to."""
ISSUES_PROCESSING = "poppo:issues:processing"
"""Set: numbers of issues that are checked out."""
ISSUES_PROCESSED = "poppo:issues:processed"
"""Set: numbers of issues that are completed or await a response."""
ISSUES = "poppo:index:issues"
"""Sorted set: numbers of all issues, by their last change of state (epoch ms)."""
PROCESSES_ACTIVE = "poppo:processes:active"
"""Set: ids of processes that have not ended."""
PROCESSES_ZOMBIES = "poppo:processes:zombies"
"""Set: ids of processes that were found dead and not yet cleaned up."""
PROCESSES = "poppo:index:processes"
"""Sorted set: ids of active processes, by the last sign of life (epoch ms)."""
LOCKS = "poppo:index:locks"
"""Sorted set: names of locks, by the end of their lease (epoch ms)."""
LABEL_QUEUE = "poppo:queue:labels"
"""Sorted set: ids of label requests to deliver, the oldest first (epoch ms)."""
LABEL_LEASES = "poppo:leases:labels"
"""Sorted set: ids of label requests being delivered or resting, by the end of that (epoch ms)."""
KEEPER = "poppo:lock:keeper"
"""String with TTL: the ambassador that is active right now."""

REQUESTS_CHANNEL = "poppo:channel:mirin:requests"
RESPONSES_CHANNEL = "poppo:channel:mirin:responses"

HISTORY_MAX = 500
"""About how many events the history of one issue keeps."""
CHANGE_TTL_MS = 60_000
"""How long a large change waits for watchers."""
FENCE_TTL_MS = 3_600_000
"""How long the last token of a lock is remembered; later ones are larger by the clock."""
LABEL_TTL_MS = 7 * 86_400_000
"""How long a delivered label request can be looked at."""
ANSWER_TTL_MS = 60_000
"""How long a repeated request of a channel is answered as the first time."""
PROCESS_TTL_MS = 86_400_000
"""How long a process that has ended can be looked at."""


def state(namespace: str) -> str:
    """Hash: key -> JSON value."""
    return f"poppo:state:{namespace}"


def versions(namespace: str) -> str:
    """Hash: key -> version of its last change; stays for a while when the entry is deleted."""
    return f"poppo:versions:{namespace}"


def entries(namespace: str) -> str:
    """Sorted set: the keys of a namespace, in their order (score 0)."""
    return f"poppo:index:entries:{namespace}"


def change(name: str) -> str:
    """String with TTL: the values of a large change, for watchers."""
    return f"poppo:change:{name}"


def issue_status(number: int) -> str:
    """Hash: an issue, as plain strings."""
    return f"poppo:issue:status:{number}"


def issue_metadata(number: int) -> str:
    """Hash: what the last check-in brought."""
    return f"poppo:issue:metadata:{number}"


def issue_lock(number: int) -> str:
    """String with TTL: the process that holds an issue."""
    return f"poppo:lock:issue:{number}"


def issue_history(number: int) -> str:
    """Stream: the events of one issue."""
    return f"poppo:issue:history:{number}"


def issues_in(status: IssueStatus) -> str:
    """Sorted set: numbers of issues in a state, by their last change of it (epoch ms)."""
    return f"{ISSUES}:{status}"


def process_info(process_id: str) -> str:
    """Hash: a process, as plain strings."""
    return f"poppo:process:info:{process_id}"


def process_heartbeat(process_id: str) -> str:
    """String ``alive`` with TTL."""
    return f"poppo:process:heartbeat:{process_id}"


def process_issues(process_id: str) -> str:
    """Set: numbers of the issues that a process holds."""
    return f"poppo:process:issues:{process_id}"


def lock(name: str) -> str:
    """String with TTL: a lock that is held, as JSON."""
    return f"lock:{name}"


def lock_fence(name: str) -> str:
    """String with TTL: the last token given out for a lock."""
    return f"poppo:fence:{name}"


def label(request_id: str) -> str:
    """String: a label request, as JSON; with TTL once it is delivered."""
    return f"poppo:label:{request_id}"


def labels_in(status: LabelStatus) -> str:
    """Sorted set: ids of label requests in a state, by when they were asked for (epoch ms)."""
    return f"poppo:index:labels:{status}"


def label_line(number: int) -> str:
    """Sorted set: ids of the label requests of an issue that wait, in the order of its changes."""
    return f"poppo:labels:issue:{number}"


def answer(fingerprint: str) -> str:
    """String with TTL: the ambassador's answer to a request, for its repetition."""
    return f"poppo:answer:{fingerprint}"
