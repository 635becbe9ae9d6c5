"""An engine behind sentinels: found, found again after a failover, nothing acknowledged lost."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from statecore.store import ops
from statecore.store.address_urls import parse_address
from statecore.store.addresses import Node
from statecore.store.channels import open_channels
from statecore.store.doors import Door, NotPrimary, Unconfirmed
from statecore.store.errors import EngineRefuses, NotReplicated, StoreError, StoreUnavailable
from statecore.store.exchanges import NotSent, wait_for
from statecore.store.links import Links
from statecore.store.redis import LISTEN_S, RedisStore
from statecore.store.routes import Ask, Forget, Rest, Send
from statecore.store.sentinel import ROLE, SentinelRoutes
from statecore.store.sentinel_views import Said, view_of
from statecore.store.steps import Decision, transact
from tests.engines import SentinelEngine, started
from tests.servers import until
from tests.store.loads import Load

A = ops.Key("a")
ADDRESS = parse_address("redis+sentinel://s1:1,s2:2/m")
S1, S2, OLD, NEW = Node("s1", 1), Node("s2", 2), Node("old", 1), Node("new", 2)


GONE, COME = Node("gone", 3), Node("come", 4)


def says(primary, epoch=0, *, flags=b"master", others=1, silent_ms=100):
    """A sentinel's answer."""
    return [b"ip", primary.host.encode(), b"port", b"%d" % primary.port,
            b"config-epoch", b"%d" % epoch, b"flags", flags,
            b"num-other-sentinels", b"%d" % others,
            b"down-after-milliseconds", b"5000",
            b"last-ok-ping-reply", b"%d" % silent_ms]  # fmt: skip


def replica(node=COME, flags=b"slave", link=b"ok", role=b"slave"):
    """What a sentinel says of one."""
    return [b"ip", node.host.encode(), b"port", b"%d" % node.port, b"flags", flags,
            b"master-link-status", link, b"role-reported", role]  # fmt: skip


def role(*online):
    """A primary's answer to ``ROLE`` when it sends its commits to some replicas."""
    told = [[each.host.encode(), b"%d" % each.port, b"7"] for each in online]
    return [b"master", 7, told]


OK, AWAY, BEHIND = replica(), replica(GONE, b"s_down,slave"), replica(link=b"err")
PROMOTED = replica(link=b"err", role=b"master")


def judged(sent, *answers):
    """What becomes of a replicated commit after some answers; the sentinels' news, if asked."""
    *others, last = answers
    for answer in others:
        sent.send(answer)
    with pytest.raises(StopIteration) as done:
        sent.send(last)
    return done.value.value


@pytest.fixture
def engine(own_sentinel_engine):
    return own_sentinel_engine


@pytest.fixture
def store(engine):
    store = RedisStore(engine.url)
    yield store
    store.close()


class TestRoutes:
    """What is sent where, step by step."""

    def begun(self, repeats=False):
        """A route that has found its primary and has sent it the commands."""
        routes = SentinelRoutes(ADDRESS)
        route = routes.ask(Ask(b"commands", repeats=repeats))
        assert next(route).node == S1
        assert route.send([says(OLD), []]).node == S2
        assert route.send([says(OLD), []]) == Send(OLD, b"commands", role="primary")
        return routes, route

    def test_the_primary_is_asked_for_once(self):
        routes, route = self.begun()
        with pytest.raises(StopIteration) as done:
            route.send([b"answer"])
        assert done.value.value == [b"answer"]
        assert next(routes.ask(Ask(b"more"))).node == OLD

    def test_a_sentinel_that_cannot_be_reached_is_not_missed(self):
        route = SentinelRoutes(ADDRESS).ask(Ask(b"commands"))
        next(route)
        assert route.throw(NotSent(redis.ConnectionError("gone"))).node == S2
        assert route.send([says(OLD), []]) == Send(OLD, b"commands", role="primary")

    @pytest.mark.parametrize("answers", [(says(OLD, 1), says(NEW, 2)), (says(NEW, 2), says(OLD))])
    def test_who_knows_of_the_latest_failover_is_believed(self, answers):
        route = SentinelRoutes(ADDRESS).ask(Ask(b"commands"))
        next(route)
        route.send([answers[0], []])
        assert route.send([answers[1], []]) == Send(NEW, b"commands", role="primary")

    def test_what_a_demoted_primary_refused_is_sent_to_the_new_one(self):
        _, route = self.begun()
        assert route.send([redis.ReadOnlyError("READONLY")]) == Forget(OLD, "primary")
        assert isinstance(route.send(None), Rest)
        assert route.send(None).node == S1
        route.send([says(NEW, 2), []])
        assert route.send([says(OLD), []]) == Forget(OLD, "primary")
        assert route.send(None) == Send(NEW, b"commands", role="primary")

    def test_a_new_connection_is_opened_to_whom_the_sentinels_name_now(self):
        _, route = self.begun()
        assert route.throw(NotSent(Unconfirmed())).node == S1
        route.send([says(NEW, 2), []])
        assert route.send([says(NEW, 2), []]) == Forget(OLD, "primary")
        assert route.send(None) == Send(NEW, b"commands", role="primary")

    def test_a_commit_whose_answer_is_lost_is_sent_once(self):
        _, route = self.begun()
        with pytest.raises(redis.ConnectionError, match="lost"):
            route.throw(redis.ConnectionError("lost"))

    def test_a_read_whose_answer_is_lost_is_asked_again(self):
        _, route = self.begun(repeats=True)
        assert isinstance(route.throw(redis.ConnectionError("lost")), Rest)
        assert route.send(None).node == S1
        route.send([says(OLD), []])
        assert route.send([says(OLD), []]) == Send(OLD, b"commands", role="primary")

    def committed(self, replicas, second=None, **said):
        """A route that has sent a commit, after what the sentinels said."""
        route = SentinelRoutes(ADDRESS).ask(Ask(b"commands", answers=2, is_replicated=True))
        next(route)
        route.send([says(OLD, **said), replicas])
        sent = route.send([second or says(OLD, **said), replicas])
        assert sent.packed.startswith(b"commands*3")
        assert sent.packed.endswith(ROLE)
        assert sent.answers == 3
        return route

    @pytest.mark.parametrize(("replicas", "confirmed", "is_enough"), [
        ([OK, OK], 2, True), ([OK, AWAY], 1, True), ([AWAY], 0, False), ([OK, BEHIND], 1, True),
    ])  # fmt: skip
    def test_a_commit_counts_when_all_have_it_that_may_be_the_primary(
        self, replicas, confirmed, is_enough
    ):
        """Else one that stood still and wakes up beside its successor would be believed."""
        route = self.committed(replicas)
        told = judged(route, [b"answer", confirmed, role(COME)])
        assert told == [b"answer", is_enough]

    @pytest.mark.parametrize("replicas", [[OK, OK], [PROMOTED, OK]])
    def test_who_is_missing_is_asked_of_the_sentinels_again(self, replicas):
        route = self.committed(replicas)
        assert route.send([b"answer", 1, role(COME)]).node == S1
        now = [says(OLD), [OK, AWAY]]
        assert judged(route, now, now) == [b"answer", True]
        route = self.committed(replicas)
        route.send([b"answer", 1, role(COME)])
        as_before = [says(OLD), replicas]
        assert judged(route, as_before, as_before) == [b"answer", False]

    def test_an_answer_of_one_that_stood_still_is_doubted(self, monkeypatch):
        """It slept while another took its place, and one replica followed it for longer."""
        route, now = self.committed([OK, AWAY]), time.monotonic()
        monkeypatch.setattr("statecore.store.sentinel.time.monotonic", lambda: now + 1.1)
        assert route.send([b"answer", 1, role(COME)]).node == S1
        during = [says(OLD, flags=b"master,failover_in_progress"), [OK, AWAY]]
        assert judged(route, during, [says(OLD), [OK, AWAY]]) == [b"answer", False]

    def test_an_answer_of_one_that_was_replaced_is_doubted(self, monkeypatch):
        route, now = self.committed([OK, AWAY]), time.monotonic()
        monkeypatch.setattr("statecore.store.sentinel.time.monotonic", lambda: now + 1.1)
        route.send([b"answer", 1, role(COME)])
        route.send([says(NEW, 1), [OK, AWAY]])
        assert route.send([says(NEW, 1), [OK, AWAY]]) == Forget(OLD, "primary")
        assert judged(route, None) == [b"answer", False]

    def test_an_answer_that_took_long_is_believed_when_nothing_has_changed(self, monkeypatch):
        route, now = self.committed([OK, AWAY]), time.monotonic()
        monkeypatch.setattr("statecore.store.sentinel.time.monotonic", lambda: now + 1.1)
        route.send([b"answer", 1, role(COME)])
        as_before = [says(OLD), [OK, AWAY]]
        assert judged(route, as_before, as_before) == [b"answer", True]

    def test_a_primary_that_a_sentinel_lost_sight_of_is_not_believed_for_long(self):
        route = self.committed([OK, AWAY], second=says(OLD, silent_ms=5000))
        assert route.send([b"answer", 1, role(COME)]).node == S1

    def test_a_replica_that_the_sentinels_do_not_know_yet_counts(self):
        route = self.committed([OK, replica(GONE, link=b"err")])
        assert route.send([b"answer", 1, role(COME, GONE)]).node == S1
        as_before = [says(OLD), [OK, replica(GONE, link=b"err")]]
        assert judged(route, as_before, as_before) == [b"answer", False]

    def test_a_replica_that_stands_still_is_not_waited_for(self):
        """Its connection to the primary is open for a minute more."""
        route = self.committed([OK, AWAY])
        assert judged(route, [b"answer", 1, role(COME, GONE)]) == [b"answer", True]

    def test_a_new_primary_is_not_waited_for_with_the_replicas_of_the_old_one(self):
        routes = SentinelRoutes(ADDRESS)

        def begun(told):
            route = routes.ask(Ask(b"commands", answers=2, is_replicated=True))
            next(route)
            route.send(told)
            return route, route.send(told)

        route, _ = begun([says(OLD), [OK, OK]])
        judged(route, [b"answer", 2, role(COME, GONE)])
        routes.doubt()
        route, step = begun([says(NEW, 1), [OK, AWAY]])
        assert step == Forget(OLD, "primary")
        assert route.send(None).packed == b"commands" + wait_for(1) + ROLE

    def test_a_server_that_became_a_replica_confirms_nothing(self):
        route = self.committed([OK, OK])
        assert judged(route, [b"answer", 2, [b"slave", b"new", 1]]) == [b"answer", False]

    @pytest.mark.parametrize("answers", [
        [says(OLD, flags=b"master,failover_in_progress")], [says(OLD, flags=b"master,o_down")],
        [says(OLD, others=1)], [says(OLD, others=2), says(NEW)],
    ])  # fmt: skip
    def test_no_replica_is_left_out_while_it_is_open_who_is_the_primary(self, answers):
        """During a failover, and where most of the sentinels do not answer or say otherwise."""
        said = [Said(S1, answer, [OK, AWAY, BEHIND]) for answer in answers]
        assert view_of(said, 0.0).heirs == 3

    def test_a_commit_waits_until_the_sentinels_agree_on_a_primary(self):
        """It could be on its way to one that is being replaced, and nobody would know of it."""
        route = SentinelRoutes(ADDRESS).ask(Ask(b"commands", answers=2, is_replicated=True))
        next(route)
        during = [says(OLD, flags=b"master,failover_in_progress"), [OK, AWAY]]
        route.send(during)
        assert isinstance(route.send(during), Rest)
        assert route.send(None).node == S1
        after = [says(OLD, 1), [OK, AWAY]]
        route.send(after)
        assert route.send(after).packed.startswith(b"commands")

    def test_a_commit_that_all_replicas_can_have_waits_for_nobody(self):
        self.committed([OK, OK], flags=b"master,failover_in_progress")

    def test_most_of_the_sentinels_may_leave_out_a_replica(self):
        said = [Said(S1, says(OLD, others=2), [OK, AWAY]) for _ in range(2)]
        assert view_of(said, 0.0)[1:3] == (1, 2)

    def test_a_wrong_password_is_not_waited_for(self):
        _, route = self.begun()
        with pytest.raises(redis.AuthenticationError):
            route.throw(NotSent(redis.AuthenticationError("WRONGPASS")))


def test_the_primary_is_found_as_long_as_one_sentinel_answers(engine):
    for sentinel in engine.sentinels[:2]:
        sentinel.kill()
    store = RedisStore(engine.url)
    store.commit({}, [ops.Set("a", b"1")])
    assert store.read(A) == [b"1"]
    assert store.describe()["replicas"] == 1
    store.close()


def test_without_a_sentinel_the_engine_is_away_and_a_known_primary_is_not(engine, store):
    store.commit({}, [ops.Set("a", b"1")])
    for sentinel in engine.sentinels:
        sentinel.kill()
    assert store.read(A) == [b"1"]
    stranger = RedisStore(f"{engine.url}?patience=0.3")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="no sentinel answers"):
        stranger.read(A)
    assert time.monotonic() - began < 4.5  # it waits for 5 s if not told otherwise
    stranger.close()


def test_a_planned_failover_goes_unnoticed(engine, store):
    store.commit({}, [ops.Set("a", b"1")])
    new = engine.fail_over()
    assert store.commit({A: b"1"}, [ops.Set("a", b"2")]) == ops.Committed()
    assert store.read(A) == [b"2"]
    assert new.client.get("a") == b"2"


def test_a_replica_is_never_taken_for_the_primary(engine):
    address = parse_address(engine.url)
    replica = next(each for each in engine.servers if each is not engine.primary())
    links = Links(Door(address, Node("127.0.0.1", replica.port), "primary"))
    with pytest.raises(NotSent) as refused:
        links.exchange_all(b"*1\r\n$4\r\nPING\r\n", 1)
    assert isinstance(refused.value.reason, NotPrimary)
    links.close()


def test_a_primary_that_comes_back_is_not_written_to(engine, store):
    store.commit({}, [ops.Set("a", b"1")])
    old = engine.primary()
    old.kill()
    new = engine.await_failover(old)
    old.start()
    old.await_answer()
    store.commit({}, [ops.Set("a", b"2")])
    assert new.client.get("a") == b"2"


def test_acknowledged_commits_outlive_the_primary(tmp_path):
    """Four threads write while the primary is killed; one replica is left to the next."""
    with started(SentinelEngine(tmp_path, replicas=2)) as engine:
        kill_the_primary_under_load(engine)


def test_what_a_primary_that_stood_still_took_along_was_not_acknowledged(tmp_path):
    """A replica has just come back, and gets its place; the other one follows it a bit longer."""
    with started(SentinelEngine(tmp_path, replicas=2)) as engine:
        store = RedisStore(f"{engine.url}?durability=replicated")
        primary = engine.primary()
        comes_back, _ = engine.heirs(primary)
        comes_back.kill()
        until(lambda: is_done(store, ops.Set("a", b"0")))
        comes_back.start()
        until(lambda: comes_back.follows(primary))
        committed = commit_while_it_stands_still(store, engine, primary)
        until(engine.is_whole)
        assert committed != ops.Committed() or store.read(A) == [b"1"]
        store.close()


def commit_while_it_stands_still(store, engine, primary):
    """What a commit is answered that waits in a primary while another gets that one's place."""
    heirs = engine.heirs(primary)
    primary.signal(signal.SIGSTOP)
    with ThreadPoolExecutor() as threads:
        commit = threads.submit(store.commit, {}, [ops.Set("a", b"1")])
        until(lambda: any(heir.is_primary() for heir in heirs))
        primary.signal(signal.SIGCONT)
        return commit.exception() or commit.result()


def kill_the_primary_under_load(engine):
    store = RedisStore(f"{engine.url}?durability=replicated")
    load = Load(store, [f"n{n}" for n in range(4)])
    load.start()
    old = engine.primary()
    time.sleep(random.uniform(0.1, 0.5))
    old.kill()
    engine.await_failover(old)
    elected = time.monotonic()
    first_after = load.await_progress()
    load.stop()
    assert first_after - elected < 5.0
    assert load.faults() == []
    store.close()


def test_an_event_loop_finds_the_new_primary(engine):
    async def write_over_a_failover():
        store = RedisStore(engine.url)
        await store.acommit({}, [ops.Set("a", b"1")])
        await asyncio.to_thread(engine.fail_over)
        await asyncio.sleep(0.01)  # an event loop that runs learns that the connection is closed
        await store.acommit({A: b"1"}, [ops.Set("a", b"2")])
        found = await store.aread(A)
        await store.aclose()
        store.close()
        return found

    assert asyncio.run(write_over_a_failover()) == [b"2"]


def test_a_waiting_tail_goes_on_at_the_new_primary(engine):
    store = RedisStore(f"{engine.url}?patience=60")  # sentinels may give up half-way
    store.commit({}, [ops.Append("e", (b"first",), 100)])
    tailed = store.tail("e", "")
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(store.tail, "e", tailed.cursor, block_ms=90_000)
        engine.fail_over()
        store.commit({}, [ops.Append("e", (b"second",), 100)])
        found = waiting.result(60)
    assert [entry for _, entry in found.entries] == [b"second"]
    store.close()


def test_a_tail_looks_again_where_its_server_may_have_been_replaced(sentinel_engine, monkeypatch):
    """One that waits at a replica is not woken by what that is filled with anew."""
    store = RedisStore(sentinel_engine.url)
    assert store._longest_wait_s == LISTEN_S
    waits, exchange = [], store._links.exchange

    def noted(arguments, block_s=0.0, *others, **options):
        waits.append(block_s)
        return exchange(arguments, block_s, *others, **options)

    monkeypatch.setattr(store._links, "exchange", noted)
    monkeypatch.setattr(store, "_longest_wait_s", 0.1)
    assert store.tail("nothing", "", block_ms=1000).entries == ()
    assert max(waits) == 0.1
    assert waits.count(0.1) > 1
    store.close()


class TestReplicated:
    def test_a_commit_that_no_replica_has_is_told_and_stands(self, engine):
        store = RedisStore(f"{engine.url}?durability=replicated")
        store.commit({}, [ops.Set("a", b"1")])
        (replica,) = (each for each in engine.servers if each is not engine.primary())
        replica.signal(signal.SIGSTOP)
        try:
            with pytest.raises(NotReplicated):
                store.commit({A: b"1"}, [ops.Set("a", b"2")])
            assert store.take("queue", "leases", 1, 1000) == []
            with pytest.raises(NotReplicated):
                asyncio.run(store.acommit({}, [ops.Set("b", b"1")]))
        finally:
            replica.signal(signal.SIGCONT)
        assert store.commit({A: b"2"}, [ops.Set("a", b"4")]) == ops.Committed()
        store.close()

    def test_who_finds_the_work_done_is_told_so_when_a_replica_has_it(self, engine):
        """A repeated request decides on what nobody has confirmed; so it is no answer either."""
        store = RedisStore(f"{engine.url}?durability=replicated")
        others = RedisStore(f"{engine.url}?durability=replicated")
        (replica,) = (each for each in engine.servers if each is not engine.primary())
        replica.signal(signal.SIGSTOP)
        try:
            with pytest.raises(NotReplicated):
                store.commit({A: None}, [ops.Set("a", b"done")])
            repeated = (
                lambda: store.run(do_once()),
                lambda: others.run(do_once()),
                lambda: asyncio.run(others.arun(do_once())),
                lambda: others.commit({A: b"other"}, [ops.Set("a", b"lost")]),
            )
            with ThreadPoolExecutor() as threads:
                told = [each.exception() for each in map(threads.submit, repeated)]
            assert [type(each) for each in told] == [NotReplicated] * len(repeated)
            assert others.read(A) == [b"done"]  # to look at it needs no replica
        finally:
            replica.signal(signal.SIGCONT)
        assert store.run(do_once()) == others.run(do_once()) == "done before"
        assert replica.client.get("a") == b"done"
        store.close()
        others.close()

    def test_a_replica_that_is_gone_is_missed_until_the_sentinels_know(self, tmp_path):
        with started(SentinelEngine(tmp_path, replicas=2)) as engine:
            store = RedisStore(f"{engine.url}?durability=replicated")
            store.commit({}, [ops.Set("a", b"1")])
            gone, _ = engine.heirs(engine.primary())
            for server in (*engine.sentinels, gone):
                server.kill()
            for value in (b"2", b"3"):
                with pytest.raises(NotReplicated):
                    store.commit({}, [ops.Set("a", value)])
            for sentinel in engine.sentinels:
                sentinel.start()
            until(lambda: is_done(store, ops.Set("a", b"4")))
            store.close()

    def test_a_single_server_may_have_a_replica_as_well(self, engine):
        store = RedisStore(f"redis://127.0.0.1:{engine.primary().port}?durability=replicated")
        assert store.commit({}, [ops.Set("a", b"1")]) == ops.Committed()
        assert asyncio.run(store.acommit({}, [ops.Set("a", b"2")])) == ops.Committed()
        store.close()

    def test_without_a_replica_every_commit_says_so(self, redis_store, engine_server):
        store = RedisStore(f"{engine_server.url}?durability=replicated")
        with pytest.raises(NotReplicated, match="no replica"):
            store.commit({}, [ops.Set("a", b"1")])
        assert store.read(A) == [b"1"]
        store.close()


def is_done(store, write):
    try:
        return store.commit({}, [write]) == ops.Committed()
    except NotReplicated:
        return False


def do_once():
    """Steps of a service that answers a repeated request like the first."""

    def decide(seen, at):
        if seen[A]:
            return Decision("done before")
        return Decision("done", (ops.Set("a", b"done"),))

    return (yield from transact([A], decide))


def test_messages_are_heard_at_the_new_primary(engine, store):
    async def say_and_hear():
        channels = open_channels(store)
        async with channels.listen("news") as messages:
            assert await channels.publish("news", b"1") == 1
            heard = [await anext(messages)]
        await asyncio.to_thread(engine.fail_over)
        await asyncio.sleep(0.01)
        async with channels.listen("news") as messages:
            assert await channels.publish("news", b"2") == 1
            heard.append(await anext(messages))
        await channels.close()
        return heard

    assert asyncio.run(say_and_hear()) == [("news", b"1"), ("news", b"2")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url: url.replace("/orchard", "/unknown"), "names the master 'unknown'"),
        (lambda url: url.replace("//", "//me:pa55word@"), "authentication fails"),
        (lambda url: f"{url}?sentinel_password=pa55word", "sentinel_password"),
        (lambda url: f"{url}/99", "has the database 99"),
    ],
)
def test_a_mistake_is_told_in_one_line(sentinel_engine, change, said):
    store = RedisStore(change(sentinel_engine.url))
    with pytest.raises(EngineRefuses) as refused:
        store.check()
    assert said in str(refused.value)
    assert "; allowed: " in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "pa55word" not in str(refused.value)
    store.close()


def test_an_engine_that_is_no_sentinel_is_told(engine_server):
    store = RedisStore(f"redis+sentinel://127.0.0.1:{engine_server.port}/orchard")
    with pytest.raises(StoreError, match="are no sentinels"):
        store.check()
    store.close()
