"""Each event arrives at least once, signed and in order, whatever the receiver does meanwhile."""

from __future__ import annotations

import base64
from collections import defaultdict
from datetime import timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from orchard.services import run, submissions
from orchard.webhooks import deliveries, endpoints, sending
from orchard.webhooks.models import Delivery, Endpoint
from tests.servers import until
from tests.services import orchards

pytestmark = pytest.mark.usefixtures("store")

JOB_TYPES = ["job.created", "job.completed", "job.failed", "job.cancelled", "job.removed"]


def ended() -> str:
    """A job that came, and was cancelled; its id."""
    job_id = orchards.submit().job_id
    run(submissions.cancel(job_id))
    return job_id


def one(**facts) -> Delivery:
    return Delivery.objects.get(**facts)


def test_what_happens_to_a_job_is_told_signed(post, receiver):
    _, secret = endpoints.create(receiver.url, types=JOB_TYPES)
    job_id = ended()
    post.settle()
    assert [heard.type for heard in receiver.heard] == ["job.created", "job.cancelled"]
    for heard in receiver.heard:
        told = Webhook(secret).verify(heard.body, heard.headers)
        assert (told["data"]["job_id"], heard.headers["content-type"]) == (
            job_id, "application/json",
        )  # fmt: skip
        assert set(told) == {"type", "timestamp", "data"}
    assert receiver.heard[1].event["data"]["status"] == "cancelled"
    assert {row.state for row in Delivery.objects.all()} == {"delivered"}


def test_another_key_and_a_changed_body_do_not_verify(post, receiver):
    _, secret = endpoints.create(receiver.url)
    orchards.submit()
    post.settle()
    (heard,) = receiver.heard
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(heard.body, heard.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(heard.body + " ", heard.headers)


def test_a_receiver_that_fails_hangs_and_breaks_gets_each_event_in_order_per_job(post, receiver):
    post.timeout_s, post.schedule_s = 1.0, (1,) * 40
    _, secret = endpoints.create(receiver.url)
    receiver.script = ["500", "hang", "cut", "redirect", "garbled", "503", "404", "200", "500"]
    jobs = [ended() for _ in range(4)]
    until(lambda: post.later(2) or not Delivery.objects.filter(state="pending").exists())
    told = defaultdict(list)
    for heard in receiver.accepted():
        assert Webhook(secret).verify(heard.body, heard.headers)
        if heard.type not in told[heard.job]:
            told[heard.job].append(heard.type)
    assert told == {job_id: ["job.created", "job.cancelled"] for job_id in jobs}
    assert {row.state for row in Delivery.objects.all()} == {"delivered"}
    ids = defaultdict(set)
    for heard in receiver.heard:
        ids[heard.job, heard.type].add(heard.id)
    assert all(len(of_one) == 1 for of_one in ids.values())  # the same in each attempt
    assert len(receiver.heard) > len(receiver.accepted())


def test_a_later_event_of_a_job_waits_for_the_earlier_one_and_those_of_others_do_not(
    post, receiver
):
    endpoints.create(receiver.url)
    receiver.script = ["500"]
    first = ended()
    post.settle()
    second = ended()
    post.settle()
    assert [(heard.job, heard.type) for heard in receiver.accepted()] == [
        (second, "job.created"), (second, "job.cancelled"),
    ]  # fmt: skip
    post.later(1000)
    assert [heard.type for heard in receiver.accepted() if heard.job == first] == [
        "job.created", "job.cancelled",
    ]  # fmt: skip


def test_a_receiver_that_hangs_holds_up_no_other(post, receivers):
    good, hanging = receivers(), receivers("hang")
    endpoints.create(hanging.url)
    endpoints.create(good.url)
    for _ in range(sending.PER_ENDPOINT + 3):
        orchards.submit()
    station = post.open()
    until(lambda: station.turn() and len(good.heard) == sending.PER_ENDPOINT + 3)
    assert 0 < len(hanging.heard) <= sending.PER_ENDPOINT
    assert not Delivery.objects.filter(endpoint__url=hanging.url).exclude(state="pending").exists()


def test_attempts_come_after_longer_and_longer_rests_until_the_message_is_given_up(post, receiver):
    endpoints.create(receiver.url)
    receiver.manner = "500"
    orchards.submit()
    post.settle()
    for rest_s in post.schedule_s:
        attempts = len(receiver.heard)
        waits = (one().next_at - post.now()).total_seconds()
        assert rest_s * 0.5 < waits <= rest_s * (1 + sending.JITTER)
        post.later(waits - rest_s / 2)
        assert len(receiver.heard) == attempts
        post.later(rest_s / 2 + 1)
        assert len(receiver.heard) == attempts + 1
    row = one()
    assert (row.state, row.attempts, row.status) == ("failed", 4, 500)
    assert (row.error, row.excerpt) == ("it answered with an error: 500", "said with 500")
    post.later(100_000)
    assert len(receiver.heard) == 4


def test_who_asks_to_be_left_alone_is_left_alone(post, receiver):
    endpoints.create(receiver.url)
    receiver.manner, receiver.headers = "429", {"Retry-After": "1000"}
    orchards.submit()
    post.settle()
    assert 900 < (one().next_at - post.now()).total_seconds() <= 1000


@pytest.mark.parametrize(
    ("manner", "reason"),
    [("hang", "it did not answer in time"), ("cut", "it broke the connection off"),
     ("garbled", "it broke the connection off"), ("redirect", "it redirects, which is not")],
)  # fmt: skip
def test_what_is_no_answer_is_a_failure_with_a_reason(post, receiver, manner, reason):
    post.timeout_s = 1.0 if manner == "hang" else 20.0
    endpoints.create(receiver.url)
    receiver.manner = manner
    orchards.submit()
    post.settle()
    row = one()
    assert (row.state, row.attempts) == ("pending", 1)
    assert row.error.startswith(reason)
    assert len(receiver.heard) == 1


def test_a_redirect_is_not_followed_even_to_where_one_may_go(post, receivers):
    first, second = receivers("redirect"), receivers()
    first.goal = second.url
    endpoints.create(first.url)
    orchards.submit()
    post.settle()
    assert (len(first.heard), second.heard, one().status) == (1, [], 307)


def test_an_answer_that_never_ends_counts_and_is_not_read(post, receiver):
    endpoints.create(receiver.url)
    receiver.manner = "drip"
    orchards.submit()
    post.settle()
    assert (one().state, one().status) == ("delivered", 200)


def test_an_endpoint_that_is_gone_is_disabled_at_once(post, receiver):
    made, _ = endpoints.create(receiver.url)
    receiver.manner = "410"
    job_id = ended()
    post.settle()
    endpoint = Endpoint.objects.get(pk=made.pk)
    assert (endpoint.is_enabled, endpoint.stopped_for, len(receiver.heard)) == (False, "gone", 1)
    assert one(type="job.created").state == "failed"
    # What waited goes out when somebody enables it again.
    receiver.manner = "200"
    endpoints.change(made.uid, is_enabled=True)
    post.settle()
    assert [(heard.type, heard.job) for heard in receiver.accepted()] == [("job.cancelled", job_id)]


def test_an_endpoint_that_fails_for_days_is_disabled_and_a_success_in_between_saves_it(
    post, receiver
):
    post.schedule_s = (86_400,) * 6
    made, _ = endpoints.create(receiver.url)
    receiver.manner = "500"
    orchards.submit()
    post.settle()
    for _ in range(3):
        post.later(90_000)
    receiver.script = ["200"]
    orchards.submit()
    post.settle()
    assert endpoints.get(made.uid).failing_since is None
    for _ in range(9):
        post.later(100_000)
        orchards.submit()
        post.settle()
    endpoint = endpoints.get(made.uid)
    assert (endpoint.is_enabled, endpoint.stopped_for) == (False, "failing")


def test_only_the_events_that_were_asked_for_are_told(post, receiver):
    endpoints.create(receiver.url, types=["job.cancelled"])
    ended()
    post.settle()
    assert [heard.type for heard in receiver.heard] == ["job.cancelled"]


def test_what_was_given_up_is_replayed_with_the_same_id(post, receiver):
    post.schedule_s = ()
    made, _ = endpoints.create(receiver.url)
    receiver.manner = "500"
    ended()
    post.settle()
    assert deliveries.count_by_state(made) == {"pending": 0, "delivered": 0, "failed": 2}
    receiver.manner = "200"
    late = Delivery.objects.order_by("pk").last()
    assert deliveries.replay_failed(made.uid, since=late.created_at + timedelta(days=1)) == 0
    assert deliveries.replay_failed(made.uid, since=late.created_at - timedelta(days=1)) == 2
    post.settle()
    assert [heard.id for heard in receiver.heard[:2]] == [heard.id for heard in receiver.accepted()]
    # And one that was heard, once more.
    deliveries.replay(made.uid, late.pk)
    post.settle()
    assert [heard.id for heard in receiver.accepted()][1:] == [late.message_id] * 2
    assert one(pk=late.pk).state == "delivered"


def test_a_rotated_key_signs_beside_the_old_one_for_a_day(post, receiver):
    made, old = endpoints.create(receiver.url)
    _, new = endpoints.rotate(made.uid)
    orchards.submit()
    post.settle()
    (heard,) = receiver.heard
    assert len(heard.headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(heard.body, heard.headers)
    Endpoint.objects.update(old_until=made.created_at)
    orchards.submit()
    post.settle()
    late = receiver.heard[-1]
    Webhook(new).verify(late.body, late.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(late.body, late.headers)


def test_a_test_message_arrives_like_all_others(post, receiver):
    made, secret = endpoints.create(receiver.url, types=["job.failed"])
    endpoints.send_test(made.uid)
    post.settle()
    (heard,) = receiver.heard
    assert Webhook(secret).verify(heard.body, heard.headers)["type"] == "webhook.test"


def test_what_is_old_and_over_is_forgotten(post, receiver):
    endpoints.create(receiver.url)
    ended()
    post.settle()
    Delivery.objects.filter(type="job.created").update(state="pending")
    assert sending.trim(post.now() + timedelta(days=1)) == 1
    assert one().type == "job.created"
