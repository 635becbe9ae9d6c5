"""Engines that are gone, full, loading or slow: clear errors, and on again by itself."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import threading
import time

import pytest

from statecore.store import async_links, links, ops
from statecore.store.errors import StoreError, StoreFull, StoreUnavailable
from statecore.store.redis import RedisStore
from statecore.store.steps import Decision, transact

A = ops.Key("a")


@pytest.fixture
def server(own_engine_server):
    return own_engine_server


@pytest.fixture
def store(server):
    store = RedisStore(server.url)
    yield store
    store.close()


def test_an_engine_that_is_gone_is_unavailable_and_used_again_when_it_is_back(store, server):
    async def write(value):
        try:
            await store.acommit({}, [ops.Set("b", value)])
        finally:
            await store.aclose()

    store.commit({}, [ops.Set("a", b"1")])
    server.kill()
    for verb in (lambda: store.read(A), lambda: store.commit({}, [ops.Set("a", b"2")])):
        with pytest.raises(StoreUnavailable):
            verb()
    with pytest.raises(StoreUnavailable):
        asyncio.run(write(b"1"))
    with pytest.raises(StoreUnavailable):
        store.tail("e", "", block_ms=1000)
    server.start()
    assert store.read(A) == [b"1"]
    store.commit({}, [ops.Set("a", b"3")])
    asyncio.run(write(b"2"))
    assert store.read(A, ops.Key("b")) == [b"3", b"2"]


def test_a_restart_between_two_requests_goes_unnoticed(store, server):
    async def over_a_restart():
        await store.acommit({}, [ops.Set("a", b"1")])
        server.kill()
        server.start()
        await asyncio.sleep(0.01)  # an event loop that runs learns that the connection is closed
        await store.acommit({}, [ops.Set("a", b"2")])
        await store.aclose()

    asyncio.run(over_a_restart())
    store.commit({}, [ops.Set("b", b"1")])
    server.kill()
    server.start()
    time.sleep(links.TRUSTED_IDLE_S)
    store.commit({ops.Key("b"): b"1"}, [ops.Set("b", b"2")])
    assert store.read(A, ops.Key("b")) == [b"2", b"2"]


def test_a_waiting_tail_tells_that_the_engine_has_gone(store, server):
    killer = threading.Timer(0.1, server.kill)
    killer.start()
    with pytest.raises(StoreUnavailable):
        store.tail("e", "", block_ms=20_000)
    killer.join()


def test_a_full_engine_refuses_the_whole_commit_and_recovers(store, server):
    store.commit({}, [ops.Set("a", b"1")])
    server.client.config_set("maxmemory", "1")
    with pytest.raises(StoreFull):
        store.commit({A: b"1"}, [ops.Set("a", b"2"), ops.SortedAdd("z", {"m": 1.0})])
    with pytest.raises(StoreFull):
        store.take("q", "l", 1, 1000) or store.commit({}, [ops.SetAdd("s", ("m",))])
    assert store.read(A, ops.Count("z")) == [b"1", 0]
    server.client.config_set("maxmemory", "0")
    assert store.commit({A: b"1"}, [ops.Set("a", b"2")]) == ops.Committed()


def test_an_engine_that_does_not_answer_is_unavailable(store, server, monkeypatch):
    for module in (links, async_links):
        monkeypatch.setattr(module, "ANSWER_TIMEOUT_S", 0.1)
    store = RedisStore(server.url)
    store.commit({}, [ops.Set("a", b"1")])
    server.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable):
            store.commit({}, [ops.Set("a", b"2")])
        with pytest.raises(StoreUnavailable):
            asyncio.run(store.aread(A))
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert store.commit({}, [ops.Set("a", b"3")]) == ops.Committed()
    assert store.read(A) == [b"3"], "an answer of the timed-out connection was taken for this one"
    store.close()


def test_a_commit_whose_answer_is_lost_is_not_sent_twice():
    """A server that reads a commit and hangs up: the commit may have happened."""
    received = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up_after_commit():
            for _ in range(3):
                link, _ = listener.accept()
                with link:
                    while data := link.recv(65536):
                        if b"EVALSHA" in data:
                            received.append(data)
                            break
                        link.sendall(b"+OK\r\n" * data.count(b"*"))
                if received:
                    return

        thread = threading.Thread(target=hang_up_after_commit, daemon=True)
        thread.start()
        store = RedisStore(f"redis://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(StoreUnavailable):
            store.commit({}, [ops.Set("a", b"1")])
        thread.join(30)
        store.close()
    assert len(received) == 1


def test_an_engine_that_is_not_there_at_all_is_unavailable():
    store = RedisStore("unix:///nowhere/at/all.sock")
    with pytest.raises(StoreUnavailable):
        store.read(A)
    with pytest.raises(StoreUnavailable):
        store.now()
    store.close()


@pytest.mark.parametrize("url", ["http://x", "redis://x?socket_timeout=abc"])
def test_a_url_that_names_no_engine_is_refused(url):
    with pytest.raises(StoreError):
        RedisStore(url)


def test_a_wrong_password_is_told(store, server):
    server.client.config_set("requirepass", "secret")
    other = RedisStore(server.url)
    with pytest.raises(StoreUnavailable, match=r"(?i)auth"):
        other.read(A)
    server.client.execute_command("AUTH", "secret")
    server.client.config_set("requirepass", "")
    other.close()


def test_event_loops_come_and_go_without_a_word_to_the_store(store):
    """Left connections would be warned of, and warnings fail tests."""
    for n in range(5):
        asyncio.run(store.acommit({}, [ops.Set("a", b"%d" % n)]))
        gc.collect()
    assert asyncio.run(store.aread(A)) == [b"4"]


def test_a_closed_store_refuses_further_requests(store):
    store.read(A)
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.read(A)


def test_work_goes_on_by_itself_after_an_outage(store, server):
    """Threads that try again while the engine is away lose and double nothing they know of."""
    accepted: list[int] = []

    def claim(seen, at):
        after = int(seen[A] or b"0") + 1
        return Decision(after, (ops.Set("a", b"%d" % after),))

    def work():
        for _ in range(30):
            try:
                accepted.append(store.run(transact([A], claim, hot=("a",))))
            except StoreUnavailable:
                time.sleep(0.02)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    server.kill()
    server.start()
    for thread in threads:
        thread.join(30)
    final = int(store.read(A)[0] or b"0")
    assert len(set(accepted)) == len(accepted)
    assert max(accepted) <= final <= len(accepted) + 4, "one per thread may be unknown"
