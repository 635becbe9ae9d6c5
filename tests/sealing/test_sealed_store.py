"""A store over sealed values: what the engine sees, and what happens without the right keys."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchard import keys
from orchard.placement import LAYOUT
from orchard.sealed_keys import PREFIXES, sealed_by
from orchard.services.doctor.catalogue import RULES
from statecore import keys as state_keys
from statecore.domain.errors import StateError
from statecore.domain.issues import Holder
from statecore.sealing.key_ring import KeyRing, make_key, write_key_ring
from statecore.sealing.site import Part
from statecore.sealing.values import is_sealed, key_id_of
from statecore.services import changes, checkouts, namespaced
from statecore.services.doctor.catalogue import RULES as STATE_RULES
from statecore.store import known_keys, ops
from statecore.store.known_keys import WrongKey, check_keys
from statecore.store.memory import MemoryStore
from statecore.store.partitions import PartitionedStore
from statecore.store.sealing import KeyMissing, SealedStore
from statecore.store.walking import walk_keys

ROOT = Path(__file__).parents[2]
SECRET = "the orange tree of grandmother"
OLD, NEW = make_key("old"), make_key("new")
SEALS = sealed_by(frozenset(Part))
STATE = "poppo:state:tasks"


@pytest.fixture
def engine() -> MemoryStore:
    return MemoryStore()


def over(engine, *ring) -> SealedStore:
    return SealedStore(engine, KeyRing(*ring), SEALS)


def put(store, key, value):
    return store.run(namespaced.put("tasks", key, value))


def value_of(store, key):
    return store.run(namespaced.get("tasks", key)).raw


def test_the_engine_sees_no_value_and_no_event_in_plain(engine):
    store = over(engine, NEW)
    put(store, "a", {"text": SECRET})
    store.run(checkouts.check_out(7, Holder(process_id="p")))
    held = engine.read(ops.WholeHash(STATE), ops.WholeHash("poppo:state:issues"))
    raws = [raw for fields in held for raw in fields.values()]
    raws += [raw for _, raw in engine.tail(keys.EVENTS, "").entries]
    assert len(raws) == 6
    assert all(map(is_sealed, raws))
    assert SECRET.encode() in value_of(store, "a")


def test_a_dump_of_a_real_engine_holds_no_plain_text(own_engine_server, tmp_path):
    from statecore.store.redis import RedisStore

    below = RedisStore(own_engine_server.url)
    store = PartitionedStore(over(below, NEW), 5, LAYOUT)
    for number in range(50):
        put(store, f"k{number}", {"text": SECRET})
    put(store, "large", SECRET * 5000)  # events keep it aside
    store.run(checkouts.check_out(7, Holder(process_id="p")))
    store.run(checkouts.check_in(7, result={"said": SECRET}))
    store.close()
    own_engine_server.client.save()
    own_engine_server.stop()
    dumped = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".log"]
    raw = b"".join(path.read_bytes() for path in dumped)
    assert b"poppo:state:tasks" in raw
    assert b"orange tree" not in raw
    own_engine_server.start()


def test_what_was_there_in_plain_is_read_and_sealed_when_it_is_next_written(engine):
    put(engine, "a", 1)
    store = over(engine, NEW)
    assert value_of(store, "a") == b"1"
    store.run(namespaced.put("tasks", "a", 2))
    assert key_id_of(engine.read(ops.Field(STATE, "a"))[0]) == "new"
    assert value_of(store, "a") == b"2"


def test_a_commit_on_a_value_that_an_older_key_sealed_succeeds(engine):
    cell = ops.Field(STATE, "a")
    over(engine, OLD).commit({}, [ops.HashSet(STATE, {"a": b"1"})])
    store = over(engine, NEW, OLD)
    assert store.commit({cell: b"1"}, [ops.HashSet(STATE, {"a": b"2"})]) == ops.Committed()
    assert store.commit({cell: b"1"}, []) == ops.Conflict({cell: b"2"})
    assert key_id_of(engine.read(cell)[0]) == "new"


def test_nothing_is_lost_when_many_count_up_while_keys_change(engine):
    put(engine, "n", 0)
    stores = [over(engine, *ring) for ring in ((OLD, NEW), (NEW, OLD)) for _ in range(3)]

    def count(store) -> None:
        for _ in range(30):
            while True:
                found = store.run(namespaced.get("tasks", "n"))
                try:
                    wanted = int(found.raw) + 1
                    store.run(namespaced.put("tasks", "n", wanted, if_version=found.version))
                    break
                except StateError:
                    continue

    threads = [threading.Thread(target=count, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value_of(stores[0], "n") == b"180"


def test_without_the_key_nothing_is_read_and_nothing_is_written(engine):
    put(over(engine, OLD), "a", SECRET)
    before = engine.read(ops.WholeHash(STATE))
    for ring in ((NEW,), (make_key("old"),)):
        store = over(engine, *ring)
        with pytest.raises((KeyMissing, StateError)):
            put(store, "a", "something else")
    with pytest.raises(KeyMissing, match=r"'old'"):
        value_of(over(engine, NEW), "a")
    assert engine.read(ops.WholeHash(STATE)) == before


def test_values_that_were_swapped_are_damaged_and_named_and_can_be_written_anew(engine, caplog):
    store = over(engine, NEW)
    put(store, "a", SECRET)
    put(store, "b", "b")
    (raw,) = engine.read(ops.Field(STATE, "a"))
    engine.commit({}, [ops.HashSet(STATE, {"b": raw})])
    assert SECRET.encode() not in store.read(ops.Field(STATE, "b"))[0]
    assert "poppo:state:tasks b does not open" in caplog.text
    put(store, "b", "new")
    assert value_of(store, "b") == b'"new"'


def test_watchers_see_the_values_of_changes(engine):
    store = over(engine, NEW)
    cursor = store.run(changes.now_cursor())
    put(store, "a", SECRET)
    (change,) = store.run(changes.changes_after(cursor)).changes
    assert SECRET in str(change)


def test_a_walk_of_the_doctor_goes_past_the_seals(engine):
    put(over(engine, NEW), "a", 1)
    names = {fact.name for page in walk_keys(over(engine, NEW)) for fact in page}
    assert {STATE, keys.SEALING, keys.EVENTS} <= names


def test_an_engine_knows_its_keys_and_refuses_others_of_their_ids(engine):
    put(over(engine, OLD), "a", 1)
    put(over(engine, NEW, OLD), "a", 2)
    check_keys(engine, KeyRing(NEW, OLD))
    for ring in (None, KeyRing(NEW), KeyRing(OLD)):
        with pytest.raises(WrongKey, match=r"which is not in it"):
            check_keys(engine, ring)
    with pytest.raises(WrongKey, match=r"'old' is another than the one"):
        check_keys(engine, KeyRing(NEW, make_key("old")))
    with pytest.raises(KeyMissing, match="another than the one"):
        put(over(engine, make_key("old")), "b", 1)


def test_an_engine_without_seals_needs_no_keys(engine):
    put(engine, "a", 1)
    check_keys(engine, None)
    check_keys(engine, KeyRing(NEW))


names = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.tuples(names, st.binary(max_size=20), st.sampled_from([OLD, NEW, None]))))
def test_whoever_writes_with_whichever_key_the_last_value_is_read(writes):
    engine = MemoryStore()
    stores = {OLD: over(engine, OLD, NEW), NEW: over(engine, NEW, OLD), None: engine}
    last = {}
    for name, value, key in writes:
        current = stores[NEW].read(ops.Field(STATE, name))[0]
        if key is None and is_sealed(value):
            continue
        reply = stores[key or NEW].commit(
            {ops.Field(STATE, name): current}, [ops.HashSet(STATE, {name: value})]
        )
        assert reply == ops.Committed()
        last[name] = value
    assert stores[OLD].read(ops.WholeHash(STATE)) == [last]


def test_every_prefix_that_is_sealed_is_one_of_a_key():
    rules = [*RULES, *STATE_RULES]
    known = {state_keys.state("x"), keys.job("x"), *(str(rule) for rule in rules)}
    told = " ".join(known)
    assert [one for each in PREFIXES.values() for one in each if one.rstrip(":") not in told] == []
    assert keys.SEALING == known_keys.SEALING


@pytest.mark.parametrize("ring", ["none", "missing", "another", "open"])
def test_a_start_without_the_right_ring_is_refused_in_one_line(engine_server, tmp_path, ring):
    from statecore.store.redis import RedisStore

    engine_server.client.flushdb()
    below = RedisStore(engine_server.url)
    put(over(below, OLD), "a", SECRET)
    below.close()
    path = tmp_path / "ring"
    write_key_ring(path, (OLD,) if ring == "open" else (NEW,))
    environ = {"ORCHARD_KEY_RING": "" if ring == "none" else str(path)}
    if ring == "missing":
        path.unlink()
    elif ring == "open":
        path.chmod(0o644)
    said = _command(engine_server, tmp_path, environ)
    assert said.returncode == 1
    assert said.stderr.startswith("Configuration: ORCHARD_KEY_RING: ")
    assert said.stderr.count("\n") == 1


def test_a_start_with_the_right_ring_works(engine_server, tmp_path):
    from statecore.store.redis import RedisStore

    engine_server.client.flushdb()
    below = RedisStore(engine_server.url)
    put(over(below, OLD), "a", SECRET)
    below.close()
    write_key_ring(tmp_path / "ring", (NEW, OLD))
    said = _command(engine_server, tmp_path, {"ORCHARD_KEY_RING": str(tmp_path / "ring")})
    assert (said.returncode, said.stderr) == (0, "")
    assert b"orange tree" not in (tmp_path / "x").read_bytes()


@pytest.mark.parametrize("command", ["serve", "dispatch"])
def test_no_process_starts_with_a_ring_that_is_missing(tmp_path, command):
    environ = {"ORCHARD_KEY_RING": str(tmp_path / "ring"), "ORCHARD_STORE": "memory://"}
    said = _manage(tmp_path, environ, command)
    assert said.returncode == 1
    assert said.stderr.startswith("Configuration: ORCHARD_KEY_RING: ")
    assert said.stderr.count("\n") == 1
    said = _manage(tmp_path, environ, "key_ring", "--make", "--id", "k1")
    assert said.stdout == f"{tmp_path / 'ring'}: k1 seals; k1 open.\n"


def _command(server, tmp_path, environ):
    environ = {"ORCHARD_STORE": server.url, **environ}
    return _manage(tmp_path, environ, "export_state", str(tmp_path / "x"), "--force")


def _manage(tmp_path, environ, *arguments):
    command = [sys.executable, "manage.py", *arguments]
    environ = {"PATH": "/usr/bin:/bin", "ORCHARD_DATA": str(tmp_path / "data"), **environ}
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )
