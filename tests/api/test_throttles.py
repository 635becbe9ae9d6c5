"""Counting guests."""

from __future__ import annotations

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client

from orchard.api.throttles import Throttle
from tests.api.fixtures import Tokens, post_json


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch, store) -> None:
    """Limits that a test can reach."""
    monkeypatch.setattr(Throttle, "known_limit", 5)
    monkeypatch.setattr(Throttle, "stranger_limit", 3)
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


def test_agents_hot_paths_are_not_counted(tokens: Tokens):
    client = Client(headers=tokens("worker"))
    codes = {post_json(client, "/api/v1/workers/w1/heartbeat").status_code for _ in range(8)}
    assert codes == {404}


@pytest.mark.parametrize("fault", [ConnectionError, ValueError])
def test_nobody_is_stopped_while_the_cache_is_away(tokens: Tokens, monkeypatch, fault):
    def away(*args, **kwargs):
        raise fault

    monkeypatch.setattr(LocMemCache, "incr", away)
    monkeypatch.setattr(LocMemCache, "add", lambda *args, **kwargs: False)
    client = Client(headers=tokens("read"))
    assert {client.get("/stats").status_code for _ in range(8)} == {200}
