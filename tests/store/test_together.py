"""Steps side by side, on every store."""

from __future__ import annotations

import pytest

from statecore.store import ops
from statecore.store.errors import StoreUnavailable, WrongType
from statecore.store.memory import MemoryStore
from statecore.store.steps import Decision, commit, now, read, take, transact
from statecore.store.together import together

N = ops.Key("n")


def increment(seen, at):
    after = int(seen[N] or b"0") + 1
    return Decision(after, (ops.Set("n", b"%d" % after),))


def read_twice(key):
    first = yield from read(key)
    second = yield from read(key)
    return [*first, *second]


def nothing():
    return "at once"
    yield


class ToldStore(MemoryStore):
    """A memory store that tells what it was asked at once."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def perform_all(self, requests):
        self.asked.append([type(each) for each in requests])
        return super().perform_all(requests)


def test_both_are_done_and_both_answered(run):
    run(commit({}, ops.SortedAdd("q", {"a": 1.0, "b": 2.0})))
    for attempt in (1, 2):
        taking = take("q", "l", 1, 60_000)
        assert run(together(transact([N], increment), taking)) == (attempt, ["ab"[attempt - 1]])
    assert run(read(N, ops.Count("q"), ops.Count("l"))) == [b"2", 0, 2]


def test_the_longer_of_two_goes_on_alone(run):
    run(commit({}, ops.Set("n", b"1")))
    assert run(together(read(N), read_twice(N))) == ([b"1"], [b"1", b"1"])
    assert run(together(read_twice(N), nothing())) == ([b"1", b"1"], "at once")
    assert run(together(nothing(), nothing())) == ("at once", "at once")


def test_what_meets_a_conflict_is_decided_anew_beside_the_other(run, store):
    run(transact([N], increment))
    seen = store.last_seen.recall([N])
    store.commit({}, [ops.Set("n", b"41")])
    assert seen == {N: b"1"}
    found, later = run(together(transact([N], increment), read_twice(ops.Key("other"))))
    assert (found, later) == (42, [None, None])


def test_requests_of_both_go_out_at_once_and_words_inside_the_process_do_not():
    store = ToldStore()

    def look():
        yield from now()
        return (yield from read(N))

    assert store.run(together(transact([N], increment), look()))[0] == 1
    assert store.asked == [[ops.Read, ops.Read]]
    assert store.run(together(transact([N], increment), look())) == (2, [b"2"])
    assert store.asked[1:] == [[ops.Commit, ops.Read]]
    assert len(store.hot_keys) == 0


def test_an_error_of_one_is_raised_in_both_and_ends_them(run, store):
    run(commit({}, ops.Set("n", b"1")))
    ended = []

    def careful():
        try:
            yield from read(N)
        finally:
            ended.append("careful")

    with pytest.raises(WrongType):
        run(together(careful(), read(ops.Members("n"))))
    assert ended == ["careful"]
    assert len(store.hot_keys) == 0


def test_what_mends_an_error_goes_on(run):
    run(commit({}, ops.Set("n", b"1")))

    def patient():
        try:
            return (yield from read(ops.Members("n")))
        except WrongType:
            return (yield from read(N))

    assert run(together(patient(), nothing())) == ([b"1"], "at once")


def test_scripts_that_the_engine_forgot_are_sent_again(redis_store, engine_server):
    import asyncio

    async def again():
        engine_server.client.script_flush()
        found = await redis_store.arun(together(transact([N], increment), read(ops.Key("m"))))
        await redis_store.aclose()
        return found

    redis_store.run(together(transact([N], increment), read(ops.Key("m"))))
    engine_server.client.script_flush()
    assert redis_store.run(together(transact([N], increment), read(N)))[0] == 2
    assert asyncio.run(again()) == (3, [None])


def test_an_engine_that_is_away_is_said_to_be_away(own_engine_server):
    import asyncio

    from statecore.store.redis import RedisStore

    store = RedisStore(own_engine_server.url)
    store.run(together(read(N), read(N)))
    own_engine_server.kill()
    with pytest.raises(StoreUnavailable):
        store.run(together(transact([N], increment), read(N)))
    with pytest.raises(StoreUnavailable):
        asyncio.run(store.arun(together(transact([N], increment), read(N))))
    store.close()
