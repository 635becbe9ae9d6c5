"""One stream has the events of both sides; nobody stumbles over what he has no word for."""

from __future__ import annotations

from django.test import Client

from orchard import codec as orchard_codec
from statecore import codec, keys
from statecore.services import changes, run
from statecore.store import ops
from tests.api.state_site import API, BOTH_STORES, check_out
from tests.services.orchards import submit

pytestmark = BOTH_STORES


def test_both_sides_and_newer_programs_are_heard_in_order(client: Client, store):
    job = submit()
    check_out(client, 7)
    raws = (b'{"name":"moon.rose","at":"2030-01-01T00:00:00Z","phase":[1]}', b"by hand")
    store.commit({}, [ops.Append(keys.EVENTS, raws, 1000)])
    events = client.get(f"{API}/events").json()["events"]
    names = [event["name"] for event in events]
    assert names[0] == "job.created"
    assert names[1:-2] == ["state.changed", "issue.checked_out", "label.queued"]
    assert names[-2:] == ["moon.rose", "unreadable"]
    assert (events[0]["job_id"], events[2]["issue"]) == (job.job_id, 7)
    assert events[-2]["phase"] == [1]
    assert len({event["cursor"] for event in events}) == len(events)


def test_each_side_passes_over_the_events_of_the_other(client: Client, store):
    start = run(changes.now_cursor())
    submit()
    check_out(client, 7)
    raws = [raw for _, raw in store.tail(keys.EVENTS, start).entries]
    for raw in (*raws, b'{"name":"moon.rose"}', b"by hand"):
        assert orchard_codec.decode_event(raw) is None or codec.decode_event(raw) is None
    assert sum(orchard_codec.decode_event(raw) is not None for raw in raws) == 1
    assert sum(codec.decode_event(raw) is not None for raw in raws) == len(raws) - 1
