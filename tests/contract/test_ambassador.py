"""The ambassador's wire protocol (CONTRACTS section 4), spoken to a running process."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from statecore.store.embedded import engine_url
from tests.conftest import EngineServer
from tests.contract.ambassadors import Client, ambassadors, wait_for
from tests.fuzz.sizes import cases

NODE = Path(__file__).parent / "node"
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = EngineServer(tmp_path_factory.mktemp("engine"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def running(server, tmp_path_factory):
    """One ambassador for all tests of this file; nobody here shares an issue."""
    with ambassadors(tmp_path_factory.mktemp("ambassador"), server.url) as start:
        one = start()
        one.await_active()
        yield one


@pytest.fixture
def client(server, running):
    client = Client(server.client)
    yield client
    client.close()


@pytest.fixture
def other(server, running):
    client = Client(server.client, "agent-2")
    yield client
    client.close()


@pytest.fixture(scope="session")
def node_client(tmp_path_factory):
    """The Node.js client with its library, installed as its lockfile says."""
    if not (shutil.which("node") and shutil.which("npm")):
        if os.environ.get("CI") == "true":
            pytest.fail("node and npm are not installed")
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("node") / "client"
    shutil.copytree(NODE, folder, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True,
        capture_output=True, timeout=120,
    )  # fmt: skip
    return folder / "client.mjs"


def test_a_node_client_written_from_the_protocol_alone_is_served(
    node_client, own_engine_server, tmp_path
):
    (tmp_path / "amb").mkdir()
    with ambassadors(tmp_path / "amb", own_engine_server.url) as start:
        start().await_active()
        done = subprocess.run(
            ["node", node_client, own_engine_server.url], capture_output=True, text=True,
            timeout=60,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "all as the protocol says\n"), done.stderr


def test_an_answer_has_exactly_the_fields_of_the_contract(client):
    asked = client.request("checkout_issue", issueNumber=11, taskType="review")
    answer = client.put(asked)
    assert ISO.fullmatch(answer.pop("timestamp"))
    assert answer.pop("message")
    assert answer == {
        "requestId": asked["requestId"], "success": True, "issueNumber": 11,
        "processId": "agent-1", "status": "processing",
    }  # fmt: skip
    answer = client.ask("checkin_issue", issueNumber=11, finalStatus="awaiting-response")
    assert set(answer) == {
        "requestId", "timestamp", "success", "message", "issueNumber", "processId", "finalStatus",
    }  # fmt: skip
    assert answer["finalStatus"] == "awaiting-response"


def test_a_refusal_says_who_holds_the_issue_and_nothing_of_our_insides(client, other):
    client.ask("checkout_issue", issueNumber=12)
    asked = other.request("checkout_issue", issueNumber=12)
    answer = other.put(asked)
    assert ISO.fullmatch(answer.pop("timestamp"))
    assert "/" not in answer["stack"]
    assert answer.pop("stack").endswith(answer["error"])
    assert answer == {
        "requestId": asked["requestId"], "success": False,
        "error": "Issue #12 is already being processed by agent-1",
    }  # fmt: skip


@pytest.mark.parametrize("number", [13, 14])
def test_what_nobody_or_another_holds_cannot_be_checked_in(client, other, number):
    if number == 13:
        other.ask("checkout_issue", issueNumber=13)
    answer = client.ask("checkin_issue", issueNumber=number, finalStatus="completed")
    assert answer["error"] == f"Issue #{number} is not checked out by process agent-1"


def test_a_client_shows_life_by_its_process_alone(client, server):
    client.ask("checkout_issue", issueNumber=15)
    first_s = server.client.pttl("poppo:lock:issue:15") / 1000
    assert 1700 < first_s <= 1800
    server.client.pexpire("poppo:lock:issue:15", 60_000)
    assert client.ask("heartbeat")["ttl"] == 1800
    assert server.client.pttl("poppo:lock:issue:15") / 1000 > 1700
    assert server.client.get("poppo:process:heartbeat:agent-1") == b"alive"


def test_a_check_in_brings_its_metadata(client, server):
    client.ask("checkout_issue", issueNumber=16)
    metadata = {"summary": "直した", "files": 3, "deep": {"a": [1, None]}}
    client.ask("checkin_issue", issueNumber=16, finalStatus="error", metadata=metadata)
    answer = client.ask("get_issue_status", issueNumber=16)
    assert answer["issueNumber"] == 16
    assert answer["status"]["status"] == "error"
    assert answer["metadata"] == {"summary": "直した", "files": "3", "deep": '{"a":[1,null]}'}
    record = json.loads(server.client.hget("poppo:state:issues", "16"))
    assert record["result"] == metadata


def test_cleaning_up_a_process_that_nobody_knows_is_no_error(client):
    answer = client.ask("cleanup_process", processId="never-seen")
    assert (answer["success"], answer["processId"]) == (True, "never-seen")
    assert "issueNumber" not in answer


def test_cleaning_up_a_process_gives_back_what_it_held(server, running):
    third = Client(server.client, "agent-3")
    third.ask("checkout_issue", issueNumber=17)
    assert third.ask("cleanup_process")["issueNumber"] == 17
    assert third.ask("get_issue_status", issueNumber=17)["status"]["status"] == "error"
    listed = third.ask("list_processing_issues")
    assert 17 not in [one["issueNumber"] for one in listed["issues"]]
    assert listed["count"] == len(listed["issues"])
    third.close()


def test_a_repeated_request_is_answered_as_the_first_time_and_not_done_twice(client, server):
    client.ask("checkout_issue", issueNumber=18)
    asked = client.request("checkin_issue", issueNumber=18, metadata={"n": 1})
    first = client.put(asked)
    assert first["success"] is True
    client.ask("checkout_issue", issueNumber=18)
    again = client.put(asked | {"timestamp": "2026-01-01T00:00:09.000Z"})
    assert again == first
    assert client.ask("get_issue_status", issueNumber=18)["status"]["status"] == "processing"
    refused = client.request("checkin_issue", issueNumber=1899)
    assert client.put(refused) == client.put(refused)


def test_one_id_for_two_requests_mixes_nothing_up(client):
    first = client.request("checkout_issue", issueNumber=19)
    second = client.request("get_issue_status", issueNumber=19, requestId=first["requestId"])
    assert client.put(first)["status"] == "processing"
    assert client.put(second)["status"]["processId"] == "agent-1"


def test_requests_of_one_process_are_done_in_their_order(client):
    asked = []
    for _ in range(20):
        asked.append(client.request("checkout_issue", issueNumber=20))
        asked.append(client.request("checkin_issue", issueNumber=20))
    for one in asked:
        client.send(one)
    answers = [client.answer_to(one["requestId"]) for one in asked]
    assert [one["success"] for one in answers] == [True] * 40


def test_the_ambassador_shows_its_own_life(client, server, running):
    info = server.client.hgetall("poppo:process:info:mirin-redis-ambassador")
    assert info[b"role"] == b"redis-ambassador"
    assert info[b"pid"] == str(running.process.pid).encode()
    assert server.client.get("poppo:process:heartbeat:mirin-redis-ambassador") == b"alive"


def test_label_requests_become_files_within_a_second_or_so(client, running):
    client.ask("checkout_issue", issueNumber=21)
    folder = running.data / "state" / "requests"

    def written():
        found = [json.loads(path.read_text()) for path in folder.glob("label-update-*.json")]
        return [one for one in found if one["issueNumber"] == 21]

    (request,) = wait_for("the request file", written, 15)
    assert (request["addLabels"], request["removeLabels"]) == (["processing"], [])
    assert request["processId"] == "agent-1"
    client.ask("checkin_issue", issueNumber=21, finalStatus="completed")
    wait_for("the second file", lambda: len(written()) == 2, 15)
    assert sorted(one["addLabels"] for one in written()) == [["completed"], ["processing"]]


WRONG = [
    ({"action": None}, "action: must be text"),
    ({"action": 5}, "action: must be text"),
    ({"action": ""}, "Unknown action: "),
    ({"action": "constructor"}, "Unknown action: constructor"),
    ({"action": "x" * 5000}, f"Unknown action: {'x' * 200}…"),
    ({"processId": None}, "processId: must be text"),
    ({"processId": ""}, "processId: must not be empty"),
    ({"processId": ["a"]}, "processId: must be text"),
    ({"processId": "a\0b"}, "processId: must not contain control characters"),
    ({"issueNumber": None}, "issueNumber: must be a whole number from 1 to 9007199254740991"),
    ({"issueNumber": -1}, "issueNumber: must be a whole number from 1 to 9007199254740991"),
    ({"issueNumber": 1.5}, "issueNumber: must be a whole number from 1 to 9007199254740991"),
    ({"issueNumber": True}, "issueNumber: must be a whole number from 1 to 9007199254740991"),
    ({"issueNumber": 2**60}, "issueNumber: must be a whole number from 1 to 9007199254740991"),
    ({"pid": -3}, "pid: must be a whole number above 0"),
    ({"pid": "x"}, "pid: must be a whole number above 0"),
    ({"taskType": 9}, "taskType: must be text"),
]


@pytest.mark.parametrize(("change", "error"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_request_is_told_what_is_wrong(client, server, change, error):
    before = server.client.hlen("poppo:state:issues")
    answer = client.put(client.request("checkout_issue", issueNumber=3000) | change)
    assert (answer["success"], answer["error"]) == (False, error)
    assert server.client.hlen("poppo:state:issues") == before


@pytest.mark.parametrize("name", ["action", "processId"])
def test_a_request_without_a_field_is_refused(client, name):
    asked = client.request("get_issue_status", issueNumber=1)
    del asked[name]
    answer = client.put(asked)
    assert (answer["success"], answer["error"]) == (False, f"{name}: must be text")


@pytest.mark.parametrize(
    ("change", "field"),
    [({"finalStatus": "processing"}, "status"), ({"finalStatus": "done"}, "status"),
     ({"metadata": "x" * 1_200_000}, "result"), ({"metadata": "\ud800"}, "result")],
)  # fmt: skip
def test_a_check_in_that_cannot_be_leaves_the_issue_with_its_holder(client, change, field):
    client.ask("checkout_issue", issueNumber=22)
    answer = client.put(client.request("checkin_issue", issueNumber=22) | change)
    assert answer["success"] is False
    assert answer["error"].startswith(f"{field}: ")
    assert client.ask("get_issue_status", issueNumber=22)["status"]["processId"] == "agent-1"


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe\x00", b"x" * 1_000_000, b"[" * 200_000,
     b'{"requestId": null}', b'{"requestId": {}}', b'{"requestId": ""}', b'{"requestId": true}',
     b'{"requestId": "a", "requestId": "b"}', b'{"requestId": NaN}',
     b'{"requestId": "' + b"y" * 5000 + b'"}', b'{"requestId": "n", "n": ' + b"9" * 5000 + b"}"],
    ids=range(16),
)  # fmt: skip
def test_what_cannot_be_answered_is_dropped_and_the_next_request_is_answered(client, raw):
    assert client.send(raw) == 1
    assert client.ask("heartbeat")["success"] is True


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner,
                                                                max_size=3),
    max_leaves=6,
)  # fmt: skip
ACTIONS = ("checkout_issue", "checkin_issue", "heartbeat", "get_issue_status", "cleanup_process",
           "list_processing_issues")  # fmt: skip


@cases(150)
@given(
    message=st.fixed_dictionaries(
        {"action": st.sampled_from(ACTIONS) | JSON, "processId": st.just("agent-9") | JSON},
        optional={"issueNumber": st.integers(4000, 4005) | JSON, "pid": JSON, "host": JSON,
                  "taskType": JSON, "finalStatus": st.sampled_from(["error", "completed"]) | JSON,
                  "metadata": JSON, "timestamp": JSON},
    ),
    junk=st.binary(max_size=50),
)  # fmt: skip
def test_whatever_is_sent_with_an_id_gets_one_clear_answer(client, message, junk):
    client.send(junk)
    asked = client.request("x")["requestId"]
    answer = client.put({**message, "requestId": asked}, 5)
    assert isinstance(answer["success"], bool)
    if not answer["success"]:
        assert answer["error"] != "The ambassador could not do this"
        assert "Traceback" not in answer["stack"]


def test_it_speaks_over_the_socket_of_the_embedded_engine_too(tmp_path):
    with ambassadors(tmp_path, "embedded://") as start:
        one = start()
        one.await_active()
        engine = redis.Redis.from_url(engine_url(one.data), protocol=2)
        client = Client(engine, "claude-1")
        assert client.ask("checkout_issue", issueNumber=1)["status"] == "processing"
        client.close()
        engine.close()
        assert one.stop() == 0


def test_it_idles_in_little_memory(own_engine_server, tmp_path):
    (tmp_path / "amb").mkdir()
    with ambassadors(tmp_path / "amb", own_engine_server.url) as start:
        one = start()
        one.await_active()
        status = Path(f"/proc/{one.process.pid}/status").read_text()
    assert int(re.search(r"VmRSS:\s+(\d+)", status)[1]) < 65_000  # kB; 55,000 where it was built
