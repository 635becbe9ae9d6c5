"""Bodies and addresses that make no sense: a clear 4xx in JSON, and never a 500."""

from __future__ import annotations

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from orchard.services import engine
from statecore.store.memory import MemoryStore
from tests.api.fixtures import post_json, wav
from tests.fuzz.sizes import cases

JSON_BODIES = [
    b"", b"{", b"nonsense", b"\xff\xfe", b'{"name": "\\ud800"}', b'{"name": "a\\u0000b"}',
    b'{"\\u0000": 1}', b"[" * 100_000, b"NaN", b'{"concurrency": 1e999}', b"[]", b"5", b"null",
    b'"text"', b'{"name": ' + b"9" * 5000 + b"}", b'{"name": "' + b"x" * 3_000_000 + b'"}',
]  # fmt: skip
TAKES_JSON = [
    "/workers/add", "/workers/remove", "/preferences/purifier", "/api/v1/workers",
    "/api/v1/workers/w1/heartbeat", "/api/v1/workers/w1/claim",
    "/api/v1/chunks/x_chunk_0/progress", "/api/v1/chunks/x_chunk_0/complete",
    "/api/v1/chunks/x_chunk_0/fail",
]  # fmt: skip


@pytest.mark.parametrize("path", TAKES_JSON)
def test_a_body_that_makes_no_sense_is_refused_in_json(client: Client, path: str):
    for body in JSON_BODIES:
        answer = client.generic("POST", path, body, "application/json")
        may_be_empty = not body and path.endswith(("heartbeat", "claim"))
        assert answer.status_code in ((404, 200) if may_be_empty else (400, 404)), body[:20]
        assert "error" in answer.json()
    assert client.get("/api/v1/workers").json()["count"] == 0


@pytest.mark.parametrize("path", [*TAKES_JSON, "/api/v1/jobs"])
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "nonsense", ""])
def test_another_kind_of_body_is_415(client: Client, path: str, kind: str):
    answer = client.generic("POST", path, b"abc", kind)
    assert answer.status_code == 415
    assert "error" in answer.json()


def test_a_job_in_json_is_415(client: Client):
    answer = post_json(client, "/api/v1/jobs", {"file": "x"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [b"", b"--x", b"--x\r\n\r\n", b"\0\1\2", b"--x--\r\n", b"--x\r\nContent-Disposition: \xff"],
)
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "multipart/form-data"])
def test_a_damaged_form_is_400(client: Client, body: bytes, kind: str):
    for path in ("/submit", "/api/v1/jobs"):
        answer = client.generic("POST", path, body, kind)
        assert answer.status_code == 400
        assert "error" in answer.json()


def test_too_many_fields_are_400(client: Client):
    answer = client.post("/api/v1/jobs", {f"f{i}": "x" for i in range(1100)})
    assert answer.status_code == 400
    assert "error" in answer.json()


@pytest.mark.parametrize(
    "path", ["/api/", "/api", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/jobs",
             "/api/v1/jobs/", "/api/v1/jobs/x/y/z"],
)  # fmt: skip
def test_an_unknown_address_is_a_404_in_json(client: Client, path: str):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("put", "/api/v1/jobs"), ("get", "/api/v1/workers/w1/claim"), ("delete", "/stats"),
     ("get", "/submit"), ("patch", "/api/v1/jobs/x"), ("post", "/api/v1/events")],
)  # fmt: skip
def test_another_method_is_405_and_names_those_allowed(client: Client, method: str, path: str):
    answer = getattr(client, method)(path)
    assert answer.status_code == 405
    assert answer["Allow"]
    assert "error" in answer.json()


def test_whatever_the_caller_accepts_the_answer_is_json(client: Client):
    for accept in ("text/html", "application/xml", "nonsense", ""):
        answer = client.get("/stats?format=xml", headers={"Accept": accept})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    ("query", "field"),
    [("cursor=abc", "cursor"), ("cursor=" + "9" * 30, "cursor"), ("cursor=1-2-3", "cursor"),
     ("limit=0", "limit"), ("limit=501", "limit"), ("wait_s=nan", "wait_s"),
     ("wait_s=31", "wait_s"), ("wait_s=-1", "wait_s"), ("wait_s=inf", "wait_s")],
)  # fmt: skip
def test_a_wrong_question_for_events_names_the_field(client: Client, query: str, field: str):
    answer = client.get(f"/api/v1/events?{query}")
    assert (answer.status_code, list(answer.json()["detail"])) == (400, [field])


def test_the_largest_cursor_there_can_be_is_harmless(client: Client):
    answer = client.get("/api/v1/events?cursor=" + "9" * 19 + "-" + "9" * 19)
    assert answer.status_code in (200, 400)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
FIELDS = [
    "worker_id", "token", "text", "time_ms", "segments", "metadata", "progress", "error", "retry",
    "handback", "max", "wait_s", "leases", "name", "url", "mode", "capabilities", "concurrency",
]  # fmt: skip


@given(
    order=st.sampled_from(["progress", "complete", "fail", "heartbeat", "claim", ""]),
    body=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=6),
)
@cases(150)
def test_no_body_whatever_its_shape_is_a_fault_of_ours(agent: Client, order: str, body: dict):
    body.pop("wait_s", None)
    at = "workers/w1" if order in ("heartbeat", "claim") else "chunks/0123_chunk_0"
    try:
        answer = post_json(agent, f"/api/v1/{at}/{order}" if order else "/api/v1/workers", body)
    except (ValueError, UnicodeEncodeError):
        return  # Django's client could not send this
    assert answer.status_code in (200, 201, 400, 404, 409)


# -- the engine is away ------------------------------------------------------------


@pytest.fixture
def away(client: Client):
    """The same site when its engine has gone."""
    before = engine.use(MemoryStore())
    engine.get_engine().close()
    yield client
    engine.use(before)


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/stats"), ("get", "/jobs"), ("get", "/jobs/x"), ("get", "/workers"),
     ("get", "/api/v1/jobs"), ("get", "/api/v1/jobs/x/transcript.txt"),
     ("post", "/api/v1/workers/w1/heartbeat"), ("post", "/api/v1/workers/w1/claim"),
     ("post", "/api/v1/workers/w1/drain"), ("get", "/api/v1/workers"),
     ("get", "/preferences/purifier"), ("get", "/api/v1/chunks/x_chunk_0/audio")],
)  # fmt: skip
def test_without_the_engine_the_answer_is_503_and_when_to_come_back(away, method, path):
    answer = getattr(away, method)(path, content_type="application/json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert "error" in answer.json()


def test_without_the_engine_no_upload_is_kept(away: Client, settings):
    for path in ("/submit", "/api/v1/jobs"):
        assert away.post(path, {"file": wav()}).status_code == 503
    assert not (settings.MEDIA_ROOT / "jobs").exists()


def test_a_full_engine_says_so(client: Client, monkeypatch, store):
    from statecore.store.errors import StoreFull

    def full(*_):
        raise StoreFull

    monkeypatch.setattr(store, "perform", full)
    answer = client.get("/api/v1/jobs")
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_full")
    assert answer["Retry-After"] == "2"
