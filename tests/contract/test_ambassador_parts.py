"""What an ambassador remembers of requests, and what keeps it from doing one twice."""

import asyncio
import json
import socket
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore import keys
from statecore.ambassador import desk, messages
from statecore.ambassador.desk import Desk
from statecore.ambassador.duties import PROCESS_ID
from statecore.ambassador.messages import Damaged, parse
from statecore.ambassador.once import ConditionFailed, under
from statecore.ambassador.running import serve
from statecore.domain.issues import Holder
from statecore.domain.lifecycle import IssueStatus
from statecore.ports.request_files import RequestFiles
from statecore.services import checkouts, engine, keeper, processes
from statecore.store import open_store, ops


class Time:
    """A clock that the test moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def table(time):
    return Desk(time)


def request(name="r1", **more):
    return parse(json.dumps({"requestId": name, "action": "heartbeat", **more}).encode())


def test_a_request_waits_once_and_is_answered_from_memory_for_a_minute(table, time):
    pending = table.receive(request())
    assert table.receive(request()) is None
    table.settle(pending.request, b"answer")
    assert table.waiting() == []
    time.now += 59
    assert table.receive(request()) == b"answer"
    time.now += 2
    assert table.receive(request()) is not None


def test_a_standby_is_left_with_what_the_active_one_did_not_answer(table):
    for name in ("a", "b", "c"):
        table.receive(request(name))
    table.hear("b", b"told")
    assert [one.request.request_id for one in table.waiting()] == ["a", "c"]
    assert table.receive(request("b")) == b"told"


def test_a_request_is_forgotten_when_whoever_asked_has_given_up(table, time):
    old = table.receive(request("old"))
    time.now += desk.PATIENCE_S - 1
    table.receive(request("new"))
    time.now += 2
    assert not table.is_waiting(old)
    assert [one.request.request_id for one in table.waiting()] == ["new"]


def test_what_waits_is_bounded_in_number_and_in_bytes(table):
    for n in range(desk.MOST_WAITING):
        assert not table.is_full
        table.receive(request(n))
    assert table.is_full
    table.make_room()
    assert [one.request.request_id for one in table.waiting()][:2] == [1, 2]
    large = Desk()
    while not large.is_full:
        large.receive(request(len(large.waiting()), filler="x" * 4_000_000))
    assert len(large.waiting()) == 4


def test_answers_are_remembered_up_to_a_number_of_bytes(table):
    for n in range(20):
        pending = table.receive(request(n))
        table.settle(pending.request, b"x" * 1_000_000)
    assert not isinstance(table.receive(request(0)), bytes)
    assert isinstance(table.receive(request(19)), bytes)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_damaged(raw):
    with suppress(Damaged):
        assert parse(raw).request_id == json.loads(raw)["requestId"]


def test_a_request_is_known_again_by_all_but_its_time():
    first, again = request(timestamp="1"), request(timestamp="2")
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != request(issueNumber=5).fingerprint


@pytest.mark.parametrize("raw", [b"", b"[", b"[]", b'"x"', b"\xff", b'{"requestId": [1]}'])
def test_an_answer_of_somebody_else_that_is_none_belongs_to_nobody(raw):
    assert messages.answered_id(raw) in (None, [1])


@pytest.mark.parametrize("kind", ["memory", "file"])
async def test_without_channels_the_duties_are_done_all_the_same(kind, tmp_path, state_engine):
    store = state_engine(open_store(f"{kind}://{tmp_path / 'state' if kind == 'file' else ''}"))
    agent = subprocess.Popen(["true"])
    agent.wait()
    holder = Holder(process_id="p1", pid=agent.pid, host=socket.gethostname())
    await store.arun(checkouts.check_out(5, holder))
    stopping = asyncio.Event()
    serving = asyncio.create_task(
        serve(
            store,
            stopping,
            comment=lambda orphan: f"{orphan.issue.process_id} died",
            check_every_s=0.05,
            delivery=RequestFiles(tmp_path),
        )
    )

    def written():
        found = (tmp_path / "requests").glob("label-update-*.json")
        return [json.loads(path.read_text()) for path in found]

    async with asyncio.timeout(20):
        while len(written()) < 3:
            await asyncio.sleep(0.02)
    assert (await store.arun(checkouts.get(5))).status is IssueStatus.ERROR
    assert (await store.arun(processes.get(PROCESS_ID))).role == "redis-ambassador"
    said = [str(one) for one in written()]
    assert sum("p1 died" in one for one in said) == 1
    stopping.set()
    await serving
    assert store.run(keeper.active()) is None
    assert store.run(processes.get(PROCESS_ID)).final_status == "stopped"
    store.close()


@pytest.fixture
def state_engine():
    """Lets the services run on a store."""
    before = engine._open, engine._limits

    def use(store):
        engine.configure(lambda: store)
        return store

    yield use
    engine.configure(*before)


class TestUnderConditions:
    """Over the memory store and a real engine."""

    PLACE = ops.Key(keys.answer("f"))

    @pytest.fixture(params=["memory", "redis"], autouse=True)
    def store(self, request, state_engine):
        return state_engine(request.getfixturevalue(f"{request.param}_store"))

    def check_out(self, store, **conditions):
        steps = checkouts.check_out(5, Holder(process_id="p1"))
        also = (ops.Set(self.PLACE.key, b"done", 1000),)
        return store.run(under(steps, conditions.get("conditions", {self.PLACE: None}), also))

    def test_what_is_written_besides_stands_there_exactly_when_it_was_done(self, store):
        assert self.check_out(store).process_id == "p1"
        assert store.read(self.PLACE) == [b"done"]

    def test_a_second_time_is_refused_and_says_what_was_answered(self, store):
        first = self.check_out(store)
        store.run(checkouts.check_in(5))
        with pytest.raises(ConditionFailed) as failed:
            self.check_out(store)
        assert failed.value.current[self.PLACE] == b"done"
        assert store.run(checkouts.get(5)).token == first.token
        assert not store.run(checkouts.get(5)).is_held

    def test_a_change_that_the_conditions_do_not_mean_is_decided_anew(self, store):
        store.run(checkouts.check_out(5, Holder(process_id="p1", pid=1)))
        store.commit({}, [ops.HashSet(keys.state("issues"), {"5": b'{"status":"pending"}'})])
        assert self.check_out(store).process_id == "p1"

    def test_whoever_has_lost_the_lease_writes_nothing(self, store):
        held = store.run(keeper.take_over("one", 5000))
        assert held
        assert store.run(keeper.active()) == "one"
        assert store.run(keeper.take_over("two", 5000)) is None
        assert store.run(keeper.renew(held, 5000))
        store.run(keeper.give_back(held))
        assert store.run(keeper.active()) is None
        assert store.run(keeper.take_over("two", 5000))
        assert not store.run(keeper.renew(held, 5000))
        store.run(keeper.give_back(held))
        assert store.run(keeper.active()) == "two"
        with pytest.raises(ConditionFailed):
            self.check_out(store, conditions=keeper.only_while(held))
        assert store.read(ops.Field(keys.state("issues"), "5")) == [None]
