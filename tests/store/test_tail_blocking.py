"""Tails that wait: woken by the entry, blocking nobody, ended by closing."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from statecore.store import ops
from statecore.store.file import FileStore
from statecore.store.memory import MemoryStore
from statecore.store.redis import RedisStore

LONG_MS = 20_000


def append(store, *texts):
    store.commit({}, [ops.Append("e", texts, 1000)])


@pytest.fixture
def fresh_store(store, request):
    """A store of its own connections, as it gets closed."""
    if isinstance(store, FileStore):
        other = FileStore(store.directory)
    else:
        other = MemoryStore() if isinstance(store, MemoryStore) else RedisStore(store.address)
    yield other
    other.close()


def test_a_waiting_tail_is_woken_by_the_entry(store):
    with ThreadPoolExecutor() as pool:
        for after in ("", "$"):
            end = store.tail("e", "$").cursor
            waiting = pool.submit(store.tail, "e", end if after == "" else "$", 10, LONG_MS)
            time.sleep(0.05)
            assert not waiting.done()
            append(store, b"new")
            assert [text for _, text in waiting.result(20).entries] == [b"new"]


def test_a_tail_that_waits_in_vain_ends_in_time(store):
    append(store, b"old")
    end = store.tail("e", "$").cursor
    started = time.monotonic()
    assert store.tail("e", end, block_ms=60) == ops.Tailed((), end)
    assert 0.055 <= time.monotonic() - started < 10


DRIVERS_TIMEOUT_MS = 5_000
"""How long redis-py waits for an answer when nobody says otherwise."""


def test_an_idle_tail_may_wait_longer_than_the_drivers_own_timeout(store):
    async def wait_in_vain():
        return await store.atail("e", "$", 10, DRIVERS_TIMEOUT_MS + 300)

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(store.tail, "e", "$", 10, DRIVERS_TIMEOUT_MS + 300)
        assert asyncio.run(wait_in_vain()).entries == ()
        assert waiting.result().entries == ()


def test_many_waiting_tails_block_no_other_request(store):
    with ThreadPoolExecutor(40) as pool:
        waiting = [pool.submit(store.tail, "e", "$", 10, LONG_MS) for _ in range(32)]
        time.sleep(0.1)
        started = time.monotonic()
        for n in range(50):
            store.commit({}, [ops.Set("a", b"%d" % n)])
        assert time.monotonic() - started < 10
        append(store, b"new")
        assert all(each.result(20).entries for each in waiting)


def test_waiting_tails_of_an_event_loop_block_neither_it_nor_each_other(store):
    async def follow():
        tails = [asyncio.create_task(store.atail("e", "$", block_ms=LONG_MS)) for _ in range(40)]
        await asyncio.sleep(0.1)
        for n in range(50):
            await store.acommit({}, [ops.Set("a", b"%d" % n)])
        await store.acommit({}, [ops.Append("e", (b"new",), 100)])
        async with asyncio.timeout(20):
            found = await asyncio.gather(*tails)
        await store.aclose()
        return found

    assert all(tailed.entries[0][1] == b"new" for tailed in asyncio.run(follow()))


def test_a_cancelled_tail_leaves_the_store_usable(store):
    async def follow():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await store.atail("e", "$", block_ms=LONG_MS)
        for n in range(20):
            await store.acommit({}, [ops.Set("a", b"%d" % n)])
            assert await store.aread(ops.Key("a")) == [b"%d" % n]
        await store.aclose()

    asyncio.run(follow())


def test_a_stream_deleted_while_a_tail_waits_resets_it(store, forget_all):
    append(store, b"old")
    end = store.tail("e", "$").cursor
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(store.tail, "e", end, 10, LONG_MS)
        time.sleep(0.05)
        forget_all()
        time.sleep(0.002)
        append(store, b"begun again")
        assert waiting.result(20).reset


def test_closing_ends_waiting_tails(fresh_store):
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(fresh_store.tail, "e", "", 10, LONG_MS)
        time.sleep(0.05)
        fresh_store.close()
        assert waiting.result(20).entries == ()


def test_closing_an_event_loops_side_ends_its_waiting_tails(fresh_store):
    if isinstance(fresh_store, MemoryStore):
        pytest.skip("a store in memory holds nothing for an event loop")

    async def follow():
        waiting = asyncio.create_task(fresh_store.atail("e", "", block_ms=LONG_MS))
        await asyncio.sleep(0.05)
        await fresh_store.aclose()
        async with asyncio.timeout(20):
            return await waiting

    assert asyncio.run(follow()).entries == ()


def test_a_follower_misses_nothing_of_what_many_writers_append(store):
    writers, each = 8, 50
    seen: list[bytes] = []

    def follow():
        cursor = ""
        while len(seen) < writers * each:
            tailed = store.tail("e", cursor, limit=7, block_ms=5_000)
            assert tailed.entries, "waited in vain"
            seen.extend(text for _, text in tailed.entries)
            cursor = tailed.cursor

    def write(writer):
        for n in range(each):
            store.commit({}, [ops.Append("e", (b"%d-%d" % (writer, n),), 10_000)])

    follower = threading.Thread(target=follow)
    follower.start()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    follower.join(20)
    assert sorted(seen) == sorted(b"%d-%d" % (w, n) for w in range(writers) for n in range(each))
