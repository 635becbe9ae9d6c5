"""Other processes work on while the keys of the ring change under them, from first to last."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchard.placement import LAYOUT
from orchard.sealed_keys import sealed_by
from orchard.services import engine, resealing
from statecore.sealing.key_ring import LOOK_EVERY_S, KeyRing, RingFile, make_key, write_key_ring
from statecore.sealing.site import Part, Sealing
from statecore.services import namespaced
from statecore.store import known_keys, ops
from statecore.store.partitions import PartitionedStore
from statecore.store.redis import RedisStore
from statecore.store.sealing import SealedStore

ROOT = Path(__file__).parents[2]
OLD, NEW = make_key("old"), make_key("new")
SEALS = sealed_by(frozenset(Part))


def over(url: str, ring: KeyRing) -> PartitionedStore:
    """The store of a process with this ring."""
    return PartitionedStore(SealedStore(RedisStore(url), ring, SEALS), 5, LAYOUT)


def write(url: str, path: str, key: str) -> None:
    """What the other processes do: count up until they are told to stop, then say how far."""
    store, count = over(url, RingFile(Path(path))), 0
    while not Path(f"{path}.stop").exists():
        entry = store.run(namespaced.get("tasks", key))
        assert (entry.raw if entry else b"0") == b"%d" % count, (entry, count)
        count += 1
        store.run(namespaced.put("tasks", key, count))
    store.close()
    sys.stdout.write(str(count))


@pytest.fixture
def site(engine_server, tmp_path):
    """An engine, and the path of a ring with the old key."""
    engine_server.client.flushdb()
    write_key_ring(tmp_path / "ring", (OLD,))
    return engine_server.url, tmp_path / "ring"


def test_processes_count_on_while_their_key_is_replaced_and_taken_away(site):
    url, path = site
    code = f"from {__name__} import write; write({url!r}, {str(path)!r}, %r)"
    writers = [
        subprocess.Popen([sys.executable, "-c", code % name], cwd=ROOT, stdout=subprocess.PIPE)
        for name in ("a", "b")
    ]
    _wait_for_both(url, path)
    for keys in ((OLD, NEW), (NEW, OLD)):
        write_key_ring(path, keys)
        time.sleep(2 * LOOK_EVERY_S)  # what the page on rotation asks for: all have seen the ring
    report = _rotate(url, path)
    assert (report.damaged, report.entries_left, report.forgotten) == (0, 0, ["old"])
    write_key_ring(path, (NEW,))
    time.sleep(2 * LOOK_EVERY_S)
    Path(f"{path}.stop").touch()
    counts = [int(writer.communicate(timeout=60)[0]) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    store = over(url, KeyRing(NEW))
    found = [store.run(namespaced.require("tasks", name)).raw for name in ("a", "b")]
    assert found == [b"%d" % count for count in counts]
    assert store.read(ops.WholeHash("poppo:state:tasks"))[0].keys() == {"a", "b"}
    known_keys.check_keys(RedisStore(url), KeyRing(NEW))
    store.close()


def _wait_for_both(url, path) -> None:
    store, stop = over(url, RingFile(path)), time.monotonic() + 60
    while len(store.run(namespaced.get_all("tasks"))) < 2:
        assert time.monotonic() < stop
        time.sleep(0.05)
    store.close()


def _rotate(url, path):
    ring = RingFile(path)
    store = over(url, ring)
    before = engine.use(store)
    try:
        sealing = Sealing(ring, frozenset(Part), SEALS)
        return resealing.values(sealing, lambda done: None, drop_events=True)
    finally:
        engine.use(before)
        store.close()
