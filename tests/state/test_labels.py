"""Label requests: queued with the change, leased, tried again, given up, retried."""

from __future__ import annotations

import pytest

from statecore.domain.errors import InvalidInput, TransitionRefused, UnknownLabelRequest
from statecore.domain.issues import Holder
from statecore.domain.labels import DeliveryPolicy
from statecore.domain.lifecycle import IssueStatus, LabelStatus
from statecore.repository import Limits
from statecore.services import checkouts, labels
from statecore.services.engine import run
from statecore.store.base import Store
from tests.state.conftest import use

QUEUED, SENT, FAILED = LabelStatus.QUEUED, LabelStatus.SENT, LabelStatus.FAILED


def ask() -> str:
    """The id of a new request."""
    known = {one.request_id for one in run(labels.list_requests(QUEUED)).requests}
    number = 1 + sum(run(labels.count_by_status()).values())
    run(checkouts.update(number, IssueStatus.PENDING))
    return ({one.request_id for one in run(labels.list_requests(QUEUED)).requests} - known).pop()


def test_a_request_is_claimed_once_and_noted_as_sent(store: Store):
    name = ask()
    assert [one.request_id for one in run(labels.claim())] == [name]
    assert run(labels.claim()) == []
    assert run(labels.mark_sent(name)).status is SENT
    assert run(labels.count_by_status()) == {QUEUED: 0, SENT: 1, FAILED: 0}
    with pytest.raises(TransitionRefused):
        run(labels.mark_sent(name))
    with pytest.raises(TransitionRefused):
        run(labels.retry(name))
    assert run(labels.claim()) == []


def test_a_request_whose_deliverer_died_comes_back(still):
    name = ask()
    assert run(labels.claim())
    still.advance(59)
    assert run(labels.claim()) == []
    still.advance(2)
    assert [one.request_id for one in run(labels.claim())] == [name]


def test_a_failed_request_rests_longer_each_time_and_is_given_up(memory_store, clock):
    use(memory_store, Limits(delivery=DeliveryPolicy(max_attempts=3, backoff_s=10)))
    name, rests = ask(), []
    for _ in range(3):
        (request,) = run(labels.claim())
        request = run(labels.mark_failed(name, "502 Bad Gateway"))
        rest = (
            (request.not_before - memory_store.now()).total_seconds() if request.not_before else 0
        )
        rests.append(rest)
        clock.advance(max(rest - 0.001, 0))
        assert run(labels.claim()) == []
        clock.advance(0.002)
    assert rests == [10, 20, 0]
    assert (request.status, request.attempts) == (FAILED, 3)
    assert request.errors == ("502 Bad Gateway",) * 3
    assert run(labels.retry(name)).status is QUEUED
    assert [one.request_id for one in run(labels.claim())] == [name]


def test_a_service_that_asks_for_patience_gets_it(still, memory_store):
    name = ask()
    run(labels.claim())
    run(labels.mark_failed(name, "rate limited", retry_after_s=600))
    still.advance(599)
    assert run(labels.claim()) == []
    still.advance(1)
    assert run(labels.claim())


def test_what_can_never_work_is_given_up_at_once(store: Store):
    name = ask()
    run(labels.claim())
    assert run(labels.mark_failed(name, "404: no such issue", final=True)).status is FAILED
    assert run(labels.claim()) == []
    assert [one.request_id for one in run(labels.list_requests(FAILED)).requests] == [name]


def test_requests_are_listed_by_page(store: Store):
    names = [ask() for _ in range(5)]
    first = run(labels.list_requests(QUEUED, limit=3))
    rest = run(labels.list_requests(QUEUED, limit=3, cursor=first.next))
    assert {one.request_id for one in [*first.requests, *rest.requests]} == set(names)
    assert (first.count, rest.next) == (5, None)
    with pytest.raises(InvalidInput):
        run(labels.list_requests(QUEUED, limit=0))
    with pytest.raises(UnknownLabelRequest):
        run(labels.get("none"))


def test_old_ones_are_forgotten(still):
    name = ask()
    run(labels.claim())
    run(labels.mark_sent(name))
    still.advance(8 * 86_400)
    assert run(labels.forget_old()) == 1
    assert run(labels.count_by_status())[SENT] == 0


def test_requests_of_one_issue_go_in_the_order_of_its_changes(still):
    ann = Holder(process_id="ann")
    for _ in range(3):
        run(checkouts.check_out(5, ann))
        run(checkouts.check_in(5))
    first, *others = run(labels.claim(3))
    assert [one.add for one in (first, *others)] == [
        ("processing",),
        ("completed",),
        ("processing",),
    ]
    run(labels.mark_failed(first.request_id, "502"))
    for one in others:
        run(labels.hand_back(one.request_id))
    still.advance(2)
    assert run(labels.claim(10)) == []  # the first one rests for five seconds
    still.advance(4)
    claimed = run(labels.claim(10))
    assert claimed[0].request_id == first.request_id
    assert [one.request_id for one in claimed] == sorted(one.request_id for one in claimed)
    assert len(claimed) == 6
