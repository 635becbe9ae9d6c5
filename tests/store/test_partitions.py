"""The partitioned store: parts that look like one store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statecore.services import chronicle
from statecore.store import ops
from statecore.store.clock import ManualClock
from statecore.store.errors import BadCursor, CrossPartition
from statecore.store.layouts import Layout
from statecore.store.memory import MemoryStore
from statecore.store.partitions import PartitionedStore
from statecore.store.steps import group_by_partition

COUNT = 4
THINGS = [f"thing:{n}" for n in range(12)]
LAYOUT = Layout(
    entity_of=lambda key: key if key.startswith("thing:") else "",
    indexes=dict.fromkeys(
        ("index", "queue", "leases"), lambda member: member if member in THINGS else None
    ),
    streams=frozenset({"events"}),
)


def make_store(count: int = COUNT) -> PartitionedStore:
    return PartitionedStore(MemoryStore(ManualClock()), count, LAYOUT)


@pytest.fixture
def store() -> Iterator[PartitionedStore]:
    store = make_store()
    yield store
    store.close()


def put(store: PartitionedStore | MemoryStore, thing: str, score: float) -> None:
    writes: list[ops.Write] = [
        ops.Set(thing, b"1"),
        ops.SortedAdd("index", {thing: score}),
        ops.Append("events", (thing.encode(),), 1000),
    ]
    assert isinstance(store.commit({}, writes), ops.Committed)


def test_things_are_spread_over_the_partitions(store: PartitionedStore) -> None:
    assert set(store.locate(THINGS)) == set(range(COUNT))


def test_a_commit_that_spans_two_partitions_is_refused_and_changes_nothing(
    store: PartitionedStore,
) -> None:
    first = THINGS[0]
    other = next(t for t in THINGS if store.locate([t]) != store.locate([first]))
    for writes in (
        [ops.Set(first, b"1"), ops.Set(other, b"1")],
        [ops.Set(first, b"1"), ops.SortedAdd("index", {other: 1})],
        [ops.Delete((first, other))],
    ):
        with pytest.raises(CrossPartition, match=r"thing:\d+.* and thing:\d+"):
            store.commit({}, writes)
    with pytest.raises(CrossPartition):
        store.commit({ops.Key(first): None}, [ops.Set(other, b"1")])
    assert store.read(ops.Key(first), ops.Key(other)) == [None, None]


def test_a_conflict_names_the_cells_as_they_were_asked(store: PartitionedStore) -> None:
    put(store, THINGS[3], 1)
    reply = store.commit({ops.Key(THINGS[3]): b"9"}, [ops.Set(THINGS[3], b"2")])
    assert reply == ops.Conflict({ops.Key(THINGS[3]): b"1"})


def test_a_member_that_can_be_none_of_ours_is_taken_out_of_every_part(
    store: PartitionedStore,
) -> None:
    for part in range(COUNT):
        store.engine.commit({}, [ops.SortedAdd(f"{{p{part:02d}}}index", {"stray": 1})])
    assert store.read(ops.Count("index"), ops.Score("index", "stray")) == [COUNT, 1.0]
    writes = [ops.Set(THINGS[5], b"1"), ops.SortedRemove("index", ("stray", THINGS[5]))]
    store.commit({}, writes)
    assert store.read(ops.Count("index"), ops.Score("index", "stray")) == [0, None]


def test_a_take_goes_round_until_it_has_enough_and_nothing_is_given_twice(
    store: PartitionedStore,
) -> None:
    for n, thing in enumerate(THINGS):
        store.commit({}, [ops.SortedAdd("queue", {thing: n})])
    taken = [store.take("queue", "leases", 5, 1000) for _ in range(3)]
    assert [len(each) for each in taken] == [5, 5, 2]
    assert sorted(chain.from_iterable(taken)) == sorted(THINGS)
    assert store.take("queue", "leases", 5, 1000) == []


def test_leases_that_ran_out_are_taken_from_any_part(store: PartitionedStore) -> None:
    for thing in THINGS:
        store.commit({}, [ops.SortedAddFromNow("leases", {thing: 50})])
    assert store.take("queue", "leases", 20, 1000) == []
    assert isinstance(store.clock, ManualClock)
    store.clock.advance(0.1)
    assert sorted(store.take("queue", "leases", 20, 1000)) == sorted(THINGS)


@given(
    puts=st.lists(st.tuples(st.sampled_from(THINGS), st.integers(0, 4)), max_size=30),
    limit=st.integers(1, 5), newest_first=st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_pages_and_counts_are_those_of_one_store(
    puts: list[tuple[str, int]], limit: int, newest_first: bool
) -> None:
    parts, whole = make_store(), MemoryStore(ManualClock())
    for thing, score in puts:
        put(parts, thing, score)
        put(whole, thing, score)
    after = None
    while True:
        bounds = {"newest_first": newest_first, "after": after}
        page = parts.scan_index("index", limit, **bounds)
        assert page == whole.scan_index("index", limit, **bounds)
        if not page:
            break
        after = page[-1][::-1]
    counts = [ops.Count("index", low=1, high=3), *(ops.Score("index", t) for t in THINGS)]
    assert parts.read(*counts) == whole.read(*counts)


@given(
    stretches=st.lists(st.lists(st.sampled_from(THINGS), max_size=6), max_size=6),
    limit=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_a_tail_gives_every_entry_once_and_those_of_a_part_in_their_order(
    stretches: list[list[str]], limit: int
) -> None:
    store = make_store()
    assert isinstance(store.clock, ManualClock)
    cursor, seen, written = "", [], []
    for number, stretch in enumerate(stretches):
        for thing in stretch:
            written.append(f"{thing}/{number}/{len(written)}")
            entry = written[-1].encode()
            store.commit({}, [ops.Set(thing, b"1"), ops.Append("events", (entry,), 1000)])
        store.clock.advance(0.001)
        while (tailed := store.tail("events", cursor, limit)).entries:
            seen += [raw.decode() for _, raw in tailed.entries]
            assert tailed.cursor == tailed.entries[-1][0]
            cursor = tailed.cursor
    assert sorted(seen) == sorted(written)
    for thing in THINGS:
        assert [e for e in seen if e.startswith(f"{thing}/")] == [
            e for e in written if e.startswith(f"{thing}/")
        ]
    by_time = [entry.split("/")[1] for entry in seen]
    assert by_time == sorted(by_time, key=int)


def test_each_entry_carries_a_cursor_from_which_the_rest_follows(store: PartitionedStore) -> None:
    for thing in THINGS:
        put(store, thing, 1)
    everything = store.tail("events", "").entries
    for number, (cursor, _) in enumerate(everything):
        assert store.tail("events", cursor).entries == everything[number + 1 :]


def test_a_moment_is_a_cursor_in_every_part(store: PartitionedStore) -> None:
    assert isinstance(store.clock, ManualClock)
    for thing in THINGS[:6]:
        put(store, thing, 1)
    store.clock.advance(10)
    later_ms = round(store.now().timestamp() * 1000)
    for thing in THINGS[6:]:
        put(store, thing, 1)
    found = store.tail("events", f"{later_ms - 1}-0").entries
    assert sorted(raw.decode() for _, raw in found) == sorted(THINGS[6:])


@pytest.mark.parametrize("cursor", ["1-0~2-0", "x", "1-0~1-0~1-0~x", "~" * COUNT])
def test_what_is_no_cursor_of_so_many_parts_is_refused(
    store: PartitionedStore, cursor: str
) -> None:
    with pytest.raises(BadCursor):
        store.tail("events", cursor)


@pytest.mark.parametrize("trimmed", THINGS[:8])
def test_a_part_that_was_trimmed_resets_the_whole_whether_or_not_it_was_read_before(
    store: PartitionedStore, trimmed: str
) -> None:
    for thing in THINGS:
        put(store, thing, 1)
    start = store.tail("events", "", 1).cursor
    many = tuple(b"x" for _ in range(1000))
    store.commit({}, [ops.Set(trimmed, b"1"), ops.Append("events", many, 1)])
    tailed = store.tail("events", start)
    assert tailed.reset
    assert not store.tail("events", tailed.cursor).reset
    everything, cursor = [], ""
    while (tailed := store.tail("events", cursor, 700)).entries:
        everything += tailed.entries
        cursor = tailed.cursor
        assert not tailed.reset
    assert b"x" in {raw for _, raw in everything}


def test_a_blocked_tail_wakes_for_an_entry_of_any_part(store: PartitionedStore) -> None:
    end = store.tail("events", "$").cursor
    threading.Timer(0.05, put, (store, THINGS[7], 1.0)).start()
    tailed = store.tail("events", end, block_ms=5_000)
    assert [raw for _, raw in tailed.entries] == [THINGS[7].encode()]

    async def wait() -> ops.Tailed:
        waiting = asyncio.create_task(store.atail("events", tailed.cursor, block_ms=5_000))
        await asyncio.sleep(0)
        await store.acommit({}, [ops.Set(THINGS[1], b"1"), ops.Append("events", (b"y",), 9)])
        return await waiting

    assert [raw for _, raw in asyncio.run(wait()).entries] == [b"y"]


def test_what_belongs_together_is_grouped_in_the_order_it_came(store: PartitionedStore) -> None:
    groups = store.run(group_by_partition(THINGS, lambda thing: thing))
    assert sorted(chain.from_iterable(groups.values())) == sorted(THINGS)
    for part, members in groups.items():
        assert store.locate(members) == (part,) * len(members)
        assert members == [thing for thing in THINGS if thing in members]
    assert MemoryStore().run(group_by_partition(THINGS, len)) == {0: THINGS}  # type: ignore[arg-type]


def test_one_partition_has_a_tag_too_so_that_a_cluster_keeps_it_together() -> None:
    store = make_store(1)
    put(store, THINGS[0], 1)
    assert store.engine.read(ops.Key("{p00}thing:0")) == [b"1"]
    assert [raw for _, raw in store.tail("events", "").entries] == [b"thing:0"]


def test_the_chronicle_goes_back_through_all_parts_page_by_page(store: PartitionedStore) -> None:
    assert isinstance(store.clock, ManualClock)
    written = []
    for number in range(60):
        thing = THINGS[number * number % len(THINGS)]
        written.append(f"{thing}/{number}".encode())
        store.commit({}, [ops.Set(thing, b"1"), ops.Append("events", (written[-1],), 1000)])
        store.clock.advance(3)
    found: list[bytes] = []
    before = ""
    while True:
        page = store.run(chronicle.latest(lambda raw: True, limit=7, before=before))
        found += [one.raw for one in page.happenings]
        before = page.older
        if not before:
            break
    assert found == written[::-1]
