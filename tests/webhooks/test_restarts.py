"""Processes die, two send at once, events are lost: nothing is left untold."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from orchard import keys
from orchard.readings import Overtaken
from orchard.services import run, submissions
from orchard.webhooks import endpoints, process
from orchard.webhooks.following import Follower
from orchard.webhooks.models import Delivery, Reading
from statecore.store import ops
from tests.servers import until
from tests.services import orchards

pytestmark = pytest.mark.usefixtures("store")


def test_what_was_under_way_when_a_process_died_is_sent_again_by_the_next(post, receiver, clock):
    endpoints.create(receiver.url)
    receiver.manner = "hang"
    ids = {orchards.submit().job_id for _ in range(3)}
    station = post.open("p1")
    until(lambda: station.turn() and len(receiver.heard) == 3)
    receiver.manner = "200"
    later = orchards.submit().job_id
    clock.advance(seconds=6)  # the lease of the first, which does nothing more
    post.open("p2")
    post.settle()
    assert Counter(heard.job for heard in receiver.accepted()) == Counter([*ids, later])
    assert {row.state for row in Delivery.objects.all()} == {"delivered"}


def test_while_one_process_sends_another_waits(post, receiver):
    endpoints.create(receiver.url)
    first, second = post.open("p1"), post.open("p2")
    first.turn()
    orchards.submit()
    assert second.turn() == process.STANDBY_S
    assert not Delivery.objects.exists()
    until(lambda: first.turn() and receiver.accepted())


def test_of_two_followers_one_is_refused_and_nothing_is_made_twice(receiver):
    endpoints.create(receiver.url)
    first, second = Follower(), Follower()
    assert first.reading.version == second.reading.version
    orchards.submit()
    first.step()
    with pytest.raises(Overtaken):
        second.step()
    second.step()
    assert Delivery.objects.count() == 1


def test_a_follower_that_dies_before_it_has_kept_reads_again(receiver, monkeypatch):
    endpoints.create(receiver.url)
    follower = Follower()
    orchards.submit()

    def die(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(Delivery.objects), "bulk_create", die)
    with pytest.raises(KeyboardInterrupt):
        follower.step()
    monkeypatch.undo()
    assert not Delivery.objects.exists()
    Follower().step()
    assert Delivery.objects.count() == 1


def test_after_a_gap_in_the_events_the_ends_of_jobs_are_found_once(post, receiver, store):
    endpoints.create(receiver.url)
    known = orchards.submit().job_id
    run(submissions.cancel(known))
    post.settle()
    lost = [orchards.submit().job_id for _ in range(3)]
    for job_id in lost:
        run(submissions.cancel(job_id))

    def drop():
        yield ops.Commit({}, (ops.Delete((keys.EVENTS,)),))

    store.run(drop())
    orchards.submit()
    post.settle()
    ends = Counter(heard.job for heard in receiver.heard if heard.type == "job.cancelled")
    assert ends == Counter([known, *lost])


def test_nobody_reads_events_while_nobody_is_to_be_told(receiver):
    made, _ = endpoints.create(receiver.url)
    follower = Follower()
    endpoints.change(made.uid, is_enabled=False)
    follower.step()
    assert not Reading.objects.get().is_begun
    orchards.submit()
    endpoints.change(made.uid, is_enabled=True)
    job_id = orchards.submit().job_id
    Follower().step()
    assert [row.subject for row in Delivery.objects.all()] == [f"job:{job_id}"]


@pytest.mark.django_db(transaction=True)
def test_the_thread_beside_a_pipeline_process_sends_and_ends(memory_store, receiver, monkeypatch):
    from orchard.services import engine

    before = engine.use(memory_store)
    monkeypatch.setattr(process, "allowed_networks", endpoints.allowed_networks)
    stopping = threading.Event()
    try:
        endpoints.create(receiver.url)
        thread = process.start(stopping, "p1")
        job_id = orchards.submit().job_id
        until(lambda: [heard.job for heard in receiver.accepted()] == [job_id])
        until(lambda: Delivery.objects.filter(state="delivered").count() == 1)
        stopping.set()
        thread.join(60)
        assert not thread.is_alive()
    finally:
        stopping.set()
        engine.use(before)
