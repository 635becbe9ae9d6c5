"""Issues by REST: checked out, kept alive, checked in, listed, repaired, forgotten."""

from __future__ import annotations

import os
import socket
from datetime import datetime

import pytest
from django.test import Client

from statecore import codec, keys
from statecore.services import labels, run
from statecore.store import ops
from tests.api.fixtures import Tokens
from tests.api.state_site import API, BOTH_STORES, check_in, check_out, send

pytestmark = BOTH_STORES

NAMES = {
    "issue", "status", "process_id", "pid", "host", "task_type", "start_time", "last_heartbeat",
    "end_time", "last_updated", "result", "metadata", "checked_out_by", "token", "lease_until",
    "ttl_s", "other",
}  # fmt: skip


def test_an_issue_is_checked_out_kept_alive_and_checked_in(issues: Client):
    taken = check_out(issues, pid=4242, host="attic", task_type="review", ttl_s=60)
    assert set(taken) == NAMES
    assert (taken["issue"], taken["status"], taken["process_id"]) == (123, "processing", "p1")
    assert (taken["pid"], taken["host"], taken["task_type"]) == (4242, "attic", "review")
    assert (taken["ttl_s"], taken["end_time"], taken["result"]) == (60, None, None)
    assert taken["metadata"] == {"retryCount": 0, "errorCount": 0}
    lease = datetime.fromisoformat(taken["lease_until"])
    assert (lease - datetime.fromisoformat(taken["start_time"])).total_seconds() == 60

    told = {"process_id": "p1", "token": taken["token"]}
    beat = send(issues, "post", "issues/123/heartbeat", told).json()
    assert (beat["alive"], beat["token"]) == (True, taken["token"])

    answer = check_in(issues, status="completed", result={"prUrl": "x", "answer_to": None}, **told)
    done = answer.json()
    assert (answer.status_code, done["status"], done["checked_out_by"]) == (200, "completed", "p1")
    assert done["result"] == {"prUrl": "x", "answer_to": None}, "users' own data stay as they are"
    assert done["process_id"] is done["pid"] is done["last_heartbeat"] is None
    assert issues.get(f"{API}/issues/123").json() == done
    assert send(issues, "post", "issues/123/heartbeat", told).json() == {"alive": False}


def test_a_check_out_has_its_defaults(issues: Client):
    taken = check_out(issues)
    assert (taken["task_type"], taken["pid"], taken["ttl_s"]) == ("claude-cli", None, None)


def test_a_held_issue_is_refused_and_the_holder_named(issues: Client):
    check_out(issues)
    answer = send(issues, "post", "issues/123/checkout", {"process_id": "p2"})
    body = answer.json()
    assert (answer.status_code, body["code"], body["holder"]) == (409, "held", "p1")
    assert body["error"] == "Issue #123 is already being processed by p1"


@pytest.mark.parametrize("path", ["issues/123/checkin", "issues/123/heartbeat"])
def test_somebody_elses_issue_is_refused_and_the_holder_named(issues: Client, path: str):
    check_out(issues)
    answer = send(issues, "post", path, {"process_id": "p2"})
    assert (answer.status_code, answer.json()["code"]) == (409, "held")
    assert answer.json()["holder"] == "p1"
    assert issues.get(f"{API}/issues/123").json()["process_id"] == "p1"


@pytest.mark.parametrize("path", ["issues/123/checkin", "issues/123/heartbeat"])
def test_a_stale_token_is_refused(issues: Client, path: str):
    taken = check_out(issues, pid=1)
    again = check_out(issues, pid=2)
    assert again["token"] > taken["token"]
    answer = send(issues, "post", path, {"process_id": "p1", "token": taken["token"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_token")


def test_a_check_in_without_a_check_out_is_refused(issues: Client):
    answer = check_in(issues, process_id="p1")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_checked_out")


def test_a_repeated_check_in_is_answered_as_the_first_time(issues: Client):
    token = check_out(issues)["token"]
    first = check_in(issues, token=token, result=[1])
    assert check_in(issues, token=token, result=[1]).json() == first.json()


def test_a_check_in_says_who_it_is_unless_an_administrator_does_it(issues: Client, tokens: Tokens):
    check_out(issues)
    answer = check_in(issues)
    assert (answer.status_code, list(answer.json()["detail"])) == (400, ["process_id"])
    answer = check_in(Client(headers=tokens("admin")), status="error")
    assert (answer.status_code, answer.json()["status"]) == (200, "error")


def test_a_state_is_set_by_hand_only_while_nobody_holds_the_issue(issues: Client):
    body = {"status": "awaiting-response", "metadata": {"askedBy": "ann"}}
    answer = send(issues, "patch", "issues/5", body)
    assert (answer.status_code, answer.json()["metadata"]) == (200, {"askedBy": "ann"})
    token = check_out(issues, 5)["token"]
    assert send(issues, "patch", "issues/5", body).json()["code"] == "held"
    answer = send(issues, "patch", "issues/5", body | {"token": token})
    assert (answer.status_code, answer.json()["process_id"]) == (200, None)
    answer = send(issues, "patch", "issues/5", {"status": "processing"})
    assert (answer.status_code, answer.json()["code"]) == (409, "transition_refused")


def test_an_issue_is_forgotten(issues: Client):
    check_out(issues)
    assert issues.delete(f"{API}/issues/123").json()["process_id"] == "p1"
    for answer in (issues.get(f"{API}/issues/123"), issues.delete(f"{API}/issues/123")):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_issue")


def test_issues_are_listed_by_status_page_by_page(issues: Client):
    for number in range(1, 6):
        check_out(issues, number)
    check_in(issues, 2, process_id="p1")
    first = issues.get(f"{API}/issues?status=processing&limit=3").json()
    rest = issues.get(f"{API}/issues?status=processing&limit=3&cursor={first['next']}").json()
    numbers = [one["issue"] for one in first["issues"] + rest["issues"]]
    assert (sorted(numbers), first["count"], rest["next"]) == ([1, 3, 4, 5], 4, None)
    assert issues.get(f"{API}/issues").json()["count"] == 5


def test_a_damaged_record_is_named_and_hides_no_other(issues: Client, store):
    check_out(issues, 1)
    check_out(issues, 2)
    store.commit({}, [ops.HashSet(keys.state("issues"), {"1": b"{oh"})])
    page = issues.get(f"{API}/issues").json()
    assert ([one["issue"] for one in page["issues"]], page["damaged"]) == ([2], [1])
    answer = issues.get(f"{API}/issues/1")
    assert (answer.status_code, answer.json()["code"]) == (409, "damaged")


def test_statistics_count_by_state(issues: Client):
    check_out(issues, 1)
    check_out(issues, 2)
    check_in(issues, 2, process_id="p1", status="awaiting-response")
    assert issues.get(f"{API}/issues/statistics").json() == {
        "total": 2, "pending": 0, "processing": 1, "completed": 0, "error": 0,
        "awaiting_response": 1, "orphaned": 0,
    }  # fmt: skip


def test_a_history_goes_on_from_its_cursor(issues: Client):
    check_out(issues)
    first = issues.get(f"{API}/issues/123/history").json()
    assert [event["name"] for event in first["events"]] == ["issue.checked_out"]
    check_in(issues, process_id="p1")
    rest = issues.get(f"{API}/issues/123/history?cursor={first['cursor']}").json()
    assert [event["name"] for event in rest["events"]] == ["issue.checked_in"]
    assert issues.get(f"{API}/issues/9/history").json()["events"] == []


def test_orphans_are_listed_and_those_chosen_are_repaired(issues: Client):
    here = {"pid": 2**22 + 1, "host": socket.gethostname()}
    check_out(issues, 1, **here)
    check_out(issues, 2, **here)
    check_out(issues, 3, pid=os.getpid(), host=socket.gethostname())
    found = issues.get(f"{API}/issues/orphans").json()
    assert [(one["issue"], one["reason"]) for one in found["orphans"]] == [
        (1, "process_gone"), (2, "process_gone")
    ]  # fmt: skip
    answer = send(issues, "post", "issues/orphans", {"numbers": [2, 3, 99]}).json()
    assert [one["issue"] for one in answer["orphans"]] == [2]
    record = issues.get(f"{API}/issues/2").json()
    assert (record["status"], record["result"]["error"]) == ("error", "Process died unexpectedly")
    assert any(one.comment for one in run(labels.of_issue(2))), "a comment was asked for"
    assert send(issues, "post", "issues/orphans").json()["count"] == 1
    assert issues.get(f"{API}/issues/orphans").json()["count"] == 0


def test_an_issue_of_an_older_program_keeps_its_own_fields(issues: Client, store):
    record = {"status": "pending", "someOldField": {"a": [1, 2]}, "priority": 10**30}
    raw = codec.encode_json(record)
    store.commit({}, [ops.HashSet(keys.state("issues"), {"77": raw})])
    shown = issues.get(f"{API}/issues/77").json()
    assert shown["other"] == {"someOldField": {"a": [1, 2]}, "priority": 10**30}
