"""Records in the engine that another program has written, or half overwritten."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from orchard.roles import Role
from statecore import codec
from statecore.domain.errors import DamagedRecord, InvalidInput
from statecore.store import ops
from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore
from tests.fuzz.shapes import damaged, objects, raw_json
from tests.fuzz.sizes import cases
from tests.web.permission_table import World

FIELDS = [
    "status",
    "processId",
    "pid",
    "startTime",
    "metadata",
    "result",
    "token",
    "ttlMs",
    "owner",
]
HASH = ["pid", "role", "status", "lastSeen", "issueNumber", "endTime", "host", "taskType"]
raws = raw_json(objects(FIELDS)) | st.just(b'{"name":"\xff"}')


@cases(80)
@given(raw=raws)
def test_any_bytes_are_a_record_of_the_state_side_or_damaged(raw: bytes):
    for read in (codec.decode_lock, codec.decode_label):
        with suppress(DamagedRecord):
            read("x", raw)
    with suppress(DamagedRecord):
        codec.decode_issue(7, raw)
    with suppress(InvalidInput):
        codec.decode_record(7, raw)
    codec.decode_event(raw)


@cases(80)
@given(fields=st.dictionaries(st.sampled_from(HASH), st.binary()))
def test_any_hash_is_a_process(fields: dict[str, bytes]):
    assert codec.decode_process("p1", fields).process_id == "p1"


@pytest.fixture
def world(db: None, store: MemoryStore, clock: ManualClock) -> World:
    """A site with something of everything."""
    return World(store, clock)


READS = [
    "/jobs", "/jobs/{job}", "/jobs/{done}", "/api/v1/jobs", "/api/v1/jobs?status=completed",
    "/api/v1/jobs/{job}", "/api/v1/jobs/{done}/transcript.srt", "/workers", "/api/v1/workers",
    "/api/v1/workers/{worker}", "/stats", "/api/v1/issues", "/api/v1/issues/7", "/api/v1/locks",
    "/api/v1/labels", "/api/v1/processes", "/api/v1/issues/orphans", "/api/v1/state/issues",
    "/api/v1/state/notes", "/api/v1/issues/statistics", "/api/v1/locks/deploy", "/", "/ui/jobs/",
    "/ui/jobs/{done}/", "/ui/jobs/{job}/", "/ui/workers/", "/ui/workers/w1/", "/ui/issues/",
    "/ui/issues/7/", "/ui/locks/", "/ui/labels/", "/ui/processes/", "/ui/state/notes/",
]  # fmt: skip
"""What shows records."""


def overwrite(store: MemoryStore, key: str, raw: bytes) -> None:
    """Put other bytes where a record stands, as another program might."""
    held: Any = store._keys._values[key]
    if isinstance(held, dict) and held:
        store.commit({}, (ops.HashSet(key, {next(iter(held)): raw}),))
    elif isinstance(held, bytes):
        store.commit({}, (ops.Set(key, raw),))


@cases(10, share=0.02)
@given(kind=st.sampled_from(["job:", "chunks:", "results:", "worker:", "lock:", "poppo:label:",
                             "poppo:state:", "poppo:process:", "events"]),
       raw=raws | st.just(b"{}").flatmap(damaged), data=st.data())  # fmt: skip
def test_a_damaged_record_spoils_no_list_and_is_no_fault(
    world: World, store: MemoryStore, kind: str, raw: bytes, data: st.DataObject
):
    keys = sorted(name for name in store._keys._values if name.startswith(kind))
    client = Client(raise_request_exception=False)
    client.force_login(world.people[Role.ADMIN])
    for key in keys:
        overwrite(store, key, raw)
    for path in READS:
        answer = client.get(path.format_map(world.names))
        assert answer.status_code < 500, (path, keys, raw)
