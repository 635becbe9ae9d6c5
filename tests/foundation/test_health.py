"""Health: alive is one thing, ready another."""

from __future__ import annotations

from django.test import Client

from orchard.services import engine
from statecore.store.memory import MemoryStore
from statecore.store.redis import RedisStore


def test_a_process_that_answers_is_alive():
    assert Client().get("/healthz").json() == {"status": "alive"}


def test_ready_means_that_the_engine_answers(memory_store: MemoryStore):
    before = engine.use(memory_store)
    try:
        answer = Client().get("/readyz")
    finally:
        engine.use(before)
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_without_the_engine_nobody_is_ready_and_the_reason_is_told():
    away = RedisStore("redis://:pa55word@127.0.0.1:1/0")
    before = engine.use(away)
    try:
        answer = Client().get("/readyz")
        assert Client().get("/healthz").status_code == 200
    finally:
        engine.use(before)
        away.close()
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) >= 1
    assert answer.json()["status"] == "not ready"
    assert answer.json()["reason"]
    assert "pa55word" not in answer.content.decode()
