"""A cluster: each request at the node of its keys, while slots move and primaries die."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
import redis
from redis.crc import key_slot

from statecore.store import ops
from statecore.store.address_urls import parse_address
from statecore.store.addresses import Node
from statecore.store.channels import open_channels
from statecore.store.cluster import ASKING, ClusterRoutes
from statecore.store.errors import CrossPartition, EngineRefuses, StoreUnavailable
from statecore.store.exchanges import wait_for
from statecore.store.redis import RedisStore
from statecore.store.routes import Ask, Rest
from tests.clusters import node_id
from tests.servers import command, until
from tests.store.loads import Load

ADDRESS = parse_address("redis+cluster://seed:1")
N1, N2 = Node("n1", 1), Node("n2", 2)
ALL = [[0, 16383, [b"n1", 1, b"id"]]]
TAGS = [f"{{{n}}}" for n in range(30)]


@pytest.fixture
def engine(own_cluster_engine):
    return own_cluster_engine


@pytest.fixture
def store(cluster_engine):
    store = RedisStore(cluster_engine.url)
    yield store
    store.close()


class TestRoutes:
    """What is sent where, step by step."""

    def begun(self, repeats=False):
        routes = ClusterRoutes(ADDRESS)
        route = routes.ask(Ask(b"commands", keys=("a",), repeats=repeats))
        assert next(route).node == Node("seed", 1)
        step = route.send([ALL])
        assert (step.node, step.packed) == (N1, b"commands")
        return routes, route

    def test_moved_is_followed_and_remembered(self):
        routes, route = self.begun()
        step = route.send([redis.exceptions.MovedError("15495 n2:2")])
        assert (step.node, step.packed) == (N2, b"commands")
        with pytest.raises(StopIteration) as done:
            route.send([b"answer"])
        assert done.value.value == [b"answer"]
        assert next(routes.ask(Ask(b"more", keys=("a",)))).packed.startswith(b"*2\r\n$7\r\nCLUSTER")

    def test_ask_is_followed_once_and_not_remembered(self):
        routes, route = self.begun()
        step = route.send([redis.exceptions.AskError("15495 n2:2")])
        assert (step.node, step.packed, step.answers) == (N2, ASKING + b"commands", 2)
        with pytest.raises(StopIteration) as done:
            route.send([b"OK", b"answer"])
        assert done.value.value == [b"answer"]
        assert next(routes.ask(Ask(b"more", keys=("a",)))).node == N1

    def test_what_is_to_be_tried_again_is(self):
        _, route = self.begun()
        assert isinstance(route.send([redis.exceptions.TryAgainError("later")]), Rest)
        assert route.send(None).node == N1

    @pytest.mark.parametrize(("confirmed", "is_enough"), [(1, False), (2, True)])
    def test_a_commit_counts_when_all_have_it_that_may_be_the_primary(self, confirmed, is_enough):
        """Else one that stood still and wakes up beside its successor would be believed."""
        routes = ClusterRoutes(ADDRESS)
        route = routes.ask(Ask(b"commands", answers=2, keys=("a",), is_replicated=True))
        next(route)
        step = route.send([[[0, 16383, [b"n1", 1], [b"r1", 2], [b"r2", 3]]]])
        assert (step.node, step.packed) == (N1, b"commands" + wait_for(2))
        with pytest.raises(StopIteration) as done:
            route.send([b"answer", confirmed])
        assert done.value.value == [b"answer", is_enough]

    def test_a_commit_whose_answer_is_lost_is_sent_once(self):
        _, route = self.begun()
        with pytest.raises(redis.ConnectionError, match="lost"):
            route.throw(redis.ConnectionError("lost"))


def test_each_key_is_at_its_node(store, cluster_engine):
    for tag in TAGS:
        store.commit({}, [ops.Set(f"{tag}a", tag.encode()), ops.SetAdd(f"{tag}s", (tag,))])
    for tag in TAGS:
        assert store.read(ops.Key(f"{tag}a"), ops.Members(f"{tag}s")) == [tag.encode(), {tag}]
    owners = {cluster_engine.owner(key_slot(tag.encode())).port for tag in TAGS}
    assert len(owners) == 3


def test_keys_of_different_slots_are_refused_in_words(store):
    with pytest.raises(CrossPartition, match=r"a and b are in different slots .*CROSSSLOT"):
        store.commit({}, [ops.Set("a", b"1"), ops.Set("b", b"2")])
    with pytest.raises(CrossPartition):
        asyncio.run(store.aread(ops.Key("a"), ops.Key("b")))


def test_scripts_reach_nodes_that_forgot_them(store, cluster_engine):
    for node in cluster_engine.nodes:
        node.client.script_flush()
    for tag in TAGS:
        store.commit({}, [ops.Set(f"{tag}a", b"again")])
    assert store.read(ops.Key("{0}a")) == [b"again"]


def test_a_tail_waits_at_the_node_of_its_stream(store):
    for tag in TAGS[:6]:
        end = store.tail(f"{tag}e", "").cursor
        writer = threading.Timer(
            0.05, store.commit, ({}, [ops.Append(f"{tag}e", (tag.encode(),), 10)])
        )
        writer.start()
        found = store.tail(f"{tag}e", end, block_ms=10_000)
        assert [entry for _, entry in found.entries] == [tag.encode()]
        writer.join()


def test_what_the_nodes_tell_is_gathered(store, cluster_engine):
    store.commit({}, [ops.Append("{0}described", (b"x",), 10)])
    facts = store.describe("{0}described")
    assert facts["nodes"] == facts["replicas"] == 3
    assert facts["role"] == "primary"
    assert facts["streams"] == {"{0}described": 1}
    assert facts["clients_limit"] > 3 * 1000


def test_messages_reach_listeners_at_any_node(store):
    async def say_and_hear():
        channels, others = open_channels(store), [open_channels(store) for _ in range(4)]
        async with channels.listen("news") as messages:
            for n, other in enumerate(others):
                await other.publish("news", b"%d" % n)
            heard = [await anext(messages) for _ in others]
        for each in (channels, *others):
            await each.close()
        return sorted(message for _, message in heard)

    assert asyncio.run(say_and_hear()) == [b"0", b"1", b"2", b"3"]


@pytest.mark.parametrize("mode", ["by key", "at once"])
def test_slots_move_under_load_and_nobody_notices(engine, mode):
    store = RedisStore(engine.url)
    keys = [f"{{hot}}{n}" for n in range(4)]
    load = Load(store, keys)
    load.start()
    load.await_progress()
    slot = key_slot(b"{hot}")
    for _ in range(2):
        source = engine.owner(slot)
        target = next(each for each in engine.first if each is not source)
        if mode == "by key":
            engine.move_by_key(slot, target, then=load.await_progress)
        else:
            engine.move_at_once(slot, target)
        load.await_progress()
    load.stop()
    assert sum(load.unknown.values()) == 0
    for key in keys:
        assert store.read(ops.Key(key)) == [b"%d" % load.acknowledged[key]]
    assert store._routes.redirections["MOVED"] >= 1
    if mode == "by key":
        assert store._routes.redirections["ASK"] >= 1
    store.close()


def test_keys_of_one_commit_that_are_moving_are_waited_for(engine):
    store = RedisStore(engine.url)
    cells = [ops.Key("{hot}a"), ops.Key("{hot}b")]
    store.commit({}, [ops.Set(cell.key, b"1") for cell in cells])
    slot = key_slot(b"{hot}")
    source = engine.owner(slot)
    target = next(each for each in engine.first if each is not source)
    command(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(source))
    command(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(target))
    command(source, "MIGRATE", "127.0.0.1", target.port, "{hot}a", 0, 2000)

    def finish():
        until(lambda: store._routes.redirections["TRYAGAIN"])
        command(source, "MIGRATE", "127.0.0.1", target.port, "{hot}b", 0, 2000)
        for node in (target, source):
            command(node, "CLUSTER", "SETSLOT", slot, "NODE", node_id(target))

    finisher = threading.Thread(target=finish)
    finisher.start()
    writes = [ops.Set(cell.key, b"2") for cell in cells]
    assert store.commit(dict.fromkeys(cells, b"1"), writes) == ops.Committed()
    finisher.join()
    assert store.read(*cells) == [b"2", b"2"]
    store.close()


def test_acknowledged_commits_outlive_a_primary(engine):
    store = RedisStore(f"{engine.url}?durability=replicated")
    load = Load(store, [f"{{{n}}}" for n in range(6)])
    load.start()
    load.await_progress()
    slot = key_slot(b"{0}")
    old = engine.owner(slot)
    (replica,) = (
        each for each in engine.nodes
        if each.client.info("replication").get("master_port") == old.port
    )  # fmt: skip
    old.kill()
    until(lambda: replica.client.role()[0] == b"master")
    old.start()  # it comes back as the replica, so that commits can be confirmed again
    deadline = time.monotonic() + 15
    (before,) = until(lambda: readable(store, "{0}"))
    while not progressed(store, "{0}", before):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    load.stop()
    assert load.faults() == []
    store.close()


def readable(store, key):
    try:
        return store.read(ops.Key(key))
    except StoreUnavailable:
        return None


def progressed(store, key, before):
    found = readable(store, key)
    return found and int(found[0]) > int(before) + 5


def test_a_cluster_that_is_down_is_waited_for_no_longer_than_allowed(engine):
    store = RedisStore(f"{engine.url}?patience=0.5")
    store.commit({}, [ops.Set("{0}a", b"1")])
    owner = engine.owner(key_slot(b"{0}"))
    for node in engine.nodes:
        if node is owner or node.client.info("replication").get("master_port") == owner.port:
            node.kill()
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.read(ops.Key("{0}a"))
    with pytest.raises(StoreUnavailable):
        asyncio.run(store.acommit({}, [ops.Set("{0}a", b"2")]))
    assert time.monotonic() - began < 9.0  # both would wait for 5 s if not told otherwise
    store.close()


def test_a_cluster_that_is_taken_for_one_server_is_told_and_the_other_way_round(
    cluster_engine, engine_server
):
    one = RedisStore(f"redis://127.0.0.1:{cluster_engine.nodes[0].port}")
    with pytest.raises(EngineRefuses, match=r"is a node of a cluster; allowed: redis\+cluster://"):
        one.check()
    many = RedisStore(f"redis+cluster://127.0.0.1:{engine_server.port}")
    with pytest.raises(EngineRefuses, match="is no cluster; allowed: redis://"):
        many.check()
    one.close()
    many.close()
