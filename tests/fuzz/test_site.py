"""Pages, actions and the API of the site: whatever is asked of it, no answer is a fault of ours.

The engine is the one in memory, so that thousands of requests take a minute; the same over a
real server is :mod:`tests.fuzz.test_openapi`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from orchard.api.throttles import Throttle
from orchard.roles import Role
from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore
from tests.api.state_routes import STATE_ROUTES
from tests.fuzz.shapes import as_json, damaged, objects, printable, raw_json, trees
from tests.fuzz.sizes import cases
from tests.web.permission_table import ROWS, World

TEMPLATES = Path(__file__).parents[2] / "templates"
FIELDS = sorted(
    {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r'name="(\w+)"', path.read_text())
    }
    | {"after", "before", "cursor", "format", "i", "id", "mark", "new", "next", "number", "all"}
)
"""The fields of all forms, and what addresses name besides."""
JOB_ROUTES = [
    ("get", "/jobs"), ("get", "/jobs/{job}"), ("get", "/api/v1/jobs"), ("get", "/api/v1/events"),
    ("get", "/api/v1/jobs/{done}/transcript.srt"), ("get", "/api/v1/logs"), ("get", "/workers"),
    ("post", "/workers/remove"), ("post", "/preferences/purifier"), ("post", "/api/v1/logs"),
    ("post", "/api/v1/workers"), ("post", "/api/v1/jobs/{done}/pin"), ("get", "/stats"),
    ("post", "/api/v1/workers/{worker}/heartbeat"), ("post", "/api/v1/workers/{worker}/claim"),
    ("post", "/api/v1/chunks/{job}_chunk_0/progress"), ("get", "/api/v1/workers/{worker}"),
    ("post", "/api/v1/chunks/{job}_chunk_0/complete"), ("post", "/api/v1/jobs/{job}/cancel"),
    ("post", "/api/v1/chunks/{job}_chunk_0/fail"), ("get", "/api/v1/chunks/{job}_chunk_0/audio"),
]  # fmt: skip
BODY = [
    "process_id", "owner", "token", "status", "result", "metadata", "numbers", "values", "changes",
    "ttl_s", "lines", "leases", "name", "url", "mode", "capabilities", "concurrency", "max",
    "worker_id", "text", "time_ms", "segments", "progress", "error", "retry", "handback", "pinned",
    "usePurifier", "namespace", "key", "value", "delete", "if_version", "task_type", "pid", "host",
]  # fmt: skip
change = objects(["namespace", "key", "value", "delete", "if_version", "if_absent"])
line = objects(["message", "level", "time", "logger", "process", "job", "issue", "fields"])
heard = objects(["start_ms", "end_ms", "text", "words"])
known = st.fixed_dictionaries(
    {},
    optional={
        "changes": st.lists(change, max_size=3), "lines": st.lists(line, max_size=3),
        "worker_id": st.just("w1"), "token": st.just(1), "process_id": st.just("agent-8"),
        "status": st.sampled_from(["pending", "completed", "error"]), "owner": st.just("me"),
        "values": st.dictionaries(printable, trees(), max_size=3), "text": printable,
        "time_ms": st.just(5), "progress": st.just(0.5), "segments": st.lists(heard, max_size=3),
    },
)  # fmt: skip
bodies = st.builds(lambda some, others: others | some, known, objects(BODY))
questions = st.dictionaries(
    st.sampled_from([*FIELDS, "limit", "wait", "q", "sort", "since", "until", "level", "edited"]),
    printable | st.integers().map(str),
    max_size=4,
)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that does not count its guests' requests."""
    monkeypatch.setattr(Throttle, "known_limit", 10**9)
    monkeypatch.setattr(Throttle, "hot_limit", 10**9)


@pytest.fixture
def world(db: None, store: MemoryStore, clock: ManualClock) -> World:
    """A site with something of everything."""
    return World(store, clock)


@pytest.fixture
def ruler(world: World) -> Client:
    """The browser of an administrator; a fault of ours is an answer here, as it is outside."""
    client = Client(raise_request_exception=False)
    client.force_login(world.people[Role.ADMIN])
    return client


class Odd(dict):
    """Names of a world, of which some are not what they should be."""

    def __init__(self, world: World, data: st.DataObject) -> None:
        super().__init__(world.names)
        self._data = data

    def __getitem__(self, name: str) -> Any:
        odd = self._data.draw(
            st.none() | printable.filter(lambda text: text not in ("", ".", ".."))
        )
        return super().__getitem__(name) if odd is None else quote(odd, safe="")


def is_ours(answer: Any) -> bool:
    """Whether an answer tells of a fault of ours; the end of a file that is sent comes with it."""
    if answer.streaming:
        for close in answer._resource_closers:
            close()
    return answer.status_code >= 500


@cases(80)
@given(row=st.sampled_from(ROWS), asked=questions, form=questions, data=st.data())
def test_no_page_and_no_action_falls_over_what_it_is_asked(
    ruler: Client, world: World, row: Any, asked: dict, form: dict, data: st.DataObject
):
    if row.route == "readyz":
        return  # it answers 503 by design when a part of the site is missing
    path, _, rest = row.path.partition("?")
    path = path.format_map(Odd(world, data))
    given = {name: world.fill(value) for name, value in row.form.items()} | form
    query = urlencode(asked) + ("&" + rest.format_map(world.names) if rest else "")
    act = getattr(ruler, row.method)
    answer = act(f"{path}?{query}", given if row.method == "post" else None)
    assert not is_ours(answer), (row, path, query, given)
    ruler.force_login(world.people[Role.ADMIN])  # it may just have signed itself out


routes = st.sampled_from(
    [(method, path) for method, path, _ in STATE_ROUTES if not path.endswith("watch")] + JOB_ROUTES
)


@cases(100)
@given(route=routes, raw=raw_json(bodies | trees()), asked=questions, data=st.data())
def test_no_body_and_no_question_is_a_fault_of_the_api(
    client: Client, world: World, route: tuple, raw: bytes, asked: dict, data: st.DataObject
):
    client.raise_request_exception = False
    method, path = route
    path = path.format_map(Odd(world, data))
    asked = {name: value for name, value in asked.items() if name != "wait_s"}
    headers = data.draw(
        st.dictionaries(st.sampled_from(["If-Match", "If-None-Match", "Range", "Accept"]),
                        printable.filter(lambda text: text.isprintable()), max_size=2)
    )  # fmt: skip
    answer = client.generic(
        method.upper(), f"{path}?{urlencode(asked)}", b"" if method == "get" else raw,
        "application/json", headers=headers,
    )  # fmt: skip
    assert not is_ours(answer), (route, path, raw[:500], asked, headers)
    assert answer.status_code != 429
    if answer.status_code >= 400:
        assert answer.json()["error"]


FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\nRIFF\r\n--x\r\n"
    b'Content-Disposition: form-data; name="language"\r\n\r\nja\r\n--x--\r\n'
)


@cases(100)
@given(
    raw=damaged(FORM) | st.binary(max_size=200),
    kind=st.sampled_from(["multipart/form-data; boundary=x", "multipart/form-data; boundary="]),
    path=st.sampled_from(["/submit", "/api/v1/jobs"]),
)
def test_any_form_is_a_recording_or_refused(client: Client, raw: bytes, kind: str, path: str):
    client.raise_request_exception = False
    answer = client.generic("POST", path, raw, kind)
    assert answer.status_code in (200, 201, 400), raw
    assert as_json(answer.json())
