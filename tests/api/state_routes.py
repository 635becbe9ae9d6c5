"""Every route of the state side, with the scopes of which one is needed (besides admin)."""

from __future__ import annotations

ISSUE, PROCESS, LOCK, REQUEST = "123", "agent-7", "deploy", "1795248000000-123"
NAMESPACE, KEY = "notes", "a/b"
_READ = {"issues", "read"}
_SEE = {"state", "read"}

STATE_ROUTES: list[tuple[str, str, set[str]]] = [
    ("get", "/api/v1/issues", _READ),
    ("get", "/api/v1/issues/statistics", _READ),
    ("get", "/api/v1/issues/orphans", _READ),
    ("post", "/api/v1/issues/orphans", {"issues"}),
    ("get", f"/api/v1/issues/{ISSUE}", _READ),
    ("patch", f"/api/v1/issues/{ISSUE}", {"issues"}),
    ("delete", f"/api/v1/issues/{ISSUE}", {"issues"}),
    ("get", f"/api/v1/issues/{ISSUE}/history", _READ),
    ("post", f"/api/v1/issues/{ISSUE}/checkout", {"issues"}),
    ("post", f"/api/v1/issues/{ISSUE}/heartbeat", {"issues"}),
    ("post", f"/api/v1/issues/{ISSUE}/checkin", {"issues"}),
    ("get", "/api/v1/processes", _READ),
    ("post", "/api/v1/processes", {"issues"}),
    ("get", "/api/v1/processes/zombies", _READ),
    ("post", "/api/v1/processes/zombies", {"issues"}),
    ("get", f"/api/v1/processes/{PROCESS}", _READ),
    ("delete", f"/api/v1/processes/{PROCESS}", {"issues"}),
    ("post", f"/api/v1/processes/{PROCESS}/heartbeat", {"issues"}),
    ("get", "/api/v1/locks", _READ),
    ("get", f"/api/v1/locks/{LOCK}", _READ),
    ("put", f"/api/v1/locks/{LOCK}", {"issues"}),
    ("patch", f"/api/v1/locks/{LOCK}", {"issues"}),
    ("delete", f"/api/v1/locks/{LOCK}", {"issues"}),
    ("get", "/api/v1/labels", _READ),
    ("post", "/api/v1/labels/retry", {"issues"}),
    ("get", f"/api/v1/labels/{REQUEST}", _READ),
    ("post", f"/api/v1/labels/{REQUEST}/retry", {"issues"}),
    ("get", "/api/v1/state", _SEE),
    ("patch", "/api/v1/state", {"state"}),
    ("get", f"/api/v1/state/{NAMESPACE}", _SEE),
    ("put", f"/api/v1/state/{NAMESPACE}", {"state"}),
    ("delete", f"/api/v1/state/{NAMESPACE}", {"state"}),
    ("get", f"/api/v1/state/{NAMESPACE}/watch", _SEE),
    ("get", f"/api/v1/state/{NAMESPACE}/{KEY}", _SEE),
    ("put", f"/api/v1/state/{NAMESPACE}/{KEY}", {"state"}),
    ("delete", f"/api/v1/state/{NAMESPACE}/{KEY}", {"state"}),
]


def filled_in(route: str) -> str:
    """The path of a route, with the names that the table uses."""
    names = {
        "<str:number>": ISSUE, "<str:process_id>": PROCESS, "<str:request_id>": REQUEST,
        "<str:namespace>": NAMESPACE, "<path:key>": KEY, "locks/<str:name>": f"locks/{LOCK}",
    }  # fmt: skip
    for part, name in names.items():
        route = route.replace(part, name)
    return route
