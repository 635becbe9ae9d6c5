"""What people do by hand through the API is written down; what programs do is in the events."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orchard.models import AuditEntry
from statecore.services import labels, run
from tests.api.fixtures import Tokens
from tests.api.state_site import API, check_in, check_out, send


@pytest.fixture
def ann(store, staff: User) -> Client:
    """A person who is signed in and may act."""
    client = Client()
    client.force_login(staff)
    return client


def entries() -> list[tuple[str, str, str]]:
    return [(e.who, e.action, e.subject) for e in AuditEntry.objects.order_by("pk")]


def test_what_a_person_does_is_written_down(ann: Client, issues: Client):
    check_out(issues, 7)
    check_out(issues, 8, process_id="p2")
    for request in run(labels.claim()):
        run(labels.mark_failed(request.request_id, "no", final=True))
    set_a = {"changes": [{"namespace": "n", "key": "a", "value": 1}]}
    drop_a = {"changes": [{"namespace": "n", "key": "a", "delete": True}]}
    acts: list[tuple[str, str, Any]] = [
        ("delete", "issues/7", None),
        ("patch", "issues/7", {"status": "pending"}),
        ("delete", "processes/p2", None),
        ("post", "labels/retry", None),
        ("patch", "state", set_a),
        ("patch", "state", drop_a),
        ("put", "state/n/b", {"x": 1}),
        ("delete", "state/n/b", None),
        ("put", "state/n", {"values": {}}),
        ("delete", "state/n", None),
    ]
    for method, path, body in acts:
        answer = send(ann, method, path, body)
        assert answer.status_code == 200, (path, answer.content)
    assert entries() == [
        ("ann", "issue.reset", "7"), ("ann", "issue.update", "7"),
        ("ann", "process.clean_up", "p2"), ("ann", "label.retry", "all"),
        ("ann", "state.set", "n/a"), ("ann", "state.delete", "n/a"), ("ann", "state.set", "n/b"),
        ("ann", "state.delete", "n/b"), ("ann", "state.replace", "n"), ("ann", "state.clear", "n"),
    ]  # fmt: skip
    assert AuditEntry.objects.get(action="issue.reset").facts["holder"] == "p1"


def test_what_was_refused_is_not_written_down(ann: Client, issues: Client):
    check_out(issues, 7)
    assert send(ann, "patch", "issues/7", {"status": "pending"}).status_code == 409
    assert ann.delete(f"{API}/state/n/missing").status_code == 404
    assert entries() == []


def test_programs_write_only_what_an_administrator_overrules(
    issues: Client, state: Client, tokens: Tokens
):
    check_out(issues, 7)
    send(issues, "put", "locks/deploy", {"owner": "bob"})
    send(state, "put", "state/n/a", {"x": 1})
    assert entries() == []
    ruler = Client(headers=tokens("admin", name="root"))
    assert check_in(ruler, 7, status="error").status_code == 200
    assert ruler.delete(f"{API}/locks/deploy").status_code == 200
    assert entries() == [
        ("token:root", "issue.checkin", "7"), ("token:root", "lock.release", "deploy")
    ]  # fmt: skip


def test_long_subjects_are_cut(ann: Client):
    assert send(ann, "put", f"state/n/{'k' * 900}", {"x": 1}).status_code == 200
    assert len(entries()[0][2]) == 200
