"""What the fuzzing found once: each fault by itself, so that it never comes back."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from orchard import codec
from orchard.fallback import saving
from orchard.live.frames import make_entry
from orchard.ports import kept_back
from orchard.ports.node_addresses import AddressRefused, find_addresses, parse_networks
from orchard.web.sentences import read_event
from statecore import codec as state_codec
from statecore.domain.errors import DamagedRecord
from statecore.ports.export_format import BadExport
from statecore.store import ops
from statecore.store.memory import MemoryStore
from tests.services import orchards


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The API document."""
    from drf_spectacular.generators import SchemaGenerator

    return SchemaGenerator().get_schema(request=None, public=True)


def operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    return document["paths"][path][method]


@pytest.mark.parametrize("path", ["/workers/add", "/workers/remove", "/api/v1/workers"])
@pytest.mark.parametrize("url", ["[]", "http://[", "[zz]:80", "[1::2::3]", "h:0x1"])
def test_a_worker_at_what_is_no_address_is_refused(client: Client, path: str, url: str):
    answer = client.post(path, {"url": url}, content_type="application/json")
    assert answer.status_code in (400, 404)
    assert client.get("/workers").json()["count"] == 0


@pytest.mark.parametrize("body", [b"1", b"[1]", b'"a"', b"true"])
def test_a_lock_is_not_given_back_by_what_is_no_object(client: Client, body: bytes):
    path = "/api/v1/locks/deploy"
    client.put(path, {"owner": "ann"}, content_type="application/json")
    assert client.generic("DELETE", path, body, "application/json").status_code == 400
    assert client.get(path).json()["owner"] == "ann"


@pytest.mark.parametrize("url", ["http://.", f"http://{'a' * 64}.b"])
async def test_a_name_that_cannot_be_asked_for_leads_nowhere(url: str):
    with pytest.raises(OSError, match="no name"):
        await find_addresses(url, parse_networks("127.0.0.0/8"))


@pytest.mark.parametrize("url", ["http://[]", "http://[1::2::3]", "http://:80", "http://h:99999"])
async def test_a_url_without_a_host_is_never_asked(url: str):
    with pytest.raises(AddressRefused):
        await find_addresses(url, parse_networks("127.0.0.0/8"))


def test_a_form_that_says_nothing_of_the_purifier_does_not_turn_it_off(client: Client):
    path = "/preferences/purifier"
    assert client.get(path).json() == {"usePurifier": True}
    assert client.post(path, {}).status_code == 400
    assert client.get(path).json() == {"usePurifier": True}
    assert client.post(path, {"usePurifier": "false"}).json() == {"usePurifier": False}


def test_a_recording_is_described_as_a_file_and_not_as_an_address(document: dict[str, Any]):
    shape = document["components"]["schemas"]["SubmitForm"]["properties"]["file"]
    assert (shape["type"], shape["format"]) == ("string", "binary")


def test_the_number_of_an_issue_is_described_as_a_number(document: dict[str, Any]):
    for path in (one for one in document["paths"] if "{number}" in one):
        for asked in document["paths"][path].values():
            (number,) = [one for one in asked["parameters"] if one["name"] == "number"]
            assert number["schema"] == {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}


def test_a_body_that_must_be_there_is_described_as_such(document: dict[str, Any]):
    renew = operation(document, "patch", "/api/v1/locks/{name}")
    put = operation(document, "put", "/api/v1/state/{namespace}/{key}")
    claim = operation(document, "post", "/api/v1/workers/{worker_id}/claim")
    needed = [one["requestBody"]["required"] for one in (renew, put, claim)]
    assert needed == [True, True, False]


def test_a_body_may_be_too_large_wherever_there_is_one(document: dict[str, Any]):
    for path, operations in document["paths"].items():
        for method, one in operations.items():
            assert "requestBody" not in one or "413" in one["responses"], (method, path)


def test_what_may_be_empty_in_an_address_is_described_so(document: dict[str, Any]):
    asked = operation(document, "get", "/api/v1/issues")["parameters"]
    assert [one["allowEmptyValue"] for one in asked] == [True] * 3


def test_an_issue_that_nobody_holds_is_alive_false_alone_and_so_described(
    client: Client, document: dict[str, Any]
):
    answer = client.post("/api/v1/issues/7/heartbeat", {}, content_type="application/json")
    assert answer.json() == {"alive": False}
    assert document["components"]["schemas"]["IssueBeatAnswer"]["required"] == ["alive"]


def test_a_result_that_may_be_anything_may_be_null_in_one_way_only(document: dict[str, Any]):
    shapes = document["components"]["schemas"]
    for shape, field in (("IssueAnswer", "result"), ("ChangedAnswer", "old")):
        assert "oneOf" not in shapes[shape]["properties"][field]


def test_what_the_address_names_is_no_longer_than_an_address_can_be(document: dict[str, Any]):
    for operations in document["paths"].values():
        for one in operations.values():
            for asked in one.get("parameters", ()):
                if asked["in"] == "query":
                    assert asked["schema"].get("maxLength", 0) <= 3000, asked


def overwritten(store: MemoryStore, key: str, raw: bytes) -> None:
    """Another program has put something else where a record stood."""
    store.commit({}, (ops.Set(key, raw),))


@pytest.mark.parametrize("raw", [b"{}", b"5", b"\xff", b'{"job_id": "\xff"}', b"[" * 50_000])
def test_a_damaged_job_spoils_no_list_and_is_told_of(client: Client, store, raw: bytes):
    good, bad = orchards.processing().job_id, orchards.processing().job_id
    overwritten(store, f"job:{bad}", raw)
    for path in ("/jobs", "/api/v1/jobs"):
        assert [one["job_id"] for one in client.get(path).json()["jobs"]] == [good]
    for path in (f"/jobs/{bad}", f"/api/v1/jobs/{bad}", f"/api/v1/jobs/{bad}/transcript.srt"):
        answer = client.get(path)
        assert answer.status_code == 409
        assert "damaged" in answer.json()["error"]
    assert client.get("/stats").status_code == 200


def test_damaged_chunks_of_one_job_spoil_no_list(client: Client, store):
    job_id = orchards.processing().job_id
    store.commit({}, (ops.HashSet(f"chunks:{job_id}", {"0": b"\xff", "x": b"{}"}),))
    (job,) = client.get("/api/v1/jobs").json()["jobs"]
    assert (job["job_id"], job["chunks"]) == (job_id, [])
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 409


def test_a_damaged_worker_spoils_no_list(client: Client, store):
    orchards.worker("w1")
    orchards.worker("w2")
    overwritten(store, "worker:agent://w1", b"\xff")
    (worker,) = client.get("/api/v1/workers").json()["workers"]
    assert worker["worker_id"] == "w2"
    assert client.get("/workers").json()["count"] == 1


def test_a_damaged_preference_counts_for_nothing(client: Client, store):
    path = "/preferences/purifier"
    client.post(path, {"usePurifier": False}, content_type="application/json")
    (key,) = [name for name in store._keys._values if name.startswith("user_pref:")]
    overwritten(store, key, b"\xff")
    assert client.get(path).json() == {"usePurifier": True}


@pytest.mark.parametrize("raw", [b"\xff", b'{"name":"\xff"}', b"[" * 50_000])
def test_an_event_that_nobody_can_read_holds_up_no_other(client: Client, store, raw: bytes):
    store.commit({}, (ops.Append("events", (raw,), 100),))
    orchards.worker("w1")
    names = [one["name"] for one in client.get("/api/v1/events").json()["events"]]
    assert names == ["unreadable", "worker.registered"]
    assert make_entry("1-0", raw).topics == frozenset()
    assert codec.decode_event(raw) is None
    assert read_event(raw) == {}


@pytest.mark.parametrize("read", [state_codec.decode_lock, state_codec.decode_label])
def test_a_record_of_half_characters_is_damaged(read):
    with pytest.raises(DamagedRecord):
        read("x", b'{"name":"\xff"}')


def test_a_place_of_a_list_that_is_nested_deep_is_none(client: Client):
    cursor = base64.urlsafe_b64encode(b"[" * 2200).decode().rstrip("=")
    answer = client.get(f"/api/v1/jobs?sort=name&cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("value", [5, [{"job_id": "../x"}], [{"source": "/etc/passwd"}]])
def test_jobs_of_a_fallback_that_were_altered_are_refused(tmp_path: Path, store, value: Any):
    orchards.processing()
    saving.save(store, tmp_path)
    path = tmp_path / kept_back.JOBS
    if isinstance(value, list):
        (job,) = json.loads(path.read_text())
        value = [job | value[0]]
    path.write_text(json.dumps(value))
    with pytest.raises(BadExport):
        saving.load_jobs(tmp_path)
