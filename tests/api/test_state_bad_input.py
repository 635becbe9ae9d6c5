"""What makes no sense to the state side: a clear 4xx in JSON, never a 500, and nothing changed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from orchard.services import engine
from statecore.store.redis import RedisStore
from tests.api.state_routes import STATE_ROUTES
from tests.api.state_site import API, BOTH_STORES, check_out, send

DAMAGED = [
    b"{", b"nonsense", b"\xff\xfe{}", b"NaN", b"[Infinity]", b"[1e999]", b'{"a": 1, "a": 2}',
    b'{"x": {"b": 1, "b": 2}}', b"[" * 100_000, b"9" * 5000, b'"\\ud800"', b'"\xed\xa0\x80"',
    b"\xef\xbb\xbf1", b"'a'", b"[1,]", b"",
]  # fmt: skip
"""Bodies that are no JSON, or mean nothing that everybody would understand alike."""
BODIES: list[Any] = [[], 5, "text", None, {"process_id": 5}, {"owner": []}, {"values": 1}]
"""JSON of another shape than any body here."""
NUMBERS = ["text", "-5", "0", "1.5", "9" * 40, str(2**53), "１２", "1e3", "%00", "null", " 7"]
NAMES = [
    "a:b",
    "{a}",
    "a\\b",
    "a\nb",
    "\0",
    "\x7f",
    "x" * 10_240,
    "名" * 100,
    " a",
    "..",
    "a\u202e\0",
]

TAKES_JSON = [
    ("post", f"{API}/issues/orphans"), ("post", f"{API}/issues/123/checkout"),
    ("post", f"{API}/processes"),
    *((method, path) for method, path, _ in STATE_ROUTES if method in ("put", "patch")),
]  # fmt: skip

pytestmark = BOTH_STORES


def refused(answer: Any, *codes: int) -> dict[str, Any]:
    """The body of a refusal."""
    assert answer.status_code in codes, (answer.status_code, answer.content[:300])
    body = answer.json()
    assert body["error"]
    assert body["code"]
    return body


@pytest.mark.parametrize(("method", "path"), TAKES_JSON)
def test_a_body_that_is_no_json_is_refused(client: Client, store, method: str, path: str):
    for raw in DAMAGED:
        if not raw and path.endswith("orphans"):
            continue  # all of them are meant then
        answer = client.generic(method.upper(), path, raw, "application/json")
        assert refused(answer, 400)["code"] == "invalid", raw[:20]
    for kind in ("text/plain", "application/xml"):
        refused(client.generic(method.upper(), path, b"abc", kind), 415)
    untouched(client)


@pytest.mark.parametrize(("method", "path"), [p for p in TAKES_JSON if not p[1].endswith("a/b")])
def test_json_of_another_shape_is_refused_with_field_and_reason(
    client: Client, method: str, path: str
):
    for body in BODIES:
        if path.endswith("orphans") and (body is None or isinstance(body, dict)):
            continue  # all of them are meant then
        answer = getattr(client, method)(path, body, content_type="application/json")
        assert refused(answer, 400)["detail"], body
    untouched(client)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("get", "", None), ("patch", "", {"status": "pending"}), ("delete", "", None),
     ("get", "/history", None), ("post", "/checkout", {"process_id": "p1"}),
     ("post", "/heartbeat", {}), ("post", "/checkin", {"process_id": "p1"})],
)  # fmt: skip
def test_a_number_that_is_none_is_refused(client: Client, number: str, method, path, body):
    answer = send(client, method, f"issues/{quote(number, safe='%')}{path}", body)
    assert list(refused(answer, 400)["detail"]) == ["issue"]


@pytest.mark.parametrize("status", ["done", "", "PENDING", "processing\0", "x" * 99])
@pytest.mark.parametrize(("method", "path"), [("patch", ""), ("post", "/checkin")])
def test_an_unknown_status_is_refused_and_the_known_ones_named(
    issues: Client, status: str, method: str, path: str
):
    check_out(issues, 7)
    answer = send(issues, method, f"issues/7{path}", {"status": status, "process_id": "p1"})
    assert "awaiting-response" in refused(answer, 400)["detail"]["status"][0]
    assert issues.get(f"{API}/issues?status={quote(status)}x").status_code == 400
    assert issues.get(f"{API}/issues/7").json()["status"] == "processing"


def test_a_check_in_cannot_leave_an_issue_in_processing(issues: Client):
    check_out(issues, 7)
    body = {"status": "processing", "process_id": "p1"}
    assert list(refused(send(issues, "post", "issues/7/checkin", body), 400)["detail"]) == [
        "status"
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_cannot_be_one_is_refused(client: Client, name: str):
    at = quote(name, safe="")
    for method, path, body in (
        ("post", "issues/7/checkout", {"process_id": name}),
        ("post", "processes", {"process_id": name}),
        ("put", "locks/deploy", {"owner": name}),
        ("patch", "state", {"changes": [{"namespace": name, "key": "a", "value": 1}]}),
        ("put", f"locks/{at}", {"owner": "ann"}),
        ("get", f"locks/{at}", None),
        ("get", f"processes/{at}", None),
        ("delete", f"processes/{at}", None),
        ("post", f"processes/{at}/heartbeat", None),
        ("get", f"state/{at}", None),
        ("put", f"state/{at}", {"values": {}}),
        ("put", f"state/{at}/a", {}),
        ("get", f"state/{at}/watch", None),
    ):
        # An address with a line break in it is none of ours.
        refused(send(client, method, path, body), 400, *([404] if "\n" in name else []))
    untouched(client)


@pytest.mark.parametrize("key", ["\0", "a\nb", "\x1f", "x" * 10_240, "名" * 400])
def test_a_key_that_cannot_be_one_is_refused(state: Client, key: str):
    at = quote(key, safe="")
    for method in ("get", "put", "delete"):
        refused(send(state, method, f"state/notes/{at}", {}), 400, *([404] if "\n" in key else []))
        refused(send(state, "put", f"state/notes/entry?key={at}", {}), 400)
    refused(send(state, "put", "state/notes", {"values": {key: 1}}), 400)
    assert state.get(f"{API}/state/notes").json()["values"] == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("state/notes/a", "x" * 2_000_000),
        ("state/notes", {"values": {"ok": 1, "a": "x" * 2_000_000}}),
    ],
)
def test_a_value_of_two_megabytes_is_413(state: Client, path: str, body: Any):
    answer = state.put(f"{API}/{path}", body, content_type="application/json")
    if isinstance(body, str):  # Django's client sends text as it is
        answer = state.put(f"{API}/{path}", f'"{body}"', content_type="application/json")
    assert refused(answer, 413)["code"] == "too_large"
    assert state.get(f"{API}/state/notes").json()["values"] == {}


def test_results_and_metadata_are_values_too(issues: Client):
    check_out(issues, 7)
    big, deep = "x" * 2_000_000, _nested(101)
    for value, code in ((big, 413), (deep, 400)):
        body = {"process_id": "p1", "result": value}
        assert list(refused(send(issues, "post", "issues/7/checkin", body), code)["detail"])
        body = {"process_id": "p1", "status": "pending", "metadata": {"a": value}}
        assert list(refused(send(issues, "patch", "issues/7", body), code)["detail"])
    assert issues.get(f"{API}/issues/7").json()["status"] == "processing"


@pytest.mark.parametrize("depth", [101, 300, 900])
def test_a_value_that_is_nested_too_deep_is_refused(state: Client, depth: int):
    raw = b"[" * depth + b"]" * depth
    refused(state.put(f"{API}/state/notes/a", raw, content_type="application/json"), 400)
    raw = b"[" * 100 + b"]" * 100
    answer = state.put(f"{API}/state/notes/a", raw, content_type="application/json")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("issues/7/checkout", {"process_id": "p1", "ttl_s": 0}),
        ("issues/7/checkout", {"process_id": "p1", "ttl_s": -1}),
        ("issues/7/checkout", {"process_id": "p1", "ttl_s": 1e300}),
        ("issues/7/checkout", {"process_id": "p1", "ttl_s": "60"}),
        ("issues/7/checkout", {"process_id": "p1", "pid": -1}),
        ("issues/7/checkout", {"process_id": "p1", "pid": 2**70}),
        ("issues/7/checkout", {"process_id": "p1", "host": "a\nb"}),
        ("issues/7/checkout", {"process_id": "p1", "task_type": "x" * 10_240}),
        ("issues/7/checkout", {"process_id": ""}),
        ("issues/7/heartbeat", {"token": -1}),
        ("issues/7/heartbeat", {"token": 2**80}),
        ("issues/7/checkin", {"token": "5"}),
        ("issues/orphans", {"numbers": ["x"]}),
        ("issues/orphans", {"numbers": [0]}),
        ("issues/orphans", {"numbers": [1] * 201}),
        ("processes", {"process_id": "p1", "role": "\0"}),
    ],
)
def test_a_field_out_of_bounds_is_named(client: Client, path: str, body: dict[str, Any]):
    assert refused(send(client, "post", path, body), 400)["detail"]
    untouched(client)


@pytest.mark.parametrize(
    "path",
    ["issues?limit=0", "issues?limit=201", "issues?limit=x", "issues?cursor=%00",
     "issues?cursor=nonsense", "labels?status=nope", "labels?cursor=!", "locks?limit=0",
     "processes?cursor=nonsense", "issues/7/history?cursor=x", "issues/7/history?limit=501"],
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_refused(client: Client, path: str):
    assert refused(client.get(f"{API}/{path}"), 400)["code"] == "invalid"


@pytest.mark.parametrize("ttl_s", [0, -5, 1e9, "x", 86_401])
def test_a_lease_that_no_lock_can_have_is_refused(issues: Client, ttl_s: Any):
    refused(send(issues, "put", "locks/deploy", {"owner": "ann", "ttl_s": ttl_s}), 400)
    refused(send(issues, "put", "locks/deploy", {"owner": "ann", "wait_s": 61}), 400)
    assert issues.get(f"{API}/locks").json()["count"] == 0


def test_too_many_changes_at_once_are_refused(state: Client):
    changes = [{"namespace": "n", "key": str(i), "value": i} for i in range(1001)]
    assert list(refused(send(state, "patch", "state", {"changes": changes}), 400)["detail"]) == [
        "changes"
    ]
    assert send(state, "patch", "state", {"changes": []}).json() == {"entries": []}


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in STATE_ROUTES])
def test_without_the_engine_the_answer_is_503_and_when_to_come_back(
    client: Client, store, method: str, path: str
):
    gone = RedisStore("redis://127.0.0.1:1/0")
    before = engine.use(gone)
    try:
        body = {
            "process_id": "p1", "owner": "ann", "status": "pending", "values": {},
            "changes": [{"namespace": "n", "key": "k", "value": 1}],
        }  # fmt: skip
        asked = {} if method == "get" else body
        answer = getattr(client, method)(path, asked, content_type="application/json")
        assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    finally:
        engine.use(before)
        gone.close()


def untouched(client: Client) -> None:
    """Nothing has come to be."""
    for path in ("issues", "processes", "locks"):
        assert client.get(f"{API}/{path}").json()["count"] == 0
    spaces = client.get(f"{API}/state").json()["namespaces"]
    assert [one for one in spaces if one["count"]] == []
    assert len(spaces) == 6


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value
