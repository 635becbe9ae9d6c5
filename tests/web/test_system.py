"""The events page and the engine page."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from django.test import Client

from orchard.domain import events as job_events
from orchard.live.frames import make_entry, select
from orchard.services import engine
from orchard.web import concerns, sentences
from statecore.domain import events as state_events
from statecore.domain.health import EngineFacts, find_concerns
from statecore.services import chronicle, namespaced, run
from statecore.store.clock import ManualClock
from statecore.store.file import FileStore
from statecore.store.redis import RedisStore
from tests.conftest import EngineServer
from tests.services.orchards import processing, submit, worker

PAGES = ["/ui/events/", "/ui/events/new?after=0-0", "/ui/engine/"]


@pytest.fixture
def served(store, redis_store: RedisStore) -> Iterator[RedisStore]:
    """The services run against a real engine."""
    before = engine.use(redis_store)
    yield redis_store
    engine.use(before)


@pytest.fixture
def away(store) -> Iterator[None]:
    """An engine that nobody answers for."""
    gone = RedisStore("redis://127.0.0.1:1/0")
    before = engine.use(gone)
    yield
    engine.use(before)
    gone.close()


def change(count: int, clock: ManualClock | None = None, step_s: float = 0.0) -> None:
    """Set so many entries ``n/0``, ``n/1`` …, with a pause between them."""
    for number in range(count):
        run(namespaced.put("n", str(number), number))
        if clock:
            clock.advance(step_s)


def keys_of(answer) -> list[str]:
    return [row.event["key"] for row in answer.context["rows"]]


def everything(raw: bytes) -> bool:
    return True


# -- who may look --------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_led_to_the_sign_in_page(path, db):
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login?next=")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_whoever_is_signed_in_may_look(path, language, reader: Client, operator: Client):
    for client in (reader, operator):
        assert client.get(path, headers={"accept-language": language}).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_posted_to_these_pages(path, operator: Client):
    assert operator.post(path).status_code == 405


# -- events --------------------------------------------------------------------------


def test_every_event_there_is_has_a_sentence():
    for union in (job_events.Event, state_events.Event):
        for kind in union.__args__:
            assert kind.__struct_config__.tag in sentences.SENTENCES


@pytest.mark.parametrize("name", sorted(sentences.SENTENCES))
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_sentence_can_be_told_of_an_event_that_says_nothing_more(name, language, settings):
    from django.utils.translation import override

    with override(language):
        assert sentences.tell({"name": name})


def test_events_stand_newest_first_as_sentences_and_raw(reader: Client):
    worker("kitchen")
    job = submit()
    page = reader.get("/ui/events/").content.decode()
    assert page.index(job.job_id[:8]) < page.index("kitchen")
    assert "was created for" in page
    assert "&quot;name&quot;: &quot;job.created&quot;" in page


def test_events_are_filtered_by_kind_and_by_id(reader: Client):
    job = processing(1)
    worker("kitchen")
    change(2)
    for kind in ("job", "worker", "state"):
        rows = reader.get(f"/ui/events/?kind={kind}").context["rows"]
        assert {row.kind for row in rows} == {kind}
    rows = reader.get(f"/ui/events/?id={job.job_id}").context["rows"]
    assert rows
    assert all(row.event["job_id"] == job.job_id for row in rows)
    assert keys_of(reader.get("/ui/events/?kind=state&id=1")) == ["1"]
    nothing = reader.get("/ui/events/?kind=lock").content.decode()
    assert "No such event" in nothing


def test_older_pages_join_without_a_gap_or_a_repetition(reader: Client, clock: ManualClock):
    change(150, clock, 7.0)
    found, path = [], "/ui/events/?kind=state"
    while path:
        answer = reader.get(path)
        found += keys_of(answer)
        older = answer.context.get("older_query")
        path = f"/ui/events/{older}" if older else ""
    assert found == [str(number) for number in reversed(range(150))]


def test_events_after_a_cursor_come_as_rows_and_old_cursors_are_refused(
    reader: Client, clock: ManualClock
):
    change(1)
    cursor = reader.get("/ui/events/").context["cursor"]
    clock.advance(1)
    change(3)
    answer = reader.get(f"/ui/events/new?kind=state&after={cursor}")
    assert keys_of(answer) == ["2", "1", "0"]
    again = reader.get(f"/ui/events/new?after={answer.context['cursor']}")
    assert keys_of(again) == []
    for wrong in ("", "x", "99999999999999-0"):
        assert reader.get(f"/ui/events/new?after={wrong}").status_code == 410


def test_a_cursor_that_is_none_leads_to_the_newest_events(reader: Client):
    change(2)
    assert keys_of(reader.get("/ui/events/?before=nonsense")) == ["1", "0"]


@pytest.mark.parametrize("seconds", [0.0, 0.4, 3_600.0])
def test_the_chronicle_finds_the_same_at_any_pace(store, clock: ManualClock, seconds):
    change(130, clock, seconds)
    clock.advance(86_400)
    cursors, before = [], ""
    while True:
        page = run(chronicle.latest(everything, limit=30, before=before))
        cursors += [one.cursor for one in page.happenings]
        before = page.older
        if not before:
            break
    assert len(cursors) == len(set(cursors)) == 130


def test_a_search_rests_when_it_has_read_much_and_goes_on_where_it_was(
    store, clock: ManualClock, monkeypatch
):
    monkeypatch.setattr(chronicle, "MOST_READ", 50)
    change(300, clock, 1.0)
    page = run(chronicle.latest(lambda raw: b'"key":"3"' in raw, limit=5))
    assert page.rested
    assert page.happenings == []
    while page.rested:
        page = run(chronicle.latest(lambda raw: b'"key":"3"' in raw, limit=5, before=page.older))
        if page.happenings:
            break
    assert len(page.happenings) == 1


def test_a_real_engine_tells_the_same(served: RedisStore):
    change(70)
    first = run(chronicle.latest(everything, limit=40))
    rest = run(chronicle.latest(everything, limit=40, before=first.older))
    told = [msgspec.json.decode(one.raw)["key"] for one in first.happenings + rest.happenings]
    assert told == [str(number) for number in reversed(range(70))]


def test_the_page_on_events_is_told_of_both_sides_and_of_nothing_unreadable():
    told = [b'{"name":"job.sung","job_id":"j"}', b'{"name":"lock.lost"}', b"no json"]
    entries = [make_entry(f"{n}-0", raw) for n, raw in enumerate(told, 1)]
    assert [entry.raw for entry in select(entries, "events")] == told[:2]


# -- the engine ----------------------------------------------------------------------


def test_a_real_engine_tells_of_itself(served: RedisStore, reader: Client):
    change(3)
    answer = reader.get("/ui/engine/")
    facts = answer.context["facts"]
    assert (facts.engine, facts.role, facts.append_only) == ("redis", "primary", True)
    assert facts.memory_bytes > 0
    assert facts.clients >= 1
    assert facts.streams == {"events": 3}
    assert answer.context["now"].p95_ms >= answer.context["now"].p50_ms > 0
    assert "The engine is well" in answer.content.decode()


def test_an_engine_that_forgets_and_keeps_nothing_is_warned_of(
    own_engine_server: EngineServer, reader: Client
):
    client = own_engine_server.client
    client.config_set("appendonly", "no")
    client.config_set("maxmemory", "100mb")
    client.config_set("maxmemory-policy", "allkeys-lru")
    store = RedisStore(own_engine_server.url)
    before = engine.use(store)
    try:
        page = reader.get("/ui/engine/").content.decode()
    finally:
        engine.use(before)
        store.close()
    assert "not written to disk" in page
    assert "forgets keys when it is full" in page
    assert "of 100" in page


def test_an_engine_that_must_not_tell_says_only_what_it_may(own_engine_server: EngineServer):
    own_engine_server.client.execute_command("ACL", "SETUSER", "default", "-info", "-config")
    store = RedisStore(own_engine_server.url)
    assert store.describe("events") == {"engine": "redis", "streams": {"events": 0}}
    store.close()


def test_the_memory_store_is_called_what_it_is(reader: Client):
    change(2)
    answer = reader.get("/ui/engine/")
    assert "Everything is gone when this program ends" in answer.content.decode()
    kinds = {str(kind.label): kind.number for kind in answer.context["kinds"]}
    assert kinds["Entries of state"] == 2
    assert answer.context["facts"].streams == {"events": 2}


def test_the_file_store_tells_how_much_disk_it_takes(tmp_path, reader: Client):
    store = FileStore(tmp_path / "state")
    before = engine.use(store)
    try:
        change(2)
        facts = reader.get("/ui/engine/").context["facts"]
    finally:
        engine.use(before)
        store.close()
    assert facts.engine == "file"
    assert facts.disk_bytes > 0
    assert facts.disk_free_bytes > 0


def test_every_look_adds_to_the_charts_and_their_table(reader: Client, monkeypatch):
    monkeypatch.setattr("statecore.services.health.SAMPLE_EVERY_S", 0.0)
    reader.get("/ui/engine/")
    answer = reader.get("/ui/engine/")
    assert len(answer.context["rows"]) == 2
    assert all(chart.is_drawable for chart in answer.context["charts"])


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        ({"append_only": True}, []),
        ({"append_only": False}, ["not_kept"]),
        ({"append_only": False, "snapshots": True}, ["snapshots_only"]),
        ({"append_only": True, "append_only_ok": False}, ["append_only_fails"]),
        ({"snapshot_ok": False}, ["snapshot_fails"]),
        ({"policy": "volatile-ttl"}, ["evicts"]),
        ({"evicted": 1}, ["has_evicted"]),
        ({"memory_bytes": 80, "memory_limit_bytes": 100}, ["memory_near"]),
        ({"memory_bytes": 79, "memory_limit_bytes": 100}, []),
        ({"memory_bytes": 80, "memory_limit_bytes": 0}, []),
        ({"clients": 9, "clients_limit": 10}, ["clients_near"]),
        ({"rejected": 2}, ["rejected_clients"]),
        ({"role": "replica"}, ["is_replica"]),
        ({"disk_free_bytes": 1}, ["disk_near"]),
        ({"rejected": 2, "evicted": 1}, ["has_evicted", "rejected_clients"]),
    ],
)
def test_concerns_follow_from_the_facts_and_have_words(facts, names):
    found = find_concerns(EngineFacts(engine="redis", **facts), 1.0)
    assert [one.name for one in found] == names
    assert all(name in concerns.CONCERNS for name in names)


def test_an_engine_that_answers_slowly_is_a_concern():
    facts = EngineFacts(engine="redis")
    assert [one.name for one in find_concerns(facts, 50.1)] == ["slow"]
    assert find_concerns(facts, 50.0) == []


@pytest.mark.parametrize("path", ["/ui/events/", "/ui/engine/"])
def test_pages_say_that_the_engine_is_away(path, reader: Client, away):
    answer = reader.get(path)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "2"
    assert "state engine is away" in answer.content.decode()


def test_the_engine_page_tells_what_it_saw_last(own_engine_server: EngineServer, reader: Client):
    store = RedisStore(own_engine_server.url)
    before = engine.use(store)
    try:
        reader.get("/ui/engine/")
        own_engine_server.kill()
        answer = reader.get("/ui/engine/")
    finally:
        engine.use(before)
        store.close()
    assert answer.status_code == 503
    assert answer.context["last"].memory_bytes > 0
    assert "Last seen" in answer.content.decode()
