"""A random walk over both stores: the engine must always answer as the dictionaries do."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from statecore.store import ops, unrolled
from statecore.store.errors import StoreError
from statecore.store.memory import MemoryStore

LONG_MS = 3_600_000
keys = st.sampled_from(["k1", "k2", "k3", "k4"])
names = st.sampled_from(["a", "b", "á", "B", "a\0", "日"]) | st.text(max_size=3).filter(
    lambda text: text.isprintable()
)
values = st.sampled_from([b"", b"1", b"\0\xff"]) | st.binary(max_size=4)
scores = st.sampled_from([0.0, 1.0, -1.5, math.inf, -math.inf]) | st.floats(allow_nan=False)
bounds = scores.map(lambda score: score + 0.0)  # no minus zero: the engine prints it its own way
name_tuples = st.lists(names, max_size=4).map(tuple)
cells = st.one_of(
    st.builds(ops.Key, keys), st.builds(ops.Field, keys, names), st.builds(ops.Size, keys)
)
refs = (
    cells
    | st.builds(ops.WholeHash, keys)
    | st.builds(ops.Members, keys)
    | st.builds(ops.Count, keys, bounds, bounds)
    | st.builds(ops.Score, keys, names)
)
marked = st.builds("{}a{}".format, st.sampled_from(["1", "2", "3", "1a"]), st.sampled_from("ab"))
"""Names of members that name keys and fields: what stands before and after the last ``a``."""
writes = st.one_of(
    st.builds(ops.Set, keys, values, st.sampled_from([None, LONG_MS])),
    st.builds(ops.Delete, st.lists(keys, max_size=2).map(tuple)),
    st.builds(ops.Expire, keys, st.sampled_from([None, LONG_MS])),
    st.builds(ops.HashSet, keys, st.dictionaries(names, values, max_size=4)),
    st.builds(ops.HashDelete, keys, name_tuples),
    st.builds(ops.SetAdd, keys, name_tuples),
    st.builds(ops.SetRemove, keys, name_tuples),
    st.builds(ops.SortedAdd, keys, st.dictionaries(names | marked, bounds, max_size=4)),
    st.builds(ops.SortedRemove, keys, name_tuples),
    st.builds(ops.Append, keys, st.lists(values, max_size=3).map(tuple), st.just(1000)),
)


class BothStores(RuleBasedStateMachine):
    """Each rule asks both stores the same and compares the replies."""

    engine = None
    server = None

    def __init__(self):
        super().__init__()
        self.server.client.flushdb()
        self.memory = MemoryStore()
        self.cursors = {}

    def both(self, request):
        replies = [answer(store, request) for store in (self.memory, self.engine)]
        assert replies[0] == replies[1]
        return replies[0]

    @rule(asked=st.lists(refs, max_size=5))
    def read(self, asked):
        self.both(ops.Read(tuple(asked)))

    @rule(changes=st.lists(writes, max_size=5))
    def commit(self, changes):
        self.both(ops.Commit({}, tuple(changes)))

    @rule(
        expected=st.lists(cells, max_size=3),
        wrong=st.none() | values,
        changes=st.lists(writes, max_size=4),
    )
    def commit_on_what_is_there(self, expected, wrong, changes):
        held = answer(self.memory, ops.Read(tuple(expected)))
        if isinstance(held, list):
            values_held = dict(zip(expected, held, strict=True))
            if wrong is not None and expected:
                values_held[expected[0]] = wrong
            self.both(ops.Commit(values_held, tuple(changes)))

    @rule(
        queue=keys,
        leases=keys,
        count=st.integers(-1, 5),
        mark=st.sampled_from(["", "a", "\0"]),
        beside=st.lists(st.builds(ops.Companion, st.just("k"), st.booleans()), max_size=2),
    )
    def take(self, queue, leases, count, mark, beside):
        if queue != leases:
            self.both(ops.Take(queue, leases, count, LONG_MS, mark, tuple(beside)))
            self.both(ops.Commit({}, (ops.Delete((leases,)),)))

    @rule(
        key=keys,
        limit=st.integers(-1, 4),
        low=bounds,
        high=bounds,
        newest_first=st.booleans(),
        after=st.none() | st.tuples(bounds, names),
    )
    def scan(self, key, limit, low, high, newest_first, after):
        everything = {"low": -math.inf, "high": math.inf}
        for limits in (everything, {"low": low, "high": high}):
            self.both(ops.ScanIndex(key, limit, newest_first=newest_first, after=after, **limits))

    @rule(key=keys, limit=st.integers(1, 4), start=st.sampled_from(["", "$", None]))
    def tail(self, key, limit, start):
        """Ids are times and differ; entries and resets must not."""
        known = self.cursors.get(key, ("", "")) if start is None else (start, start)
        stores = (self.memory, self.engine)
        replies = [
            answer(store, ops.Tail(key, after, limit))
            for store, after in zip(stores, known, strict=True)
        ]
        if isinstance(replies[0], ops.Tailed):
            first, second = [([text for _, text in each.entries], each.reset) for each in replies]
            assert first == second
            self.cursors[key] = (replies[0].cursor, replies[1].cursor)
        else:
            assert replies[0] == replies[1]


def answer(store, request):
    try:
        return store.perform(request)
    except StoreError as error:
        return type(error)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("most_plans", [0, 1_000_000], ids=["commit.lua", "unrolled"])
def test_the_engine_and_the_dictionaries_never_differ(
    redis_store, engine_server, monkeypatch, most_plans
):
    monkeypatch.setattr(unrolled, "_unrolled", {})
    monkeypatch.setattr(unrolled, "MOST_PLANS", most_plans)

    class Machine(BothStores):
        engine, server = redis_store, engine_server

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
