"""Dispatchers and nodes of every manner: jobs complete on those that are well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from django.core.files.base import ContentFile

from orchard import keys
from orchard.conf import get_conf
from orchard.dispatching.running import Dispatcher
from orchard.domain.jobs import Job
from orchard.domain.nodes import Condition
from orchard.domain.workers import Worker
from orchard.ports import recordings
from orchard.services import counts, dispatch, engine, fleet, queries, reports, run
from statecore.store import ops
from statecore.store.redis import RedisStore
from tests.nodes import CONDITIONS, PushNode
from tests.services.orchards import claim, complete, name_of, processing

PATIENCE_S = 60.0


@pytest.fixture
async def store(redis_store: RedisStore) -> AsyncIterator[RedisStore]:
    """The services run against a real engine, whose time goes on."""
    before = engine.use(redis_store)
    yield redis_store
    await redis_store.aclose()
    engine.use(before)


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    conf = replace(get_conf(), node_rest_s=0.1, node_timeout_s=3.0)
    for module in ("orchard.services.dispatch", "orchard.dispatching.errands"):
        monkeypatch.setattr(f"{module}.get_conf", lambda: conf)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Nodes that are stopped with the test."""
    with ExitStack() as one:
        yield one


def node(stack: ExitStack, manner: str = "good") -> PushNode:
    """A node that runs and is in the fleet."""
    one = stack.enter_context(PushNode(manner))
    run(fleet.register(url=one.url, mode="push"))
    return one


def job_of(chunks: int) -> Job:
    """A job whose chunks wait, each with its sound."""
    job = processing(chunks)
    for index in range(chunks):
        recordings.save(recordings.chunk_name(job.job_id, index), ContentFile(b"RIFF" * 4000))
    return job


@asynccontextmanager
async def dispatcher(name: str = "d1", grace_s: float = 5.0) -> AsyncIterator[None]:
    """A dispatcher that is at work."""
    stopping = asyncio.Event()
    task = asyncio.create_task(Dispatcher(name).serve(stopping, grace_s=grace_s))
    try:
        yield
    finally:
        stopping.set()
        await task


async def until(what: str, look: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    stop = loop.time() + PATIENCE_S
    while not look():
        assert loop.time() < stop, f"waited in vain for {what}"
        await asyncio.sleep(0.02)


def statuses(job: Job) -> set[str]:
    return {str(chunk.status) for chunk in run(queries.get_job(job.job_id)).chunks}


def is_done(job: Job) -> Callable[[], bool]:
    return lambda: statuses(job) == {"completed"}


def shown(one: PushNode) -> Worker:
    return run(queries.get_worker(one.worker_id))


def condition(one: PushNode) -> str:
    health = shown(one).node
    return str(health.condition) if health else ""


async def test_a_node_gets_its_chunks_one_after_the_other(store, stack):
    good = node(stack)
    job = job_of(4)
    async with dispatcher():
        await until("the job", is_done(job))
    assert good.most_at_once == 1
    assert good.asked == [b"RIFF" * 4000] * 4
    worker = shown(good)
    assert (worker.completed, worker.pending_chunks, str(worker.status)) == (4, (), "online")
    assert len(worker.performance_history) == 4
    view = run(queries.get_transcript(job.job_id))
    assert view.transcript.text == " ".join(["spoken words"] * 4)
    assert {chunk.attempts for chunk in run(queries.get_job(job.job_id)).chunks} == {1}


@pytest.mark.parametrize("manner", CONDITIONS)
async def test_beside_a_bad_node_jobs_complete_and_it_is_shown_as_what_it_is(store, stack, manner):
    bad, good = node(stack, manner), node(stack, "gated")
    job = job_of(3)
    async with dispatcher():
        await until("a request", lambda: bad.asked)
        good.gate.set()
        await until("the bad node to be found out", lambda: condition(bad) == CONDITIONS[manner])
        await until("the job", is_done(job))
        assert condition(bad) == CONDITIONS[manner]
        assert condition(good) == "well"
    health = shown(bad).node
    assert health.reason
    assert health.failures >= 1
    assert health.retry_at > health.checked_at
    assert (shown(bad).completed, shown(good).completed) == (0, 3)
    chunks = run(queries.get_job(job.job_id)).chunks
    # A node that never did anything is more likely at fault than a chunk.
    assert {(chunk.attempts, chunk.errors) for chunk in chunks} == {(1, ())}


async def test_a_whole_zoo_of_bad_nodes_costs_no_job(store, stack):
    zoo = [node(stack, manner) for manner in ("failing", "html", "cutting", "dying", "late")]
    good = node(stack)
    jobs = [job_of(3), job_of(3)]
    async with dispatcher():
        for job in jobs:
            await until("the job", is_done(job))
    assert shown(good).completed == 6
    assert good.most_at_once == 1
    assert {shown(one).completed for one in zoo} == {0}


async def test_a_node_that_nobody_can_reach_is_offline_and_comes_back(store, stack):
    lost = PushNode()
    lost.stop()
    run(fleet.register(url=lost.url, mode="push"))
    job = job_of(1)
    async with dispatcher():
        await until("the node to be missed", lambda: condition(lost) == "unreachable")
        assert str(shown(lost).status) == "offline"
        await until("its chunk to be back", lambda: "waiting" in statuses(job))
        with PushNode(port=lost.port):
            await until("the job", is_done(job))
            await until("it to rest", lambda: str(shown(lost).status) == "online")
            assert condition(lost) == "well"
    (chunk,) = run(queries.get_job(job.job_id)).chunks
    assert chunk.attempts == 1  # what never was sent cost nothing


async def test_a_node_that_recovers_is_well_again_after_its_first_chunk(store, stack):
    one = node(stack, "failing")
    job = job_of(1)
    async with dispatcher():
        await until("a second failure", lambda: one.asked[1:])
        one.manner = "good"
        await until("the job", is_done(job))
        await until("its health", lambda: condition(one) == "well")
    health = shown(one).node
    assert (health.failures, health.reason, health.retry_at) == (0, "", None)


async def test_a_chunk_that_breaks_the_only_node_is_given_up_in_the_end(store, stack):
    node(stack, "failing")
    job = job_of(1)
    async with dispatcher():
        await until("the chunk to be given up", lambda: statuses(job) == {"failed"})
    (chunk,) = run(queries.get_job(job.job_id)).chunks
    assert "failing: it answered with an error: 500" in chunk.errors[-1].error


async def test_a_drained_node_gets_nothing_until_it_is_resumed(store, stack):
    one = node(stack)
    run(fleet.drain(one.worker_id))
    job = job_of(1)
    async with dispatcher():
        await asyncio.sleep(1.5)
        assert statuses(job) == {"waiting"}
        run(fleet.resume(one.worker_id))
        await until("the job", is_done(job))


async def test_a_node_that_was_removed_is_left_alone(store, stack):
    one, heir = node(stack, "gated"), node(stack, "gated")
    job = job_of(1)
    async with dispatcher():
        await until("a request", lambda: one.asked or heir.asked)
        first, second = (one, heir) if one.asked else (heir, one)
        run(fleet.remove(first.worker_id))
        second.gate.set()
        await until("the job", is_done(job))
        first.gate.set()
    assert len(second.asked) == 1
    assert [worker.url for worker in run(dispatch.find_nodes())] == [second.url]


async def test_a_result_for_a_chunk_that_somebody_else_did_meanwhile_changes_nothing(store, stack):
    one = node(stack, "gated")
    job = job_of(1)
    async with dispatcher():
        await until("a request", lambda: one.asked)
        run(reports.requeue(f"{job.job_id}_chunk_0", "by hand"))
        run(fleet.register(name="quick"))
        complete(claim("quick")[0], "quick words")
        one.gate.set()
        await until("the node's answer", lambda: not shown(one).pending_chunks)
    assert run(queries.get_transcript(job.job_id)).transcript.text == "quick words"
    (chunk,) = run(queries.get_job(job.job_id)).chunks
    assert chunk.worker_id == "quick"


async def test_two_dispatchers_share_the_nodes_and_send_each_chunk_once(store, stack):
    fleet_of_nodes = [node(stack) for _ in range(4)]
    async with dispatcher("d1"), dispatcher("d2"):
        holders = lambda: sorted(  # noqa: E731
            store.read(*(_lease(one) for one in fleet_of_nodes)), key=str
        )
        await until("fair shares", lambda: holders() == [b"d1", b"d1", b"d2", b"d2"])
        jobs = [job_of(6), job_of(6)]
        for job in jobs:
            await until("the job", is_done(job))
    assert {one.most_at_once for one in fleet_of_nodes} == {1}
    assert sum(len(one.asked) for one in fleet_of_nodes) == 12
    assert store.read(*(_lease(one) for one in fleet_of_nodes)) == [None] * 4


async def test_a_dispatcher_asked_to_stop_lets_a_chunk_be_finished(store, stack):
    one = node(stack, "gated")
    job = job_of(1)
    async with dispatcher():
        await until("a request", lambda: one.asked)
        asyncio.get_running_loop().call_later(0.5, one.gate.set)
    assert is_done(job)()


async def test_a_dispatcher_without_time_hands_its_chunk_back(store, stack):
    one = node(stack, "gated")
    job = job_of(1)
    async with dispatcher(grace_s=0.1):
        await until("a request", lambda: one.asked)
    (chunk,) = run(queries.get_job(job.job_id)).chunks
    assert (str(chunk.status), chunk.attempts, shown(one).pending_chunks) == ("waiting", 0, ())
    assert store.read(_lease(one)) == [None]
    one.gate.set()
    async with dispatcher("d2"):
        await until("the job", is_done(job))


async def test_what_a_dead_dispatcher_left_with_a_node_returns_at_once(store, stack):
    one = node(stack)
    job = job_of(1)
    (held,) = claim(one.worker_id)  # as a dispatcher does, which is then killed
    assert shown(one).pending_chunks == (name_of(held),)
    async with dispatcher():
        await until("the job", is_done(job))
    assert len(one.asked) == 1


async def test_a_dead_node_that_is_looked_for_is_not_forgotten(store, stack, engine_server):
    one = node(stack)
    key = f"worker:{one.url}"
    engine_server.client.pexpire(key, 50_000)
    run(dispatch.note_fault(one.url, Condition.UNREACHABLE, "it cannot be reached"))
    assert engine_server.client.pttl(key) > 290_000
    assert str(shown(one).status) == "offline"
    assert [found.url for found in run(dispatch.find_nodes())] == [one.url]
    assert run(counts.get_stats()).workers.offline == 1


async def test_a_result_is_kept_until_an_engine_that_died_is_back(stack, own_engine_server):
    store = RedisStore(own_engine_server.url)
    before = engine.use(store)
    try:
        one = node(stack, "gated")
        job = job_of(2)
        async with dispatcher():
            await until("a request", lambda: one.asked)
            await asyncio.to_thread(own_engine_server.kill)
            one.gate.set()
            await until("its answer", lambda: one.answered)
            await asyncio.to_thread(own_engine_server.start)
            await until("the job", lambda: statuses(job) == {"completed"})
        assert len(one.asked) == 2
    finally:
        await store.aclose()
        store.close()
        engine.use(before)


def _lease(one: PushNode) -> ops.Key:
    return ops.Key(keys.node_lease(one.url))
