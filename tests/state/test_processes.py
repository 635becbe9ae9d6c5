"""Processes: signs of life, silence, and the end; what they held is given back."""

import pytest

from statecore import codec, keys
from statecore.domain.errors import InvalidInput, UnknownProcess
from statecore.domain.issues import Claimant, Holder
from statecore.domain.lifecycle import IssueStatus
from statecore.domain.processes import ACTIVE, ENDED
from statecore.services import checkouts, processes, run
from statecore.store import ops
from statecore.store.base import Store

DAY_S = 86_400
TTL_S = 1800


def members(store: Store, key: str) -> frozenset[str]:
    return store.read(ops.Members(key))[0]


def events(store: Store) -> list[str]:
    told = (codec.decode_event(raw) for _, raw in store.tail(keys.EVENTS, "").entries)
    return [one.__struct_config__.tag for one in told if one]


def test_a_process_that_announces_itself_is_active(store: Store):
    run(processes.register("p1", pid=77, host="here", role="agent", task_type="claude-cli"))
    process = run(processes.get("p1"))
    assert (process.pid, process.host, process.role) == (77, "here", "agent")
    assert (process.status, process.task_type) == (ACTIVE, "claude-cli")
    assert [one.process_id for one in run(processes.list_processes())] == ["p1"]
    assert members(store, keys.PROCESSES_ACTIVE) == {"p1"}
    assert store.read(ops.Key("poppo:process:heartbeat:p1")) == [b"alive"]
    assert events(store) == ["process.registered"]


@pytest.mark.parametrize("name", ["", "a:b", "a/b", "{p01}", "a\0", "x" * 201, None, 5])
def test_a_process_needs_a_name_that_can_be_part_of_a_key(store: Store, name):
    with pytest.raises(InvalidInput, match="process_id"):
        run(processes.register(name))
    with pytest.raises(InvalidInput, match="process_id"):
        run(processes.heartbeat(name))
    assert run(processes.list_processes()) == []


def test_a_sign_of_life_says_how_long_it_lasts_and_makes_a_process_known(store: Store):
    assert run(processes.heartbeat("new")) == TTL_S * 1000
    assert run(processes.get("new")).status == ACTIVE


def test_a_sign_of_life_lasts_half_an_hour(still, memory_store):
    run(processes.register("p1"))
    alive = ops.Key(keys.process_heartbeat("p1"))
    still.advance(TTL_S - 1)
    run(processes.heartbeat("p1"))
    still.advance(TTL_S - 1)
    assert memory_store.read(alive) == [b"alive"]
    assert run(processes.find_zombies()) == []
    still.advance(2)
    assert memory_store.read(alive) == [None]
    assert run(processes.find_zombies()) == ["p1"]


def test_a_sign_of_life_renews_what_the_process_holds_and_nothing_else(still):
    for number, name in ((1, "p1"), (2, "p1"), (3, "p2")):
        run(checkouts.check_out(number, Holder(process_id=name)))
    still.advance(100)
    run(processes.heartbeat("p1"))
    begun = {n: run(checkouts.get(n)).start_time for n in (1, 2, 3)}
    heard = {n: run(checkouts.get(n)).last_heartbeat for n in (1, 2, 3)}
    assert [(heard[n] - begun[n]).total_seconds() for n in (1, 2, 3)] == [100, 100, 0]
    still.advance(250)
    assert run(checkouts.check_out(3, Holder(process_id="p9"))).process_id == "p9"
    with pytest.raises(Exception, match="already being processed by p1"):
        run(checkouts.check_out(1, Holder(process_id="p9")))


def test_a_sign_of_life_can_leave_leases_alone(still):
    run(checkouts.check_out(1, Holder(process_id="p1")))
    before = run(checkouts.get(1))
    still.advance(10)
    run(processes.heartbeat("p1", renews=False))
    assert run(checkouts.get(1)) == before


def test_a_process_that_lost_an_issue_does_not_renew_it_for_another(still):
    run(checkouts.check_out(1, Holder(process_id="p1")))
    still.advance(301)
    taken = run(checkouts.check_out(1, Holder(process_id="p2")))
    still.advance(10)
    run(processes.heartbeat("p1"))
    assert run(checkouts.get(1)) == taken
    assert run(processes.held_by("p1")) == []
    assert run(processes.held_by("p2")) == [1]


def test_cleaning_up_gives_everything_back_as_failed(store: Store):
    for number in (12, 5):
        run(checkouts.check_out(number, Holder(process_id="p1")))
    run(checkouts.check_out(6, Holder(process_id="p2")))
    assert run(processes.clean_up("p1", reason="asked to")) == [5, 12]
    for number in (5, 12):
        issue = run(checkouts.get(number))
        assert (issue.status, issue.process_id) == (IssueStatus.ERROR, None)
        assert issue.result == {"error": "Process p1 ended: asked to"}
    assert run(checkouts.get(6)).is_held
    ended = run(processes.get("p1"))
    assert (ended.status, ended.final_status) == (ENDED, "error")
    assert ended.end_time is not None
    assert [one.process_id for one in run(processes.list_processes())] == ["p2"]
    assert members(store, keys.PROCESSES_ACTIVE) == {"p2"}
    assert "process.ended" in events(store)


def test_cleaning_up_twice_gives_back_nothing_more_and_nobody_cannot_be_cleaned_up(store: Store):
    run(checkouts.check_out(1, Holder(process_id="p1")))
    assert run(processes.clean_up("p1")) == [1]
    run(checkouts.check_out(1, Holder(process_id="p2")))
    assert run(processes.clean_up("p1")) == []
    assert run(checkouts.get(1)).process_id == "p2"
    with pytest.raises(UnknownProcess):
        run(processes.clean_up("nobody"))


def test_a_process_whose_record_was_deleted_by_hand_still_gives_back_what_it_held(store: Store):
    run(checkouts.check_out(1, Holder(process_id="p1")))
    store.commit({}, [ops.Delete((keys.process_info("p1"),))])
    assert run(processes.clean_up("p1")) == [1]
    assert run(checkouts.get(1)).status is IssueStatus.ERROR


def test_an_issue_whose_record_is_damaged_does_not_keep_the_others_from_being_given_back(
    store: Store,
):
    for number in (1, 2):
        run(checkouts.check_out(number, Holder(process_id="p1")))
    store.commit({}, [ops.HashSet(keys.state("issues"), {"1": b'{"status": "no such"}'})])
    assert run(processes.clean_up("p1")) == [2]
    assert run(processes.get("p1")).status == ENDED


def test_an_ended_process_can_be_looked_at_for_a_day_and_begin_anew(still):
    run(processes.register("p1"))
    run(processes.clean_up("p1", final_status="completed"))
    still.advance(DAY_S - 1)
    assert run(processes.get("p1")).final_status == "completed"
    run(processes.register("p1"))
    still.advance(2)
    again = run(processes.get("p1"))
    assert (again.status, again.final_status, again.end_time) == (ACTIVE, None, None)
    run(processes.clean_up("p1"))
    still.advance(DAY_S + 1)
    with pytest.raises(UnknownProcess):
        run(processes.get("p1"))


def test_a_silent_process_is_found_marked_and_cleaned_up_and_a_loud_one_is_not(still, memory_store):
    lasting = {"ttl_ms": 2 * TTL_S * 1000}
    run(checkouts.check_out(1, Holder(process_id="silent", **lasting)))
    run(checkouts.check_out(2, Holder(process_id="loud", **lasting)))
    still.advance(TTL_S - 5)
    run(processes.heartbeat("loud"))
    still.advance(10)
    assert run(processes.find_zombies()) == ["silent"]
    assert members(memory_store, keys.PROCESSES_ZOMBIES) == {"silent"}
    assert members(memory_store, keys.PROCESSES_ACTIVE) == {"loud"}
    assert run(processes.clean_zombies()) == {"silent": [1]}
    assert run(processes.get("silent")).final_status == "zombie"
    assert members(memory_store, keys.PROCESSES_ZOMBIES) == frozenset()
    assert run(processes.clean_zombies()) == {}
    assert run(checkouts.get(2)).is_held


def test_a_process_marked_as_dead_that_shows_life_is_active_again(still, memory_store):
    run(processes.register("p1"))
    still.advance(TTL_S + 1)
    assert run(processes.find_zombies()) == ["p1"]
    run(processes.heartbeat("p1"))
    assert run(processes.clean_zombies()) == {}
    assert members(memory_store, keys.PROCESSES_ACTIVE) == {"p1"}


def test_a_dead_process_whose_record_was_deleted_by_hand_is_forgotten(still, memory_store):
    run(processes.register("p1"))
    still.advance(TTL_S + 1)
    memory_store.commit({}, [ops.Delete((keys.process_info("p1"),))])
    assert run(processes.clean_zombies()) == {}
    assert run(processes.find_zombies()) == []
    assert memory_store.scan_index(keys.PROCESSES, 10) == []


def test_checking_in_lets_go_of_an_issue_and_the_process_lives_on(store: Store):
    run(checkouts.check_out(4, Holder(process_id="p1")))
    assert run(processes.get("p1")).issue_number == 4
    run(checkouts.check_in(4, claimant=Claimant(process_id="p1")))
    assert run(processes.held_by("p1")) == []
    assert run(processes.get("p1")).status == ACTIVE


def test_after_everything_was_forgotten_a_process_goes_on(memory_store, still):
    run(checkouts.check_out(1, Holder(process_id="p1")))
    memory_store.flush()
    assert run(processes.heartbeat("p1")) == TTL_S * 1000
    assert run(processes.held_by("p1")) == []
    assert [one.process_id for one in run(processes.list_processes())] == ["p1"]
