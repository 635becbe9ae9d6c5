"""Ambassadors die, stand still and hand over; the engine goes away: nothing told is lost."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import Any

import pytest
import redis

from statecore.domain.orphans import COMMENT
from tests.contract.ambassadors import Client, ambassadors, wait_for

TAKE_OVER_S = 10.0
"""A standby takes over within this time (the lease lasts 8 s)."""


@pytest.fixture
def server(own_engine_server):
    return own_engine_server


@pytest.fixture
def start(server, tmp_path):
    """Starts ambassadors on the server; they look for orphans every second."""
    (tmp_path / "amb").mkdir()
    short = {"ORCHARD_ORPHAN_CHECK_S": "1", "ORCHARD_ISSUE_SILENCE_S": "2"}
    with ambassadors(tmp_path / "amb", server.url, **short) as begin:
        yield begin


@pytest.fixture
def client(server):
    client = Client(server.client)
    yield client
    client.close()


def record(server, number: int) -> dict[str, Any]:
    return json.loads(server.client.hget("poppo:state:issues", str(number)))


def events_of(server, name: str) -> list[dict[str, Any]]:
    entries = [json.loads(next(iter(one.values()))) for _, one in server.client.xrange("events")]
    return [one for one in entries if one["name"] == name]


class Load(threading.Thread):
    """A program that checks issues out and in, repeating what is not answered in a second."""

    def __init__(self, url: str, name: str, first: int) -> None:
        super().__init__(name=name)
        self.engine = redis.Redis.from_url(url, protocol=2)
        self.client = Client(self.engine, name)
        self.numbers = iter(range(first, first + 100_000))
        self.stopping = threading.Event()
        self.done: list[int] = []
        """Issues whose check-out and check-in were both acknowledged."""
        self.wrong: list[dict[str, Any]] = []

    def run(self) -> None:
        while not self.stopping.is_set():
            number = next(self.numbers)
            self.insist("checkout_issue", issueNumber=number)
            self.insist("checkin_issue", issueNumber=number, metadata={"by": self.name})
            self.done.append(number)
        self.client.close()
        self.engine.close()

    def insist(self, action: str, **payload: Any) -> None:
        asked = self.client.request(action, **payload)
        for _ in range(40):
            self.client.send(asked)
            if answer := self.client.answer_to(asked["requestId"], 1.0):
                if not answer["success"]:
                    self.wrong.append(answer)
                return
        self.wrong.append({"unanswered": asked})


def test_a_standby_takes_over_under_load_and_nothing_acknowledged_is_lost(server, start):
    active = start("first")
    active.await_active()
    standby = start("second")
    standby.await_ready()
    loads = [Load(server.url, f"agent-{n}", n * 100_000) for n in range(1, 5)]
    for load in loads:
        load.start()
    wait_for("some work", lambda: min(len(load.done) for load in loads) > 20)
    assert not standby.says("is active\n")
    active.kill()
    begun, before = time.monotonic(), [len(load.done) for load in loads]
    standby.await_active()
    assert time.monotonic() - begun < TAKE_OVER_S
    wait_for(
        "work to go on",
        lambda: all(len(one.done) > n + 20 for one, n in zip(loads, before, strict=True)),
    )
    for load in loads:
        load.stopping.set()
    for load in loads:
        load.join(60)
    assert [load.wrong for load in loads] == [[], [], [], []]
    for load in loads:
        for number in load.done:
            found = record(server, number)
            assert (found["status"], found["result"]) == ("completed", {"by": load.name})
    # Requests were repeated, but none was done twice.
    for name in ("issue.checked_out", "issue.checked_in"):
        counts = Counter(one["issue"] for one in events_of(server, name))
        assert set(counts.values()) == {1}


def test_a_request_made_while_nobody_is_active_is_answered_by_the_one_that_takes_over(
    server, start, client
):
    active = start("first")
    active.await_active()
    start("second").await_ready()
    active.kill()
    asked = client.request("checkout_issue", issueNumber=5)
    answer = client.put(asked, TAKE_OVER_S + 2)  # sent once
    assert answer["success"] is True
    assert record(server, 5)["processId"] == "agent-1"


def test_an_ambassador_that_is_asked_to_stop_hands_over_at_once(server, start, client):
    active = start("first")
    active.await_active()
    standby = start("second")
    standby.await_ready()
    client.ask("checkout_issue", issueNumber=5)
    begun = time.monotonic()
    assert active.stop() == 0
    standby.await_active()
    assert time.monotonic() - begun < 7  # the lead of a dead one ends after 8 s
    assert client.ask("get_issue_status", issueNumber=5)["status"]["processId"] == "agent-1"

    def known_by() -> bytes | None:
        return server.client.hget("poppo:process:info:mirin-redis-ambassador", "pid")

    wait_for("its own sign of life", lambda: known_by() == str(standby.process.pid).encode())


def test_a_request_repeated_to_the_next_one_is_answered_as_by_the_first(server, start, client):
    first = start("first")
    first.await_active()
    client.ask("checkout_issue", issueNumber=5)
    asked = client.request("checkin_issue", issueNumber=5, metadata={"n": 1})
    told = client.put(asked)
    first.kill()
    server.client.delete("poppo:lock:keeper")  # nobody needs to wait for it here
    start("next").await_active()
    assert client.put(asked) == told
    assert len(events_of(server, "issue.checked_in")) == 1


def test_one_alone_that_stops_says_that_it_has_ended(server, start):
    alone = start("alone")
    alone.await_active()
    info = "poppo:process:info:mirin-redis-ambassador"
    wait_for("its sign of life", lambda: server.client.exists(info))
    assert alone.stop() == 0
    assert server.client.hget(info, "finalStatus") == b"stopped"
    assert server.client.exists("poppo:lock:keeper") == 0
    assert server.client.exists("poppo:process:heartbeat:mirin-redis-ambassador") == 0


def test_one_that_stood_still_does_nothing_in_the_name_of_the_active_one(server, start, client):
    sleeper = start("sleeper")
    sleeper.await_active()
    other = start("other")
    other.await_ready()
    sleeper.process.send_signal(signal.SIGSTOP)
    asked = client.request("checkout_issue", issueNumber=5)
    client.send(asked)  # the sleeper has it in its hands, too
    other.await_active()
    assert client.answer_to(asked["requestId"])["success"] is True
    checked_in = client.ask("checkin_issue", issueNumber=5, finalStatus="completed")
    assert checked_in["success"] is True
    sleeper.process.send_signal(signal.SIGCONT)
    wait_for("the sleeper to notice", lambda: sleeper.says("is not active any more"))
    assert client.ask("get_issue_status", issueNumber=5)["status"]["status"] == "completed"
    assert len(events_of(server, "issue.checked_out")) == 1
    assert client.all_answers(0.5) == []


def test_the_engine_comes_back_and_everything_goes_on(server, start, tmp_path):
    one = start("one")
    one.await_active()
    before = Client(server.client)
    before.ask("checkout_issue", issueNumber=5)
    before.close()
    server.kill()
    wait_for("it to notice", lambda: one.says("cannot be heard"))
    server.client.connection_pool.disconnect()
    server.start()
    wait_for("it to listen again", lambda: server.client.pubsub_numsub(REQUESTS)[0][1] == 1)
    after = Client(server.client)
    assert after.ask("checkin_issue", issueNumber=5)["success"] is True
    after.ask("checkout_issue", issueNumber=6)
    folder = one.data / "state" / "requests"

    def written() -> bool:
        found = [json.loads(path.read_text()) for path in folder.glob("label-update-*.json")]
        return any(one["issueNumber"] == 6 for one in found)

    wait_for("label requests to be delivered again", written)
    after.close()
    assert one.process.poll() is None


def test_it_stops_cleanly_while_the_engine_is_away(server, start):
    one = start("one")
    one.await_active()
    server.kill()
    wait_for("it to notice", lambda: one.says("cannot be heard"))
    assert one.stop() == 0
    assert not one.says("Traceback")
    server.start()


REQUESTS = "poppo:channel:mirin:requests"


def test_an_engine_emptied_by_hand_leaves_one_that_goes_on(server, start, client):
    one = start("one")
    one.await_active()
    client.ask("checkout_issue", issueNumber=5)
    server.client.flushdb()
    assert client.ask("checkin_issue", issueNumber=5)["success"] is False
    assert client.ask("checkout_issue", issueNumber=5)["success"] is True
    assert client.ask("list_processing_issues")["count"] == 1


def test_the_issue_of_a_killed_process_is_checked_in_and_spoken_of(server, start, client):
    start("one").await_active()
    agent = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                             stdin=subprocess.PIPE)  # fmt: skip
    lives = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                             stdin=subprocess.PIPE)  # fmt: skip
    try:
        host = socket.gethostname()
        client.ask("checkout_issue", issueNumber=5, pid=agent.pid, host=host)
        client.ask("checkout_issue", issueNumber=6, pid=lives.pid, host=host)
        client.ask("checkout_issue", issueNumber=7, pid=agent.pid, host="elsewhere")
        agent.kill()
        agent.wait()
        wait_for("the orphan to be found", lambda: record(server, 5)["status"] == "error", 15)
        result = record(server, 5)["result"]
        assert result["error"] == "Process died unexpectedly"
        assert result["originalPid"] == agent.pid
        (told,) = events_of(server, "issue.orphaned")
        assert (told["issue"], told["process_id"]) == (5, "agent-1")
        assert [record(server, n)["status"] for n in (6, 7)] == ["processing", "processing"]
        comments = [
            json.loads(raw)["comment"]
            for key in server.client.scan_iter("poppo:label:*")
            if "comment" in json.loads(raw := server.client.get(key))
        ]
        assert comments == [COMMENT]
    finally:
        for process in (agent, lives):
            process.kill()
            process.wait()
            process.stdin.close()
