"""Orphans: found by dead pid, silence or lease; given back, and spoken of."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from statecore.domain.issues import Claimant, Holder
from statecore.domain.lifecycle import IssueStatus
from statecore.services import checkouts, issue_lists, labels, orphans, processes
from statecore.services.engine import run
from statecore.store.base import Store

HERE = "this-host"


def ended_process() -> int:
    """The pid of a process that has just ended."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


def reasons(**options: object) -> dict[int, str]:
    """Why each orphan is one."""
    return {one.issue.number: one.reason for one in run(orphans.detect(host=HERE, **options))}


def test_a_dead_process_of_this_host_is_noticed_at_once(store: Store):
    run(checkouts.check_out(1, Holder(process_id="dead", pid=ended_process(), host=HERE)))
    run(checkouts.check_out(2, Holder(process_id="alive", pid=os.getpid(), host=HERE)))
    run(checkouts.check_out(3, Holder(process_id="elsewhere", pid=ended_process(), host="other")))
    run(checkouts.check_out(4, Holder(process_id="huge", pid=2**60, host=HERE)))
    assert reasons() == {1: "process_gone", 4: "process_gone"}
    assert run(issue_lists.statistics()).orphaned == 0  # they are of another host than this one


def test_a_silent_process_is_noticed_after_the_limit(still):
    run(checkouts.check_out(1, Holder(process_id="quiet")))
    run(checkouts.check_out(2, Holder(process_id="slow", ttl_ms=120_000)))
    still.advance(30)
    assert reasons() == {}
    still.advance(1)
    assert reasons() == {1: "heartbeat_over_limit"}
    run(checkouts.heartbeat(1))
    assert reasons() == {}
    still.advance(89)
    assert reasons() == {1: "heartbeat_over_limit", 2: "lease_expired"}
    still.advance(300)
    assert reasons() == {1: "lease_expired", 2: "lease_expired"}


def test_repair_checks_in_as_error_and_asks_for_a_comment(store: Store):
    pid = ended_process()
    run(checkouts.check_out(7, Holder(process_id="dead", pid=pid, host=HERE)))
    repaired = run(orphans.repair_all(lambda orphan: f"gone: {orphan.reason}", host=HERE))
    assert [one.issue.number for one in repaired] == [7]
    issue = run(checkouts.get(7))
    assert issue.status is IssueStatus.ERROR
    assert issue.result["error"] == "Process died unexpectedly"
    assert issue.result["originalPid"] == pid
    assert issue.result["orphanedAt"].endswith("Z")
    asked = run(labels.claim(10))
    assert [(one.add, one.remove, one.comment) for one in asked] == [
        (("processing",), (), ""),
        (("error",), ("processing",), ""),
        ((), (), "gone: process_gone"),
    ]
    assert run(orphans.repair_all(lambda orphan: "again", host=HERE)) == []


def test_whoever_comes_back_to_life_keeps_its_issue(still):
    run(checkouts.check_out(1, Holder(process_id="slow")))
    still.advance(31)
    (orphan,) = run(orphans.detect(host=HERE))
    run(checkouts.heartbeat(1, Claimant(process_id="slow")))
    assert run(orphans.repair(orphan, lambda orphan: "gone", host=HERE)) is None
    assert run(checkouts.get(1)).process_id == "slow"


def test_two_who_repair_at_once_speak_once(still):
    run(checkouts.check_out(1, Holder(process_id="quiet")))
    still.advance(31)
    (orphan,) = run(orphans.detect(host=HERE))
    assert run(orphans.repair(orphan, lambda orphan: "gone", host=HERE))
    assert run(orphans.repair(orphan, lambda orphan: "gone", host=HERE)) is None
    assert len([one for one in run(labels.claim(10)) if one.comment]) == 1


def test_a_process_holds_what_it_checked_out_until_it_ends(store: Store):
    run(processes.register("agent-1", pid=5, role="agent"))
    for number in (1, 2, 3):
        run(checkouts.check_out(number, Holder(process_id="agent-1", pid=5)))
    run(checkouts.check_in(2))
    assert run(processes.held_by("agent-1")) == [1, 3]
    assert run(processes.clean_up("agent-1")) == [1, 3]
    assert run(checkouts.get(1)).status is IssueStatus.ERROR
    assert run(checkouts.get(2)).status is IssueStatus.COMPLETED
    assert run(processes.get("agent-1")).final_status == "error"
    assert run(processes.list_processes()) == []


@pytest.mark.parametrize("pid", [0, -1])
def test_odd_pids_do_no_harm(still, pid):
    run(checkouts.check_out(1, Holder(process_id="odd", pid=pid, host=HERE)))
    assert reasons() in ({}, {1: "process_gone"})
