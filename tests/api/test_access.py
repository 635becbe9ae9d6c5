"""Who may do what: every route for strangers, each scope of a token, and each role of people."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver

from orchard.models import AuditEntry
from orchard.roles import SCOPES_OF, Role, give_role
from orchard.services import fleet, run
from orchard.tokens import SCOPES
from statecore.domain.issues import Holder
from statecore.services import checkouts, locks, namespaced
from statecore.store.memory import MemoryStore
from tests.api.fixtures import Tokens
from tests.api.state_routes import (
    ISSUE,
    KEY,
    LOCK,
    NAMESPACE,
    PROCESS,
    STATE_ROUTES,
    filled_in,
)

CHUNK = "0123456789abcdef_chunk_0"
JOB = "0123456789abcdef"
HOOK = "0123456789abcdee"
SCHEDULE = "0123456789abcdec"
ROUTES: list[tuple[str, str, set[str]]] = [
    # method, path, the scopes of which one is needed (besides admin)
    ("post", "/submit", {"submit"}),
    ("get", "/jobs", {"read"}),
    ("get", f"/jobs/{JOB}", {"read"}),
    ("get", "/workers", {"read"}),
    ("post", "/workers/add", {"worker"}),
    ("post", "/workers/remove", {"worker"}),
    ("get", "/stats", {"read"}),
    ("get", "/metrics", {"read"}),
    ("get", "/preferences/purifier", {"read"}),
    ("post", "/preferences/purifier", {"submit"}),
    ("get", "/api/v1/workers", {"read"}),
    ("post", "/api/v1/workers", {"worker"}),
    ("get", "/api/v1/workers/w1", {"read"}),
    ("delete", "/api/v1/workers/w1", {"worker"}),
    ("post", "/api/v1/workers/w1/heartbeat", {"worker"}),
    ("post", "/api/v1/workers/w1/claim", {"worker"}),
    ("post", "/api/v1/workers/w1/exchange", {"worker"}),
    ("post", "/api/v1/workers/w1/drain", {"worker"}),
    ("post", "/api/v1/workers/w1/pause", {"worker"}),
    ("post", "/api/v1/workers/w1/resume", {"worker"}),
    ("post", f"/api/v1/chunks/{CHUNK}/progress", {"worker"}),
    ("post", f"/api/v1/chunks/{CHUNK}/complete", {"worker"}),
    ("post", f"/api/v1/chunks/{CHUNK}/fail", {"worker"}),
    ("get", f"/api/v1/chunks/{CHUNK}/audio", {"worker", "read"}),
    ("get", "/api/v1/jobs", {"read"}),
    ("post", "/api/v1/jobs", {"submit"}),
    ("get", f"/api/v1/jobs/{JOB}", {"read"}),
    ("delete", f"/api/v1/jobs/{JOB}", {"submit"}),
    ("post", f"/api/v1/jobs/{JOB}/cancel", {"submit"}),
    ("post", f"/api/v1/jobs/{JOB}/retry", {"submit"}),
    ("post", f"/api/v1/jobs/{JOB}/pin", {"submit"}),
    ("get", f"/api/v1/jobs/{JOB}/output", {"read"}),
    ("get", f"/api/v1/jobs/{JOB}/transcript.json", {"read"}),
    ("get", "/api/v1/transcripts/search", {"read"}),
    ("get", "/api/v1/jobs/export", {"read"}),
    ("post", "/api/v1/uploads/tus", {"submit"}),
    ("get", f"/api/v1/uploads/tus/{JOB}{JOB}", {"submit"}),
    ("patch", f"/api/v1/uploads/tus/{JOB}{JOB}", {"submit"}),
    ("delete", f"/api/v1/uploads/tus/{JOB}{JOB}", {"submit"}),
    ("get", "/api/v1/schedules", {"read"}),
    ("post", "/api/v1/schedules", {"submit"}),
    ("get", f"/api/v1/schedules/{SCHEDULE}", {"read"}),
    ("patch", f"/api/v1/schedules/{SCHEDULE}", {"submit"}),
    ("delete", f"/api/v1/schedules/{SCHEDULE}", {"submit"}),
    ("post", f"/api/v1/schedules/{SCHEDULE}/run", {"submit"}),
    ("get", "/api/v1/whoami", {*SCOPES} - {"admin"}),
    ("get", "/api/v1/events", {"read"}),
    ("get", "/api/v1/logs", {"read"}),
    ("post", "/api/v1/logs", {"worker", "issues", "state"}),
    ("get", "/api/v1/preferences/purifier", {"read"}),
    ("post", "/api/v1/preferences/purifier", {"submit"}),
    ("get", "/api/v1/schema", {"read"}),
    ("get", "/api/v1/docs", {"read"}),
    ("post", "/v1/audio/transcriptions", {"submit"}),
    ("get", "/v1/models", {"read"}),
    ("get", "/v1/models/orchard", {"read"}),
    ("get", "/api/v1/webhooks", set()),
    ("post", "/api/v1/webhooks", set()),
    ("get", f"/api/v1/webhooks/{HOOK}", set()),
    ("patch", f"/api/v1/webhooks/{HOOK}", set()),
    ("delete", f"/api/v1/webhooks/{HOOK}", set()),
    ("post", f"/api/v1/webhooks/{HOOK}/rotate", set()),
    ("post", f"/api/v1/webhooks/{HOOK}/test", set()),
    ("get", f"/api/v1/webhooks/{HOOK}/deliveries", set()),
    ("post", f"/api/v1/webhooks/{HOOK}/deliveries/1/replay", set()),
    ("post", f"/api/v1/webhooks/{HOOK}/replay", set()),
    *STATE_ROUTES,
]
IDS = [f"{method} {path}" for method, path, _ in ROUTES]

pytestmark = pytest.mark.usefixtures("store")


def ask(client: Client, method: str, path: str) -> Any:
    return getattr(client, method)(path)


@pytest.mark.parametrize(("method", "path", "scopes"), ROUTES, ids=IDS)
def test_a_stranger_is_asked_for_a_token(db, method: str, path: str, scopes: set[str]):
    for headers in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Bearer"}):
        answer = ask(Client(headers=headers), method, path)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
        assert "error" in answer.json()


@pytest.mark.parametrize(("method", "path", "scopes"), ROUTES, ids=IDS)
def test_each_scope_opens_its_routes_and_no_others(
    tokens: Tokens, method: str, path: str, scopes: set[str]
):
    for scope in SCOPES:
        answer = ask(Client(headers=tokens(scope)), method, path)
        if scope in scopes | {"admin"}:
            assert answer.status_code not in (401, 403), scope
        else:
            assert answer.status_code == 403, scope
            named = str(answer.json()["error"])
            assert all(needed in named for needed in scopes)


@pytest.mark.parametrize(("method", "path", "scopes"), ROUTES, ids=IDS)
def test_people_may_what_the_scopes_of_their_role_let_them(
    db, method: str, path: str, scopes: set[str]
):
    for role in Role:
        person = User.objects.create_user(role.word)
        give_role(person, role)
        client = Client()
        client.force_login(person)
        answer, may = ask(client, method, path), bool(SCOPES_OF[role] & (scopes | {"admin"}))
        assert (answer.status_code != 403) == may, role
        if not may:
            assert f"; yours is {role.word}" in str(answer.json()["error"])


def test_refusals_change_nothing(planted: MemoryStore, tokens: Tokens):
    before = content_of(planted)
    bystander, headers = User.objects.create_user("viewer"), {one: tokens(one) for one in SCOPES}
    for method, path, scopes in [route for route in ROUTES if route[0] != "get"]:
        clients = [Client()] + [
            Client(headers=headers[one]) for one in SCOPES if one not in scopes | {"admin"}
        ]
        clients.append(Client())
        clients[-1].force_login(bystander)
        for client in clients:
            assert ask(client, method, path).status_code in (401, 403), path
    assert content_of(planted) == before
    assert not AuditEntry.objects.exists()


def test_who_may_does_change_what_is_planted(planted: MemoryStore, tokens: Tokens):
    before = content_of(planted)
    assert Client(headers=tokens("worker")).delete("/api/v1/workers/w1").status_code == 200
    assert content_of(planted) != before


@pytest.fixture
def planted(store: MemoryStore) -> MemoryStore:
    """Things of the names that the table uses, for a refusal to spare."""
    run(fleet.register(name="w1"))
    run(checkouts.check_out(int(ISSUE), Holder(process_id=PROCESS)))
    run(locks.acquire(LOCK, "me", 600_000))
    run(namespaced.put(NAMESPACE, KEY, 1))
    return store


def content_of(store: MemoryStore) -> dict[str, str]:
    """All that a store keeps, so that it can be compared later."""
    held = store._keys._values.items()
    return {name: repr(vars(one) if hasattr(one, "__dict__") else one) for name, one in held}


def test_the_table_has_every_route_of_the_api():
    def walk(patterns: Any, before: str = "") -> set[str]:
        found = set()
        for pattern in patterns:
            here = before + str(pattern.pattern)
            inner = getattr(pattern, "url_patterns", None)
            found |= walk(inner, here) if inner else {here}
        return found

    real = {
        filled_in(route).replace("<str:job_id>", JOB).replace("<str:worker_id>", "w1")
        .replace("<str:name>", CHUNK).replace("<str:form>", "json")
        .replace("<path:model>", "orchard").replace("<str:webhook_id>", HOOK)
            .replace("<str:upload_id>", JOB + JOB).replace("<str:schedule_id>", SCHEDULE)
        .replace("<int:delivery_id>", "1")
        for route in walk(get_resolver("orchard.api.urls").url_patterns)
    }  # fmt: skip
    assert real - {r"^api(/|$)", r"^v1(/|$)"} == {path.removeprefix("/") for _, path, _ in ROUTES}


def test_the_table_has_every_method_of_every_route():
    def methods(view: Any) -> set[str]:
        return {name for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}

    def walk(patterns: Any) -> int:
        found = 0
        for pattern in patterns:
            if inner := getattr(pattern, "url_patterns", None):
                found += walk(inner)
            elif view := getattr(pattern.callback, "cls", None):
                found += len(methods(view))
        return found

    assert walk(get_resolver("orchard.api.urls").url_patterns) == len(ROUTES)


def test_a_session_needs_the_csrf_token_to_act(staff):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    answer = client.post("/api/v1/workers/w1/drain")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert client.get("/api/v1/workers").status_code == 200


def test_a_token_needs_no_csrf_token(tokens: Tokens):
    client = Client(enforce_csrf_checks=True, headers=tokens("worker"))
    assert client.post("/api/v1/workers/w1/drain").status_code == 404


def test_a_wrong_token_is_not_saved_by_a_session(staff):
    client = Client(headers={"Authorization": "Bearer wrong"})
    client.force_login(staff)
    assert client.get("/stats").status_code == 401


@pytest.mark.parametrize("header", ["Bearer a b", "bearer é", "Bearer \t", "BEARER x"])
def test_a_strange_authorization_header_is_401(client: Client, header: str):
    answer = client.get("/stats", headers={"Authorization": header})
    assert answer.status_code == 401
