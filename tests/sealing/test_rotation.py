"""Rotation: everything is sealed with the new key while others read and write."""

from __future__ import annotations

import json
import threading
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from orchard import keys
from orchard.management.commands import rotate_keys
from orchard.placement import LAYOUT
from orchard.ports import recordings
from orchard.sealed_keys import sealed_by
from orchard.services import engine, resealing
from orchard.services.engine import EngineAway
from statecore.sealing import site
from statecore.sealing.key_ring import KeyRing, make_key, read_key_ring
from statecore.sealing.site import Part, Sealing
from statecore.sealing.values import key_id_of
from statecore.services import namespaced
from statecore.store import ops
from statecore.store.memory import MemoryStore
from statecore.store.partitions import PartitionedStore
from statecore.store.sealing import SealedStore

ALL = frozenset(Part)
SEALS = sealed_by(ALL)
OLD, NEW = make_key("old"), make_key("new")
STATE = "poppo:state:tasks"


@pytest.fixture(params=["memory", "redis", "partitions", "cluster"])
def base(request):
    """An empty engine; with partitions, the one below them."""
    if request.param == "redis":
        yield request.getfixturevalue("redis_store")
        return
    if request.param == "cluster":
        yield request.getfixturevalue("cluster_store").engine
        return
    yield MemoryStore()


@pytest.fixture
def opened(base, request):
    """Puts a site with these keys over the engine, as another process would see it."""
    is_divided = any(kind in request.node.name for kind in ("partitions", "cluster"))
    count = 5 if is_divided else 0
    before = engine.use(None)
    was = site.configure(Sealing)

    def over(*ring):
        sealing = Sealing(KeyRing(*ring), ALL, SEALS)
        site.configure(lambda: sealing)
        store = SealedStore(base, sealing.ring, SEALS)
        store = PartitionedStore(store, count, LAYOUT) if count else store
        engine.use(store)
        return store

    yield over
    engine.use(before)
    site.configure(was)


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def rotate(*ring, **options):
    return resealing.values(Sealing(KeyRing(*ring), ALL, SEALS), quiet, **options)


def quiet(done: int) -> None:
    """Tell nobody."""


def fill(store, count=250):
    puts = {f"k{number}": {"n": number} for number in range(count)}
    store.run(namespaced.replace_all("tasks", puts))
    store.commit({}, [ops.Set(keys.job("j"), b'{"a":1}', 60_000)])
    store.commit({}, [ops.HashSet(keys.results("j"), {"0": b'{"b":2}'})])


def ids_in(base, store) -> set[str]:
    """With which keys values are sealed, whatever the engine calls them."""
    from statecore.store.walking import walk_keys, walk_members

    found = set()
    for page in walk_keys(store):
        for fact in page:
            if fact.kind == "string" and SEALS(fact.name):
                found.add(key_id_of(base.read(ops.Key(fact.address))[0]))
            if fact.kind == "hash" and SEALS(fact.name):
                for names in walk_members(store, fact.name, "hash"):
                    fields = [ops.Field(fact.address, name) for name in names]
                    found |= set(map(key_id_of, base.read(*fields)))
    return found


def test_afterwards_everything_is_sealed_with_the_new_key_and_reads_as_before(base, opened):
    store = opened(OLD)
    fill(store)
    before = store.read(ops.WholeHash(STATE), ops.Key(keys.job("j")))
    assert ids_in(base, store) == {"old"}
    store = opened(NEW, OLD)
    report = rotate(NEW, OLD)
    assert (report.sealed, report.damaged) == (252, 0)
    assert report.entries_left > 0
    assert report.forgotten == []
    assert ids_in(base, store) == {"new"}
    report = rotate(NEW, OLD, drop_events=True)
    assert (report.sealed, report.entries_left, report.forgotten) == (0, 0, ["old"])
    assert opened(NEW).read(ops.WholeHash(STATE), ops.Key(keys.job("j"))) == before


def test_what_was_never_sealed_is_sealed_and_all_can_be_opened_again(base, opened):
    fill(PartitionedStore(base, 5, LAYOUT) if isinstance(opened(NEW), PartitionedStore) else base)
    store = opened(NEW)
    assert ids_in(base, store) == {""}
    rotate(NEW)
    assert ids_in(base, store) == {"new"}
    report = resealing.values(Sealing(KeyRing(NEW)), quiet, drop_events=True)
    assert report.forgotten == ["new"]
    assert ids_in(base, store) == {""}


def test_a_lifetime_stays_what_it_was(base, opened):
    from statecore.store.walking import look_at

    store = opened(OLD)
    fill(store, 1)
    store = opened(NEW, OLD)
    rotate(NEW, OLD)
    facts = look_at(store, [keys.job("j"), STATE])
    assert 50_000 < facts[0].ttl_ms <= 60_000
    assert facts[1].ttl_ms is None


def test_nothing_that_is_written_meanwhile_is_lost(base, opened):
    fill(opened(OLD))
    stores = [opened(OLD, NEW), opened(NEW, OLD)]
    opened(NEW, OLD)
    stop = threading.Event()
    counts = [0, 0]

    def count(which: int) -> None:
        while not stop.is_set():
            store, key = stores[which], f"k{which}"
            store.run(namespaced.put("tasks", key, {"n": counts[which] + 1}))
            counts[which] += 1
            assert json.loads(store.run(namespaced.get("tasks", key)).raw) == {"n": counts[which]}

    threads = [threading.Thread(target=count, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    try:
        while min(counts) < 5 and all(thread.is_alive() for thread in threads):
            rotate(NEW, OLD)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    rotate(NEW, OLD, drop_events=True)
    store = opened(NEW)
    held = store.read(ops.WholeHash(STATE))[0]
    assert [json.loads(held[f"k{which}"])["n"] for which in (0, 1)] == counts
    assert json.loads(held["k7"]) == {"n": 7}
    assert min(counts) >= 5


def test_one_that_was_killed_in_the_middle_is_finished_by_the_next(base, opened):
    fill(opened(OLD), 350)
    store = opened(NEW, OLD)

    class Killed(BaseException):
        pass

    def die(done: int) -> None:
        raise Killed

    sealing = Sealing(KeyRing(NEW, OLD), ALL, SEALS)
    with pytest.raises(Killed):
        resealing.values(sealing, die)
    assert len(store.read(ops.WholeHash(STATE))[0]) == 350
    rotate(NEW, OLD)
    assert ids_in(base, store) == {"new"}


def test_without_the_old_key_nothing_is_touched(base, opened):
    store = opened(OLD)
    fill(store, 3)
    opened(NEW)
    with pytest.raises(EngineAway, match="'old'"):
        rotate(NEW)
    assert ids_in(base, store) == {"old"}


def test_a_value_that_does_not_open_stays_and_is_counted(base, opened):
    store = opened(OLD)
    fill(store, 3)
    address = next(iter(_addresses(store)))
    (raw,) = base.read(ops.Field(address, "k0"))
    base.commit({}, [ops.HashSet(address, {"k1": raw})])
    opened(NEW, OLD)
    report = rotate(NEW, OLD, drop_events=True)
    assert (report.damaged, report.forgotten) == (1, [])
    assert base.read(ops.Field(address, "k1")) == [raw]


def _addresses(store):
    from statecore.store.walking import look_at

    return [fact.address for fact in look_at(store, [STATE])]


def test_files_are_sealed_anew_and_read_as_before(opened, media):
    opened(OLD)
    sound = b"RIFF the orange tree" * 10_000
    names = ["jobs/a/source.wav", "jobs/a/chunks/00001.wav", "jobs/b/transcript.json"]
    for name in names:
        recordings.save(name, ContentFile(sound))
    opened(NEW, OLD)
    (media / "jobs/b/transcript.json").write_bytes(b"\0sealed file\x01 broken")
    report = resealing.files(site.sealing_of_site(), quiet)
    assert (report.sealed, report.right, report.damaged) == (2, 0, ["jobs/b/transcript.json"])
    opened(NEW)
    assert [recordings.read(name) for name in names[:2]] == [sound, sound]
    report = resealing.files(Sealing(KeyRing(NEW)), quiet)
    assert report.sealed == 2
    assert (media / names[0]).read_bytes() == sound


@pytest.mark.django_db
def test_the_commands_rotate_a_site_from_its_first_key_to_its_second(
    base, opened, media, tmp_path, monkeypatch, settings
):
    monkeypatch.setattr(rotate_keys, "LOOK_EVERY_S", 0)
    settings.STATECORE = {**settings.STATECORE, "BACKUP_DIR": tmp_path / "backups"}
    path = str(tmp_path / "ring")
    assert call("key_ring", path, make=True, id="one")["keys"] == ["one"]
    fill(opened(*read_key_ring(tmp_path / "ring")), 3)
    recordings.save("jobs/a/source.wav", ContentFile(b"RIFF"))
    call("backup_state", name="first")
    call("key_ring", path, add_last=True, id="two")
    told = call("key_ring", path, use="two")
    assert (told["seals"], told["keys"]) == ("two", ["two", "one"])
    opened(*read_key_ring(tmp_path / "ring"))
    told = call("rotate_keys", drop_events=True)
    assert (told["key"], told["values"]["sealed"], told["files"]["sealed"]) == ("two", 5, 1)
    assert (told["done"], told["backups"]["sealed"]) == (True, 1)
    assert call("key_ring", path, remove="one")["keys"] == ["two"]
    store = opened(*read_key_ring(tmp_path / "ring"))
    assert len(store.read(ops.WholeHash(STATE))[0]) == 3
    assert recordings.read("jobs/a/source.wav") == b"RIFF"
    assert call("backup_state", verify="first")["sealedWith"] == "two"
    told = call("rotate_keys", open=True, drop_events=True)
    assert (told["key"], told["done"]) == ("", True)
    assert (media / "jobs/a/source.wav").read_bytes() == b"RIFF"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"make": True}, "is there already"),
        ({"add": True, "id": "one"}, "there is a key 'one' already"),
        ({"add": True, "id": "a:b"}, "is no id"),
        ({"remove": "one"}, "'one' seals"),
        ({"remove": "two"}, "there is no key 'two', but one"),
        ({"use": "two"}, "there is no key 'two', but one"),
    ],
)
def test_what_would_lose_a_key_is_refused_and_the_ring_stays(tmp_path, options, why):
    path = tmp_path / "ring"
    call("key_ring", str(path), make=True, id="one")
    before = path.read_bytes()
    with pytest.raises(CommandError, match=why):
        call("key_ring", str(path), **options)
    assert path.read_bytes() == before


def test_no_command_prints_a_key(tmp_path):
    path = tmp_path / "ring"
    said = StringIO()
    call_command("key_ring", str(path), make=True, stdout=said)
    call_command("key_ring", str(path), add=True, id="two", stdout=said)
    for key in read_key_ring(path):
        assert key.line().split(":")[1] not in said.getvalue()
    assert "two seals" in said.getvalue()


def test_without_a_ring_there_is_nothing_to_rotate():
    was = site.configure(Sealing)
    try:
        with pytest.raises(CommandError, match="ORCHARD_KEY_RING is not set"):
            call_command("rotate_keys")
    finally:
        site.configure(was)


def call(command, *args, **options):
    said = StringIO()
    call_command(command, *args, **options, json=True, stdout=said)
    return json.loads(said.getvalue())
