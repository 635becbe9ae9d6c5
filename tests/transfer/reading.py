"""What a test sees of a store."""

from __future__ import annotations

import json
from typing import Any

from statecore import keys
from statecore.domain.lifecycle import IssueStatus
from statecore.services import labels, namespaced
from statecore.store import ops
from statecore.store.base import Store


def values(store: Store, namespace: str) -> dict[str, Any]:
    """The values of a namespace."""
    entries = store.run(namespaced.get_all(namespace))
    return {key: json.loads(entry.raw) for key, entry in entries.items()}


def whole(store: Store) -> dict[str, dict[str, Any]]:
    """The values of all namespaces that hold any, but for what tells when it was migrated."""
    found = {name: values(store, name) for name in store.run(namespaced.list_namespaces())}
    for name in ("statusManagerMigrated", "statusManagerMigrationStarted"):
        found["config"].pop(name, None)
    return {name: entries for name, entries in found.items() if entries}


def label_requests(store: Store) -> int:
    """How many label requests there are in any state."""
    return sum(store.run(labels.count_by_status()).values())


def check_issues(store: Store) -> None:
    """Each issue stands in hash, sets and indexes as its record says."""
    records = {k: v for k, v in values(store, "issues").items() if k.isdigit()}
    by_status = {
        status: {key for key, one in records.items() if one["status"] == status}
        for status in IssueStatus
    }
    for status, numbers in by_status.items():
        page = store.scan_index(keys.issues_in(status), 10_000)
        assert {member for member, _ in page} == numbers
    assert {member for member, _ in store.scan_index(keys.ISSUES, 10_000)} == set(records)
    processing, processed = store.read(
        ops.Members(keys.ISSUES_PROCESSING), ops.Members(keys.ISSUES_PROCESSED)
    )
    assert processing == by_status[IssueStatus.PROCESSING]
    assert processed == by_status["completed"] | by_status["awaiting-response"]
    for key, one in records.items():
        (fields,) = store.read(ops.WholeHash(keys.issue_status(int(key))))
        assert fields["status"].decode() == one["status"]
        if one.get("processId"):
            assert fields["processId"].decode() == one["processId"]
            (held,) = store.read(ops.Members(keys.process_issues(one["processId"])))
            assert key in held
