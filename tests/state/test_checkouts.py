"""Issues: check-out, heartbeat, check-in, and all the places where an issue stands."""

from __future__ import annotations

import pytest

from statecore import codec, keys
from statecore.domain.errors import (
    HeldByAnother,
    InvalidInput,
    NotCheckedOut,
    StaleToken,
    TooLarge,
    TransitionRefused,
    UnknownIssue,
)
from statecore.domain.issues import NUMBER_MAX, Claimant, Holder
from statecore.domain.lifecycle import IssueStatus
from statecore.services import checkouts, issue_lists, labels, namespaced
from statecore.services.engine import run
from statecore.store import ops
from statecore.store.base import Store

ANN, BOB = Holder(process_id="ann", pid=1), Holder(process_id="bob", pid=2)
DONE, ERROR, PENDING = IssueStatus.COMPLETED, IssueStatus.ERROR, IssueStatus.PENDING


def places(store: Store, number: int) -> dict[str, object]:
    """Everything that the engine says of an issue, wherever it says it."""
    record, status, lock, processing, processed = store.read(
        ops.Field(keys.state("issues"), str(number)),
        ops.WholeHash(keys.issue_status(number)),
        ops.Key(keys.issue_lock(number)),
        ops.Members(keys.ISSUES_PROCESSING),
        ops.Members(keys.ISSUES_PROCESSED),
    )
    indexed = [
        one
        for one in IssueStatus
        if store.read(ops.Score(keys.issues_in(one), str(number))) != [None]
    ]
    return {
        "record": codec.decode_json(record) if record else None,
        "status": {name: value.decode() for name, value in status.items()},
        "lock": lock and lock.decode(),
        "processing": str(number) in processing,
        "processed": str(number) in processed,
        "indexed": indexed,
    }


def assert_agree(store: Store, number: int) -> None:
    """All places say the same of an issue."""
    found = places(store, number)
    record, status = found["record"], found["status"]
    if record is None:
        assert (status, found["lock"], found["indexed"]) == ({}, None, [])
        assert not found["processing"]
        assert not found["processed"]
        return
    held = record["status"] == "processing"
    same = {"status", "processId", "taskType", "startTime", "endTime", "lastHeartbeat"}
    assert {k: record[k] for k in same if record.get(k)} == {
        k: v for k, v in status.items() if k in same
    }
    assert found["lock"] == (record["processId"] if held else None)
    assert found["processing"] is held
    assert found["processed"] is (record["status"] in ("completed", "awaiting-response"))
    assert found["indexed"] == [record["status"]]


def test_an_issue_goes_from_check_out_to_check_in(store: Store):
    issue = run(checkouts.check_out(123, Holder(process_id="p1", pid=77, task_type="test-task")))
    found = places(store, 123)
    assert found["record"] == {
        "status": "processing", "processId": "p1", "pid": 77, "taskType": "test-task",
        "startTime": codec.iso(issue.start_time), "lastHeartbeat": codec.iso(issue.start_time),
        "lastUpdated": codec.iso(issue.start_time), "checkedOutBy": "p1", "token": issue.token,
        "leaseUntil": codec.iso(issue.lease_until),
        "metadata": {"retryCount": 0, "errorCount": 0},
    }  # fmt: skip
    assert_agree(store, 123)
    assert run(checkouts.heartbeat(123)).last_heartbeat >= issue.last_heartbeat
    assert_agree(store, 123)
    ended = run(checkouts.check_in(123, DONE, {"result": "success"}))
    assert (ended.process_id, ended.pid, ended.last_heartbeat) == (None, None, None)
    assert_agree(store, 123)
    record = places(store, 123)["record"]
    assert record["result"] == {"result": "success"}
    assert (record["processId"], record["pid"], record["lastHeartbeat"]) == (None, None, None)
    assert record["endTime"] == record["lastUpdated"]
    assert store.read(ops.WholeHash(keys.issue_metadata(123))) == [{"result": b"success"}]


def test_a_second_process_is_refused_and_told_who_holds_it(store: Store):
    run(checkouts.check_out(5, ANN))
    with pytest.raises(HeldByAnother, match="Issue #5 is already being processed by ann") as held:
        run(checkouts.check_out(5, BOB))
    assert held.value.facts["holder"] == "ann"
    assert places(store, 5)["record"]["processId"] == "ann"


def test_the_same_process_may_check_out_again_and_keeps_its_token(store: Store):
    first = run(checkouts.check_out(5, ANN))
    assert run(checkouts.check_out(5, ANN)).token == first.token
    again = run(checkouts.check_out(5, Holder(process_id="ann", pid=99)))
    assert again.token > first.token  # another incarnation: the first one is fenced off
    with pytest.raises(StaleToken):
        run(checkouts.check_in(5, DONE, None, Claimant(process_id="ann", token=first.token)))
    assert_agree(store, 5)


def test_tokens_grow_over_check_ins_and_resets(store: Store):
    tokens = []
    for _ in range(5):
        tokens.append(run(checkouts.check_out(9, ANN)).token)
        run(checkouts.check_in(9))
        tokens.append(run(checkouts.check_out(9, BOB)).token)
        run(checkouts.reset(9))
    assert tokens == sorted(set(tokens))


def test_a_check_in_is_refused_to_others_and_to_late_ones_and_changes_nothing(store: Store):
    token = run(checkouts.check_out(5, ANN)).token
    before = places(store, 5)
    with pytest.raises(HeldByAnother, match="Issue #5 is not checked out by process bob") as held:
        run(checkouts.check_in(5, DONE, {}, Claimant(process_id="bob")))
    assert held.value.facts["holder"] == "ann"
    with pytest.raises(StaleToken):
        run(checkouts.check_in(5, DONE, {}, Claimant(token=token - 1)))
    with pytest.raises(NotCheckedOut):
        run(checkouts.check_in(6, DONE, {}))
    with pytest.raises(InvalidInput, match="status"):
        run(checkouts.check_in(5, IssueStatus.PROCESSING, {}))
    assert places(store, 5) == before


def test_a_repeated_check_in_is_answered_as_the_first_time(store: Store):
    claimant = Claimant(process_id="ann", token=run(checkouts.check_out(5, ANN)).token)
    first = run(checkouts.check_in(5, DONE, {"n": 1}, claimant))
    assert run(checkouts.check_in(5, DONE, {"n": 1}, claimant)) == first
    with pytest.raises(NotCheckedOut):
        run(checkouts.check_in(5, ERROR, {"n": 1}, claimant))
    with pytest.raises(NotCheckedOut):
        run(checkouts.check_in(5, DONE, {"n": 1}))


def test_errors_and_retries_are_counted(store: Store):
    run(checkouts.check_out(5, ANN))
    assert run(checkouts.check_in(5, ERROR)).metadata == {"retryCount": 0, "errorCount": 1}
    run(checkouts.check_out(5, BOB))
    assert run(checkouts.check_in(5, DONE)).metadata == {"retryCount": 1, "errorCount": 1}


def test_a_lease_that_is_over_protects_nobody(still):
    first = run(checkouts.check_out(5, ANN))
    still.advance(299)
    with pytest.raises(HeldByAnother):
        run(checkouts.check_out(5, BOB))
    still.advance(1)
    second = run(checkouts.check_out(5, BOB))
    assert second.token > first.token
    with pytest.raises(StaleToken):
        run(checkouts.heartbeat(5, Claimant(token=first.token)))
    with pytest.raises(HeldByAnother):
        run(checkouts.heartbeat(5, Claimant(process_id="ann")))
    assert run(checkouts.get(5)).process_id == "bob"


def test_a_heartbeat_extends_the_lease_and_says_when_nobody_holds_it(still):
    assert run(checkouts.heartbeat(5)) is None
    run(checkouts.check_out(5, Holder(process_id="ann", ttl_ms=10_000)))
    for _ in range(5):
        still.advance(9)
        assert run(checkouts.heartbeat(5)) is not None
    with pytest.raises(HeldByAnother):
        run(checkouts.check_out(5, BOB))
    run(checkouts.check_in(5))
    assert run(checkouts.heartbeat(5)) is None


def test_an_update_leaves_a_held_issue_alone_unless_its_holder_asks(store: Store):
    run(checkouts.update(5, PENDING, {"why": "new"}))
    assert_agree(store, 5)
    with pytest.raises(TransitionRefused):
        run(checkouts.update(5, IssueStatus.PROCESSING))
    token = run(checkouts.check_out(5, ANN)).token
    with pytest.raises(HeldByAnother):
        run(checkouts.update(5, DONE))
    issue = run(checkouts.update(5, IssueStatus.AWAITING_RESPONSE, {}, Claimant(token=token)))
    assert (issue.process_id, issue.metadata["why"]) == (None, "new")
    assert_agree(store, 5)


def test_a_reset_forgets_everything_but_fences_the_late_holder(store: Store):
    token = run(checkouts.check_out(5, ANN)).token
    run(checkouts.reset(5))
    assert_agree(store, 5)
    with pytest.raises(UnknownIssue):
        run(checkouts.get(5))
    with pytest.raises(UnknownIssue):
        run(checkouts.reset(5))
    with pytest.raises(NotCheckedOut):
        run(checkouts.check_in(5, DONE, {}, Claimant(token=token)))
    assert run(issue_lists.statistics()).total == 0


def test_whoever_changes_the_entry_changes_the_issue(store: Store):
    run(namespaced.put("issues", "5", {"status": "pending", "title": "日本語"}))
    assert_agree(store, 5)
    assert codec.decode_json(run(namespaced.get("issues", "5")).raw) == {
        "status": "pending", "title": "日本語",
    }  # fmt: skip
    run(checkouts.check_out(5, ANN))
    assert run(namespaced.get("issues", "5")).raw.decode().count("日本語") == 1
    first = run(checkouts.get(5))
    run(namespaced.put("issues", "5", {"status": "processing", "processId": "bob"}))
    assert_agree(store, 5)
    with pytest.raises(StaleToken):
        run(checkouts.check_in(5, DONE, {}, Claimant(token=first.token)))
    run(namespaced.delete("issues", "5"))
    assert_agree(store, 5)
    for wrong in ({"status": "done"}, {"status": "processing"}, [1], "x", {"status": 5}, {}):
        with pytest.raises(InvalidInput):
            run(namespaced.put("issues", "5", wrong))
    assert_agree(store, 5)


@pytest.mark.parametrize("number", [0, -1, 2**53, 10**40, True, 1.5, "x", "", "1e3", "٣", None, []])
def test_a_wrong_number_is_refused(still, number):
    for steps in (
        checkouts.check_out(number, ANN), checkouts.heartbeat(number), checkouts.get(number),
        checkouts.check_in(number), checkouts.update(number, PENDING), checkouts.reset(number),
        issue_lists.history(number),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=f"whole number from 1 to {NUMBER_MAX}"):
            run(steps)


@pytest.mark.parametrize(
    "name", ["", "a:b", "a/b", "a\nb", "x" * 10_000, " a", "..", None, 5, "\ud800"]
)
def test_a_wrong_process_name_is_refused(still, name):
    with pytest.raises(InvalidInput, match="process_id"):
        run(checkouts.check_out(5, Holder(process_id=name)))


def test_a_result_that_cannot_be_kept_is_refused(store: Store):
    run(checkouts.check_out(5, ANN))
    before = places(store, 5)
    deep: list = []
    for _ in range(200):
        deep = [deep]
    for result in ({"a": float("nan")}, {"a": object()}, deep, {"a": "\ud800"}):
        with pytest.raises(InvalidInput):
            run(checkouts.check_in(5, DONE, result))
    with pytest.raises(TooLarge):
        run(checkouts.check_in(5, DONE, "x" * 1_000_001))
    assert places(store, 5) == before


def test_every_change_of_state_asks_for_labels_once(store: Store):
    run(checkouts.check_out(5, ANN))
    run(checkouts.heartbeat(5))
    run(checkouts.check_out(5, ANN))
    run(checkouts.check_in(5, DONE))
    run(checkouts.update(5, DONE))
    asked = [(one.add, one.remove) for one in run(labels.claim(10))]
    assert asked == [(("processing",), ()), (("completed",), ("processing",))]


def test_lists_pages_counts_and_history(store: Store):
    for number in range(1, 8):
        run(checkouts.check_out(number, ANN))
    for number in range(1, 4):
        run(checkouts.check_in(number, DONE))
    run(checkouts.check_in(4, ERROR))
    found = run(issue_lists.statistics())
    assert (found.total, found.processing, found.completed, found.error) == (7, 3, 3, 1)
    assert run(issue_lists.processing()) == [5, 6, 7]
    seen, cursor = [], ""
    while cursor is not None:
        page = run(issue_lists.list_issues(limit=3, cursor=cursor))
        seen += [issue.number for issue in page.issues]
        cursor = page.next
    assert sorted(seen) == list(range(1, 8))
    assert run(issue_lists.list_issues(status=ERROR)).issues[0].number == 4
    events = [codec.decode_event(raw) for _, raw in run(issue_lists.history(1)).entries]
    assert [type(one).__name__ for one in events] == ["IssueCheckedOut", "IssueCheckedIn"]
    for limit, bad in ((0, ""), (201, ""), (5, "?"), (5, "!!")):
        with pytest.raises(InvalidInput):
            run(issue_lists.list_issues(limit=limit, cursor=bad))


def test_what_was_deleted_by_hand_is_forgotten(store: Store):
    run(checkouts.check_out(5, ANN))
    store.commit({}, [ops.HashDelete(keys.state("issues"), ("5",))])
    assert run(issue_lists.list_issues()).issues == []
    assert run(issue_lists.statistics()).total == 0
    assert run(issue_lists.processing()) == []
    run(checkouts.check_out(5, BOB))
    assert_agree(store, 5)
