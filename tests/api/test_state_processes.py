"""Processes, locks and label requests by REST."""

from __future__ import annotations

from django.test import Client

from statecore import keys
from statecore.services import labels, processes, run
from statecore.store import ops
from tests.api.fixtures import Tokens
from tests.api.state_site import API, BOTH_STORES, check_in, check_out, send

pytestmark = BOTH_STORES


def register(client: Client, process_id: str = "p1", **more: object) -> dict:
    answer = send(client, "post", "processes", {"process_id": process_id, **more})
    assert answer.status_code == 201, answer.content
    return answer.json()


# -- processes ---------------------------------------------------------------------


def test_a_process_announces_itself_and_is_seen(issues: Client):
    known = register(issues, pid=42, host="attic", role="builder", task_type="review")
    assert (known["pid"], known["role"], known["status"], known["ttl_s"]) == (
        42, "builder", "active", 1800
    )  # fmt: skip
    check_out(issues, 7)
    shown = issues.get(f"{API}/processes/p1").json()
    assert (shown["issues"], shown["issue_number"], shown["role"]) == ([7], 7, "builder")
    listed = issues.get(f"{API}/processes").json()
    assert (listed["count"], listed["processes"][0]["issues"]) == (1, [7])


def test_processes_are_listed_page_by_page(issues: Client):
    for i in range(5):
        register(issues, f"p{i}")
    first = issues.get(f"{API}/processes?limit=3").json()
    rest = issues.get(f"{API}/processes?limit=3&cursor={first['next']}").json()
    names = {one["process_id"] for one in first["processes"] + rest["processes"]}
    assert (names, first["count"], rest["next"]) == ({f"p{i}" for i in range(5)}, 5, None)


def test_a_heartbeat_tells_how_long_the_process_counts_as_alive(issues: Client):
    before = check_out(issues, 7)["lease_until"]
    answer = send(issues, "post", "processes/p1/heartbeat")
    assert answer.json() == {"process_id": "p1", "ttl_s": 1800}
    assert issues.get(f"{API}/issues/7").json()["lease_until"] >= before
    assert send(issues, "post", "processes/new/heartbeat").status_code == 200
    assert issues.get(f"{API}/processes/new").json()["status"] == "active"


def test_a_process_that_is_ended_gives_back_what_it_held(issues: Client):
    check_out(issues, 7)
    check_out(issues, 8)
    assert issues.delete(f"{API}/processes/p1").json() == {"process_id": "p1", "issues": [7, 8]}
    assert issues.get(f"{API}/issues/7").json()["status"] == "error"
    assert issues.get(f"{API}/processes/p1").json()["status"] == "ended"


def test_a_process_nobody_knows_is_404(issues: Client):
    for answer in (issues.get(f"{API}/processes/x"), issues.delete(f"{API}/processes/x")):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_process")


def test_zombies_are_listed_and_ended(issues: Client, store):
    check_out(issues, 7)
    store.commit({}, [
        ops.Delete((keys.process_heartbeat("p1"),)), ops.SortedAdd(keys.PROCESSES, {"p1": 1.0}),
    ])  # fmt: skip
    assert issues.get(f"{API}/processes/zombies").json() == {"processes": ["p1"], "count": 1}
    ended = send(issues, "post", "processes/zombies").json()
    assert ended == {"processes": [{"process_id": "p1", "issues": [7]}], "count": 1}
    assert issues.get(f"{API}/processes/zombies").json()["count"] == 0
    assert run(processes.get("p1")).final_status == "zombie"


# -- locks --------------------------------------------------------------------------


def acquire(client: Client, owner: str = "ann", name: str = "deploy", **more: object):
    return send(client, "put", f"locks/{name}", {"owner": owner, **more})


def test_a_lock_is_taken_renewed_and_given_back(issues: Client):
    lock = acquire(issues, ttl_s=60).json()
    assert (lock["name"], lock["owner"], lock["ttl_s"]) == ("deploy", "ann", 60)
    assert issues.get(f"{API}/locks/deploy").json() == lock
    told = {"owner": "ann", "token": lock["token"]}
    renewed = send(issues, "patch", "locks/deploy", told | {"ttl_s": 120}).json()
    assert (renewed["token"], renewed["ttl_s"]) == (lock["token"], 120)
    assert [one["name"] for one in issues.get(f"{API}/locks").json()["locks"]] == ["deploy"]
    assert send(issues, "delete", "locks/deploy", told).json()["released"] is True
    for method in ("get", "patch", "delete"):
        answer = send(issues, method, "locks/deploy", {} if method == "get" else told)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_lock")


def test_a_lock_is_given_back_by_its_address_alone(issues: Client):
    token = acquire(issues).json()["token"]
    answer = issues.delete(f"{API}/locks/deploy?owner=ann&token={token}")
    assert (answer.status_code, answer.json()) == (200, {"name": "deploy", "released": True})


def test_anothers_lock_is_refused_and_the_holder_named(issues: Client):
    acquire(issues)
    for answer in (
        acquire(issues, "bob"),
        send(issues, "patch", "locks/deploy", {"owner": "bob"}),
        issues.delete(f"{API}/locks/deploy?owner=bob"),
    ):
        body = answer.json()
        assert (answer.status_code, body["code"], body["holder"]) == (409, "held", "ann")


def test_a_stale_token_neither_renews_nor_releases(issues: Client):
    token = acquire(issues).json()["token"]
    told = {"owner": "ann", "token": token - 1}
    for method in ("patch", "delete"):
        answer = send(issues, method, "locks/deploy", told)
        assert (answer.status_code, answer.json()["code"]) == (409, "stale_token")


def test_only_an_administrator_takes_a_lock_from_its_owner(issues: Client, tokens: Tokens):
    token = acquire(issues).json()["token"]
    answer = issues.delete(f"{API}/locks/deploy")
    assert (answer.status_code, list(answer.json()["detail"])) == (400, ["owner"])
    ruler = Client(headers=tokens("admin"))
    assert ruler.delete(f"{API}/locks/deploy?token={token - 1}").status_code == 409
    assert ruler.delete(f"{API}/locks/deploy?token={token}").status_code == 200
    assert acquire(issues, "bob").json()["token"] > token


# -- label requests -------------------------------------------------------------------


def test_label_requests_are_listed_by_state_with_counts(issues: Client):
    check_out(issues, 7)
    check_in(issues, 7, process_id="p1")
    page = issues.get(f"{API}/labels?limit=1").json()
    assert (page["count"], page["counts"]) == (2, {"queued": 2, "sent": 0, "failed": 0})
    rest = issues.get(f"{API}/labels?limit=1&cursor={page['next']}").json()
    newest, oldest = page["labels"] + rest["labels"]
    assert (newest["add"], newest["remove"]) == (["completed"], ["processing"])
    assert (oldest["add"], oldest["issue"], oldest["process_id"]) == (["processing"], 7, "p1")
    assert issues.get(f"{API}/labels/{newest['request_id']}").json() == newest
    assert issues.get(f"{API}/labels?status=failed").json()["labels"] == []


def test_what_was_given_up_is_tried_again(issues: Client):
    for number in (7, 8, 9):
        check_out(issues, number)
    for request in run(labels.claim()):
        run(labels.mark_failed(request.request_id, "404 from the other side", final=True))
    failed = issues.get(f"{API}/labels?status=failed").json()["labels"]
    assert (len(failed), failed[0]["errors"]) == (3, ["404 from the other side"])
    one = send(issues, "post", f"labels/{failed[0]['request_id']}/retry").json()
    assert (one["status"], one["attempts"]) == ("queued", 0)
    assert send(issues, "post", "labels/retry").json() == {"retried": 2, "left": 0}


def test_what_was_delivered_is_not_tried_again(issues: Client):
    check_out(issues, 7)
    (request,) = run(labels.claim())
    run(labels.mark_sent(request.request_id))
    answer = send(issues, "post", f"labels/{request.request_id}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "transition_refused")
    answer = issues.get(f"{API}/labels/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_label_request")
