"""Clocks: the server's time by measurement, and time that tests advance."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from statecore.store import ops
from statecore.store.clock import EPOCH, Clock, ManualClock, MeasuredClock

HOUR_US = 3_600_000_000


class Monotonic:
    """The time since the host has started, in µs, moved by the test."""

    def __init__(self):
        self.us = 5_000_000

    def __call__(self):
        return self.us


def test_the_own_clock_does_not_follow_a_host_clock_that_jumps(monkeypatch):
    clock = Clock()
    before = clock.now()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert timedelta(0) <= clock.now() - before < timedelta(seconds=5)


def test_a_server_in_another_time_is_followed():
    monotonic = Monotonic()
    clock = MeasuredClock(monotonic)
    clock.learn(HOUR_US, monotonic.us - 200, monotonic.us)
    assert clock.now() == EPOCH + timedelta(hours=1)
    monotonic.us += 2_000_000
    assert clock.now() == EPOCH + timedelta(hours=1, seconds=2)


def test_a_slow_answer_does_not_spoil_a_good_measurement():
    monotonic = Monotonic()
    clock = MeasuredClock(monotonic)
    clock.learn(HOUR_US, monotonic.us, monotonic.us)
    clock.learn(HOUR_US + 1_000, monotonic.us - 400_000, monotonic.us)
    assert clock.now() == EPOCH + timedelta(hours=1)


def test_a_server_clock_that_was_set_is_followed_at_once():
    monotonic = Monotonic()
    clock = MeasuredClock(monotonic)
    clock.learn(HOUR_US, monotonic.us, monotonic.us)
    clock.learn(2 * HOUR_US, monotonic.us - 100_000, monotonic.us)
    assert abs(clock.now() - (EPOCH + timedelta(hours=2))) <= timedelta(milliseconds=51)


def test_a_measurement_is_fresh_for_a_while():
    monotonic = Monotonic()
    clock = MeasuredClock(monotonic)
    assert not clock.is_fresh
    clock.learn(HOUR_US, monotonic.us, monotonic.us)
    assert clock.is_fresh
    assert not clock.is_ageing
    monotonic.us += MeasuredClock.FRESH_US
    assert not clock.is_fresh
    assert clock.is_ageing


def test_the_redis_store_knows_the_servers_time(redis_store, engine_server):
    seconds, micros = engine_server.client.time()
    server = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)
    assert abs(redis_store.now() - server) < timedelta(seconds=1)


def test_a_commit_freshens_the_clock_in_passing(redis_store):
    redis_store.commit({}, [ops.Set("a", b"1")])
    assert redis_store.clock.is_fresh


def test_lifetimes_and_leases_of_the_memory_store_follow_its_clock(
    memory_store, clock: ManualClock
):
    memory_store.commit({}, [ops.Set("a", b"1", 1000), ops.SortedAdd("q", {"m": 1.0})])
    assert memory_store.take("q", "l", 1, 1000) == ["m"]
    clock.advance(0.999)
    assert memory_store.read(ops.Key("a")) == [b"1"]
    assert memory_store.take("q", "l", 1, 1000) == []
    clock.advance(0.001)
    assert memory_store.read(ops.Key("a")) == [None]
    assert memory_store.take("q", "l", 1, 1000) == ["m"]
