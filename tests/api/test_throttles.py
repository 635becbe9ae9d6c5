"""Counting guests."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client, RequestFactory

from orchard.api.throttles import OwnCounts, Throttle
from orchard.conf import get_conf
from orchard.guests import address_of
from tests.api.fixtures import Tokens, post_json


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch, store) -> None:
    """Limits that a test can reach."""
    monkeypatch.setattr(Throttle, "known_limit", 5)
    monkeypatch.setattr(Throttle, "stranger_limit", 3)
    monkeypatch.setattr("orchard.api.throttles.own_counts", OwnCounts())
    monkeypatch.setattr("orchard.api.throttles.time.time", lambda: 1_000_000.0)


def test_a_token_has_its_own_count(tokens: Tokens):
    one, other = (Client(headers=tokens("read", name=name)) for name in "ab")
    assert [one.get("/stats").status_code for _ in range(6)] == [200] * 5 + [429]
    assert other.get("/stats").status_code == 200
    refused = one.get("/api/v1/jobs")
    assert refused.json()["code"] == "throttled"
    assert int(refused["Retry-After"]) in range(1, 61)


def test_strangers_are_counted_too_and_stopped_earlier(db):
    client = Client()
    assert [client.get("/stats").status_code for _ in range(4)] == [401] * 3 + [429]
    guess = Client(headers={"Authorization": "Bearer guess"})
    assert guess.get("/stats").status_code == 429


HOT = "/api/v1/workers/w1/heartbeat"


def test_agents_hot_paths_have_a_limit_of_their_own(tokens: Tokens, monkeypatch):
    client = Client(headers=tokens("worker", "read"))
    codes = {post_json(client, HOT).status_code for _ in range(8)}
    assert codes == {404}
    monkeypatch.setattr(Throttle, "hot_limit", 9)
    ninth, tenth = post_json(client, HOT), post_json(client, HOT)
    assert (ninth.status_code, tenth.status_code) == (404, 429)
    assert int(tenth["Retry-After"]) in range(1, 61)
    assert client.get("/stats").status_code == 200


def test_a_new_minute_begins_anew_on_hot_paths_too(tokens: Tokens, monkeypatch):
    monkeypatch.setattr(Throttle, "hot_limit", 1)
    client = Client(headers=tokens("worker"))
    assert [post_json(client, HOT).status_code for _ in range(2)] == [404, 429]
    monkeypatch.setattr("orchard.api.throttles.time.time", lambda: 1_000_060.0)
    assert post_json(client, HOT).status_code == 404


def test_counting_on_hot_paths_takes_microseconds():
    counts, rounds = OwnCounts(), 20_000
    began = time.perf_counter()
    for number in range(rounds):
        counts.add(f"token:{number % 100}", 1)
    assert (time.perf_counter() - began) / rounds < 50e-6


def test_strangers_cannot_guess_faster_on_hot_paths(db):
    guess = Client(headers={"Authorization": "Bearer guess"})
    assert [post_json(guess, HOT).status_code for _ in range(4)] == [401] * 3 + [429]


def test_whoever_claims_to_be_passed_on_is_the_same_guest(db):
    codes = [
        Client(headers={"X-Forwarded-For": f"192.0.2.{number}"}).get("/stats").status_code
        for number in range(4)
    ]
    assert codes == [401] * 3 + [429]


@pytest.mark.parametrize(
    ("proxies", "passed_on", "address"),
    [
        (0, "192.0.2.1", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "evil, 192.0.2.1", "192.0.2.1"),
        (2, "evil, 192.0.2.1, 10.0.0.9", "192.0.2.1"),
        (2, "192.0.2.1", "192.0.2.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
        (1, "nobody", None),
    ],
)
def test_guests_are_counted_by_what_our_own_proxies_say(proxies, passed_on, address, monkeypatch):
    conf = replace(get_conf(), proxies=proxies)
    monkeypatch.setattr("orchard.guests.get_conf", lambda: conf)
    headers = {"X-Forwarded-For": passed_on} if passed_on else {}
    assert address_of(RequestFactory(headers=headers).get("/")) == address


@pytest.mark.parametrize("fault", [ConnectionError, ValueError])
def test_nobody_is_stopped_while_the_cache_is_away(tokens: Tokens, monkeypatch, fault):
    def away(*args, **kwargs):
        raise fault

    monkeypatch.setattr(LocMemCache, "incr", away)
    monkeypatch.setattr(LocMemCache, "add", lambda *args, **kwargs: False)
    client = Client(headers=tokens("read"))
    assert {client.get("/stats").status_code for _ in range(8)} == {200}
