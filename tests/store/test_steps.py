"""The two drivers of steps, and the one loop that decides and commits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from statecore.store import ops
from statecore.store.errors import StoreError, TooManyConflicts, WrongType
from statecore.store.lastseen import LastSeen
from statecore.store.memory import MemoryStore
from statecore.store.steps import Decision, commit, now, read, take, transact

N = ops.Key("n")


def increment(seen, at):
    after = int(seen[N] or b"0") + 1
    return Decision(after, (ops.Set("n", b"%d" % after),))


def refuse_below_two(seen, at):
    if int(seen[N] or b"0") < 2:
        raise PermissionError("below two")
    return Decision("fine")


class CountingStore(MemoryStore):
    """A memory store that tells which requests it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def perform(self, request):
        self.asked.append(type(request))
        return super().perform(request)


class TestDrivers:
    def test_an_error_is_raised_inside_the_steps_which_may_react(self, run):
        def careful():
            try:
                yield from commit({}, ops.Append("e", (b"x",), 0))
            except StoreError:
                return (yield from read(N))

        assert run(careful()) == [None]

    def test_an_error_that_nobody_handles_is_raised_by_the_driver(self, run):
        run(commit({}, ops.Set("n", b"1")))
        with pytest.raises(WrongType):
            run(read(ops.Members("n")))

    def test_steps_may_clean_up_when_something_goes_wrong(self, run):
        cleaned = []

        def careful():
            try:
                yield ops.Append("not a request", (), 1)
            finally:
                cleaned.append(True)

        with pytest.raises(TypeError):
            run(careful())
        assert cleaned == [True]

    def test_time_is_in_whole_milliseconds_and_never_goes_back(self, run):
        def look():
            times = []
            for _ in range(50):
                times.append((yield from now()))
                yield ops.Pause(0.0001)
            return times

        times = run(look())
        assert times == sorted(times)
        assert all(at.microsecond % 1000 == 0 and at.utcoffset().seconds == 0 for at in times)

    @pytest.mark.parametrize("ending", [None, ValueError("oops"), ops.Append("bad", (), 1)])
    def test_locks_are_given_back_however_a_run_ends(self, run, store, ending):
        def hold():
            yield ops.Begin((), ("a", "b"))
            yield ops.Begin((), ("a",))
            yield ops.Finish({}, (), ("a",))
            if isinstance(ending, Exception):
                raise ending
            if ending is not None:
                yield ending

        for _ in range(3):
            with contextlib.suppress(ValueError, TypeError):
                run(hold())
            assert len(store.hot_keys) == 0

    def test_a_cancelled_run_gives_its_locks_back(self, store):
        def hold_long():
            yield ops.Begin((), ("a",))
            yield ops.Pause(60)

        async def cancel():
            runs = [asyncio.create_task(store.arun(hold_long())) for _ in range(3)]
            await asyncio.sleep(0.02)
            for each in runs:
                each.cancel()
            await asyncio.gather(*runs, return_exceptions=True)
            assert len(store.hot_keys) == 0
            await store.aclose()

        asyncio.run(cancel())


class TestTransact:
    def test_a_decision_is_committed_on_the_values_it_was_made_on(self, run):
        assert [run(transact([N], increment)) for _ in range(5)] == [1, 2, 3, 4, 5]
        assert run(read(N)) == [b"5"]

    def test_a_cell_just_seen_is_decided_on_without_a_read(self):
        store = CountingStore()
        store.run(transact([N], increment))
        assert store.asked == [ops.Read, ops.Commit]
        store.asked.clear()
        assert store.run(transact([N], increment)) == 2
        assert store.asked == [ops.Commit]

    def test_what_was_last_seen_is_corrected_by_the_conflict_it_leads_to(self, run, store):
        run(transact([N], increment))
        store.last_seen.remember({N: b"41"})
        assert run(transact([N], increment)) == 2

    def test_a_refusal_counts_only_on_values_really_read(self, run, store):
        run(commit({}, ops.Set("n", b"2")))
        store.last_seen.remember({N: b"1"})
        assert run(transact([N], refuse_below_two)) == "fine"
        run(commit({}, ops.Set("n", b"1")))
        with pytest.raises(PermissionError):
            run(transact([N], refuse_below_two))

    def test_a_decision_to_write_nothing_counts_only_on_values_really_read(self, run, store):
        store.last_seen.remember({N: b"old"})
        assert run(transact([N], lambda seen, at: Decision(seen[N]))) is None

    def test_hash_fields_are_remembered_with_what_was_written(self):
        store, cells = CountingStore(), [ops.Field("h", "a"), ops.Field("h", "b")]

        def swap(seen, at):
            writes = (ops.HashSet("h", {"a": b"1"}), ops.HashDelete("h", ("b",)))
            return Decision(tuple(seen.values()), writes)

        store.run(transact(cells, swap))
        assert store.run(transact(cells, swap)) == (b"1", None)
        assert store.asked == [ops.Read, ops.Commit, ops.Commit]

    def test_a_decision_on_a_whole_hash_counts_what_is_in_it_now(self, run, store):
        size = ops.Size("h")

        def add_one(seen, at):
            return Decision(seen[size], (ops.HashSet("h", {f"f{seen[size].decode()}": b""}),))

        assert [run(transact([size], add_one)) for _ in range(3)] == [b"0", b"1", b"2"]
        store.last_seen.remember({size: b"1"})
        assert run(transact([size], add_one)) == b"3"

    @pytest.mark.parametrize(
        "write",
        [
            ops.HashSet("h", {"f": b"1", "g": b"2"}),
            ops.HashDelete("h", ("f",)),
            ops.Delete(("other", "h")),
            ops.Set("h", b"no hash any more"),
        ],
    )
    def test_the_size_of_a_hash_that_was_written_is_not_guessed(self, memory_store, write):
        size = ops.Size("h")
        for cells in ([size], [N]):
            memory_store.commit({}, [ops.Delete(("h",)), ops.HashSet("h", {"f": b"1"})])
            memory_store.run(transact([size], lambda seen, at: Decision(None)))
            assert memory_store.last_seen.recall([size]) == {size: b"1"}
            memory_store.run(transact(cells, lambda seen, at: Decision(None, (write,))))
            assert memory_store.last_seen.recall([size]) == {}

    def test_endless_conflicts_end_in_an_error(self, store):
        def meddle(seen, at):
            store.commit({}, [ops.Set("n", b"%d" % (int(seen[N] or b"0") + 10))])
            return increment(seen, at)

        with pytest.raises(TooManyConflicts):
            store.run(transact([N], meddle, hot=["n"]))
        assert len(store.hot_keys) == 0

    @pytest.mark.parametrize("hot", [(), ("n",)])
    def test_no_increment_of_many_threads_is_lost(self, store, hot):
        with ThreadPoolExecutor(32) as pool:
            runs = [pool.submit(store.run, transact([N], increment, hot=hot)) for _ in range(256)]
            results = sorted(each.result(60) for each in runs)
        assert results == list(range(1, 257))
        assert store.read(N) == [b"256"]

    def test_no_increment_of_many_tasks_is_lost(self, store):
        async def increments():
            runs = (store.arun(transact([N], increment, hot=("n",))) for _ in range(256))
            results = await asyncio.gather(*runs)
            await store.aclose()
            return results

        assert sorted(asyncio.run(increments())) == list(range(1, 257))

    def test_threads_of_several_stores_on_one_engine_lose_nothing(self, engine_server):
        from statecore.store.redis import RedisStore

        engine_server.client.flushdb()
        stores = [RedisStore(engine_server.url) for _ in range(4)]
        with ThreadPoolExecutor(16) as pool:
            runs = [
                pool.submit(stores[n % 4].run, transact([N], increment, hot=("n",)))
                for n in range(200)
            ]
            assert sorted(each.result(60) for each in runs) == list(range(1, 201))
        for store in stores:
            store.close()


def test_a_queue_hands_out_each_member_once_to_many_threads(store):
    members = {f"m{n:04}": float(n) for n in range(2000)}
    store.commit({}, [ops.SortedAdd("q", members)])
    barrier = threading.Barrier(16)

    def take_all():
        barrier.wait()
        taken: list[str] = []
        while page := store.run(take("q", "l", 7, 60_000)):
            taken += page
        return taken

    with ThreadPoolExecutor(16) as pool:
        runs = [pool.submit(take_all) for _ in range(16)]
        taken = [member for each in runs for member in each.result(60)]
    assert sorted(taken) == list(members)


class TestLastSeen:
    def test_the_least_recently_kept_cells_go_first(self):
        seen = LastSeen(max_cells=3)
        for name in "abcad":
            seen.remember({ops.Key(name): name.encode()})
        cells = [ops.Key(name) for name in "abcd"]
        assert set(seen.recall(cells)) == {ops.Key("c"), ops.Key("a"), ops.Key("d")}

    def test_big_values_go_before_they_fill_the_memory(self):
        seen = LastSeen(max_bytes=1000)
        for n in range(100):
            seen.remember({ops.Key(str(n)): b"x" * 300})
        assert len(seen) == 3
        seen.remember({ops.Key("huge"): b"x" * 2000})
        assert len(seen) == 0

    def test_absence_is_remembered_too(self):
        seen = LastSeen()
        seen.remember({N: None})
        assert seen.recall([N, ops.Key("never")]) == {N: None}
