"""Workers: names that lead back to addresses, signs of life, measured speed."""

from datetime import UTC, datetime, timedelta

import pytest

from orchard.domain import workers
from orchard.domain.errors import InvalidInput, WorkerUnavailable
from orchard.domain.lifecycle import WorkerStatus

AT = datetime(2026, 1, 1, tzinfo=UTC)


def new_worker(url="agent://pi"):
    return workers.register_worker(
        None, url, mode="pull", concurrency=1, metadata={"model": "tiny"}, at=AT
    ).worker


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("192.168.1.5:8080", "http://192.168.1.5:8080"),
        ("http://Phone.local:8080/", "http://phone.local:8080"),
        ("https://[::1]:9", "https://[::1]:9"),
    ],
)
def test_a_nodes_address_has_one_spelling_and_its_id_leads_back(given, url):
    assert workers.check_url(given) == url
    assert workers.worker_url(workers.worker_id(url)) == url


@pytest.mark.parametrize(
    "url",
    ["", "  ", "ftp://x", "http://a/b", "http://u:p@h", "http://a b", "[]", "[zz]:1", "[", "a:b"],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(InvalidInput):
        workers.check_url(url)


@pytest.mark.parametrize("name", ["", "-a", "a/b", "a" * 65, "http-1.2.3.4:80", "日本"])
def test_an_agents_name_is_refused_when_it_would_not_lead_back(name):
    with pytest.raises(InvalidInput):
        workers.check_name(name)


def test_a_worker_that_comes_back_keeps_its_history_and_takes_work_again():
    speed = workers.measure(10_000, 2_000, at=AT)
    worker = workers.hear_from(new_worker(), at=AT, speeds=[speed]).worker
    drained = workers.direct_worker(worker, draining=True, at=AT).worker
    back = workers.register_worker(
        drained, worker.url, mode="pull", concurrency=2, metadata={}, at=AT
    ).worker
    assert (back.performance_history, back.draining, back.concurrency) == ((speed,), False, 2)
    assert back.metadata == {"model": "tiny"}


def test_speed_is_processing_time_over_sound_and_the_last_twenty_are_kept():
    assert workers.measure(10_000, 2_000, at=AT).speed_ratio == 0.2
    worker = new_worker()
    for i in range(25):
        speeds = [workers.measure(1_000, i, at=AT)]
        worker = workers.hear_from(worker, at=AT, speeds=speeds).worker
    assert len(worker.performance_history) == 20
    assert worker.performance_history[0].processing_time_sec == 0.005
    assert worker.completed == 25


def test_what_it_holds_makes_it_busy():
    busy = workers.hear_from(new_worker(), at=AT, gained=["a", "b", "a"])
    assert (busy.worker.status, busy.worker.pending_chunks) == (WorkerStatus.BUSY, ("a", "b"))
    assert busy.events
    idle = workers.hear_from(busy.worker, at=AT, lost=["a", "b"]).worker
    assert (idle.status, idle.is_processing) == (WorkerStatus.ONLINE, False)


def test_a_mere_sign_of_life_is_no_event():
    assert workers.hear_from(new_worker(), at=AT + timedelta(seconds=9)).events == ()


def test_a_silent_worker_is_offline_and_its_last_sign_of_life_stays():
    later = AT + timedelta(seconds=60)
    silent = workers.fall_silent(new_worker(), at=later).worker
    assert (silent.status, silent.last_updated) == (WorkerStatus.OFFLINE, AT)


@pytest.mark.parametrize("state", ["draining", "paused"])
def test_a_drained_or_paused_worker_may_not_claim(state):
    worker = workers.direct_worker(new_worker(), at=AT, **{state: True}).worker
    with pytest.raises(WorkerUnavailable) as refusal:
        workers.check_available(worker)
    assert refusal.value.facts["state"] == state
