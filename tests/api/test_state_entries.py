"""Namespaced state by REST: values as they are, compare-and-set by tags, transactions."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client

from statecore import keys
from statecore.services import namespaced, run
from statecore.store import ops
from tests.api.state_site import API, BOTH_STORES, check_out, send

pytestmark = BOTH_STORES

VALUES = [
    b"null", b"true", b"0", b'""', b"[]", b"{}", b"1e300", b"-0.5",
    b"123456789012345678901234567890",
    '{"題":"長い文","emoji":"🍎"}'.encode(), b'{"b":[1,{"a":null}]}', b'"a\\u0000b"',
]  # fmt: skip


def put(client: Client, path: str, raw: bytes, **headers: str) -> Any:
    """The answer to a value that is sent as these bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.put(f"{API}/state/{path}", raw, content_type="application/json", headers=named)


@pytest.mark.parametrize("raw", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was(state: Client, raw: bytes):
    answer = put(state, "notes/a", raw)
    assert (answer.status_code, answer.json()["key"]) == (200, "a")
    shown = state.get(f"{API}/state/notes/a")
    assert (shown.status_code, shown["Content-Type"]) == (200, "application/json")
    assert json.loads(shown.content) == json.loads(raw)
    assert shown["ETag"] == answer["ETag"]
    assert re.fullmatch(r'"\d+-[0-9a-f]{8}"', answer["ETag"])
    assert answer["ETag"].strip('"').startswith(f"{answer.json()['version']}-")


@pytest.mark.parametrize(
    "key", ["a", "a/b/c", "題名", "with space", "50%", "a?b#c", "watchful", "entry", "a:b{c}"]
)
def test_any_key_has_an_address(state: Client, key: str):
    from urllib.parse import quote

    assert put(state, f"notes/{quote(key)}", b"1").json()["key"] == key
    assert run(namespaced.get("notes", key)).raw == b"1"
    assert state.get(f"{API}/state/notes/{quote(key)}").json() == 1


@pytest.mark.parametrize("key", ["watch", "/slash", "..", "entry", "a/../b", " "])
def test_keys_that_addresses_cannot_hold_are_named_in_the_query(state: Client, key: str):
    path = f"{API}/state/notes/entry"
    answer = state.put(f"{path}?key={key}", b"5", content_type="application/json")
    assert (answer.status_code, answer.json()["key"]) == (200, key)
    assert state.get(path, {"key": key}).json() == 5
    assert run(namespaced.get("notes", key)).raw == b"5"
    assert state.delete(f"{path}?key={key}").json()["deleted"] is True


def test_an_entry_that_is_not_there_is_404(state: Client):
    for answer in (state.get(f"{API}/state/notes/a"), state.delete(f"{API}/state/notes/a")):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_entry")


def test_a_value_that_is_known_is_not_sent_again(state: Client):
    tag = put(state, "notes/a", b"1")["ETag"]
    for known in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        answer = state.get(f"{API}/state/notes/a", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
    answer = state.get(f"{API}/state/notes/a", headers={"If-None-Match": '"x"'})
    assert (answer.status_code, answer.json()) == (200, 1)


def test_a_value_is_set_only_on_what_was_seen(state: Client):
    tag = put(state, "notes/a", b"1")["ETag"]
    newer = put(state, "notes/a", b"2", If_Match=tag)
    assert newer.status_code == 200
    for stale in (tag, '"0-00000000"', f"W/{newer['ETag']}"):
        answer = put(state, "notes/a", b"3", If_Match=stale)
        assert (answer.status_code, answer.json()["code"]) == (412, "version_conflict")
        assert answer.json()["version"] == newer.json()["version"]
        answer = state.delete(f"{API}/state/notes/a", headers={"If-Match": stale})
        assert answer.status_code == 412
    assert state.get(f"{API}/state/notes/a").json() == 2
    either = f'"x", {newer["ETag"]}'
    assert state.delete(f"{API}/state/notes/a", headers={"If-Match": either}).status_code == 200


def test_what_must_be_new_or_be_there_is(state: Client):
    assert put(state, "notes/a", b"1", If_Match="*").status_code == 412
    assert put(state, "notes/a", b"1", If_None_Match="*").status_code == 200
    assert put(state, "notes/a", b"2", If_None_Match="*").status_code == 412
    assert put(state, "notes/a", b"3", If_Match="*").status_code == 200
    answer = state.delete(f"{API}/state/notes/b", headers={"If-Match": '"1-00000000"'})
    assert answer.status_code == 412


@pytest.mark.parametrize(
    "headers", [{"If_Match": "nonsense"}, {"If_None_Match": '"1-00000000"'}], ids=repr
)
def test_a_condition_that_makes_no_sense_is_400(state: Client, headers: dict[str, str]):
    assert put(state, "notes/a", b"1", **headers).status_code == 400
    assert state.get(f"{API}/state/notes/a").status_code == 404


def test_what_a_program_writes_that_counts_no_versions_is_noticed(state: Client, store):
    tag = put(state, "notes/a", b"1")["ETag"]
    store.commit({}, [ops.HashSet(keys.state("notes"), {"a": b'{"by": "hand"}'})])
    assert put(state, "notes/a", b"2", If_Match=tag).status_code == 412
    shown = state.get(f"{API}/state/notes/a")
    assert shown.content == b'{"by": "hand"}'
    assert put(state, "notes/a", b"3", If_Match=shown["ETag"]).status_code == 200


def test_what_is_no_json_is_said_to_be_damaged(state: Client, store):
    store.commit({}, [ops.HashSet(keys.state("notes"), {"a": b"{oh"})])
    for path in ("notes/a", "notes"):
        answer = state.get(f"{API}/state/{path}")
        assert (answer.status_code, answer.json()["code"], answer.json()["key"]) == (
            409, "damaged", "a"
        )  # fmt: skip
    assert put(state, "notes/a", b"1").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_writers_that_saw_the_same_one_wins(store, state: Client):
    tag = put(state, "notes/a", b"0")["ETag"]

    def write(i: int) -> int:
        return put(state, "notes/a", str(i).encode(), If_Match=tag).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(write, range(1, 17)))
    assert sorted(codes) == [200] + [412] * 15
    assert state.get(f"{API}/state/notes/a").json() == codes.index(200) + 1


# -- namespaces ---------------------------------------------------------------------


def test_namespaces_are_listed_with_how_many_entries_they_have(state: Client):
    put(state, "notes/a", b"1")
    put(state, "notes/b", b"1")
    counts = {
        one["namespace"]: one["count"] for one in state.get(f"{API}/state").json()["namespaces"]
    }
    assert counts == {
        "issues": 0, "comments": 0, "tasks": 0, "processes": 0, "agents": 0, "config": 0, "notes": 2
    }  # fmt: skip


def test_a_namespace_is_read_replaced_and_cleared_as_a_whole(state: Client):
    put(state, "notes/a", b"1")
    put(state, "notes/gone", b"1")
    body = {"values": {"a": 10**30, "b": None}, "versions": {"ignored": 1}}
    assert send(state, "put", "state/notes", body).json() == {"namespace": "notes", "count": 2}
    whole = state.get(f"{API}/state/notes").json()
    assert (whole["values"], whole["count"]) == (body["values"], 2)
    assert set(whole["versions"]) == {"a", "b"}
    assert whole["versions"]["a"] == run(namespaced.get("notes", "a")).version
    assert send(state, "put", "state/notes", whole).status_code == 200, "an answer can be sent back"
    assert state.delete(f"{API}/state/notes").json() == {"namespace": "notes", "count": 0}
    assert state.get(f"{API}/state/notes").json()["values"] == {}


def test_a_namespace_that_nobody_wrote_to_is_empty(state: Client):
    assert state.get(f"{API}/state/never").json()["values"] == {}


# -- transactions -------------------------------------------------------------------


def test_a_transaction_changes_entries_of_several_namespaces(state: Client):
    version = put(state, "notes/gone", b"1").json()["version"]
    answer = send(state, "patch", "state", {"changes": [
        {"namespace": "notes", "key": "a", "value": None, "if_absent": True},
        {"namespace": "other", "key": "b/c", "value": {"n": 2**70}},
        {"namespace": "notes", "key": "gone", "delete": True, "if_version": version},
    ]})  # fmt: skip
    assert answer.status_code == 200, answer.content
    assert [one["version"] > 0 for one in answer.json()["entries"]] == [True, True, False]
    assert state.get(f"{API}/state/notes").json()["values"] == {"a": None}
    assert state.get(f"{API}/state/other/b/c").json() == {"n": 2**70}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"key": "b", "value": 1, "if_version": 5}, 409),
        ({"key": "there", "value": 1, "if_absent": True}, 409),
        ({"key": "there", "delete": True, "if_version": 1}, 409),
        ({"key": "first", "value": 2}, 409),
        ({"key": "b"}, 400),
        ({"key": "b", "value": 1, "delete": True}, 400),
        ({"key": "b\n", "value": 1}, 400),
        ({"key": "b", "value": 1, "if_version": "1"}, 400),
        ({"key": "b", "value": "x" * 1_100_000}, 413),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_transaction_that_fails_changes_nothing(state: Client, wish: dict, code: int):
    put(state, "notes/there", b"0")
    first = {"namespace": "notes", "key": "first", "value": 1}
    answer = send(state, "patch", "state", {"changes": [first, {"namespace": "notes"} | wish]})
    assert answer.status_code == code, answer.content
    if code == 400:
        assert "changes[1]" in answer.json()["error"]
    assert state.get(f"{API}/state/notes").json()["values"] == {"there": 0}


def test_an_entry_that_describes_an_issue_is_the_issue(state: Client, issues: Client):
    taken = check_out(issues, 7)
    shown = state.get(f"{API}/state/issues/7")
    assert (shown.json()["processId"], shown.json()["token"]) == ("p1", taken["token"])
    answer = put(state, "issues/7", b'{"status": "pending", "mine": 1}', If_Match=shown["ETag"])
    assert answer.status_code == 200, answer.content
    record = issues.get(f"{API}/issues/7").json()
    assert (record["status"], record["other"]) == ("pending", {"mine": 1})
    answer = put(state, "issues/7", b'{"status": "strange"}')
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
