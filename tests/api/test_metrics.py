"""``/metrics``: what Prometheus is told, in its own formats."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client
from prometheus_client.openmetrics import parser as openmetrics

from orchard.metrics import traffic
from orchard.services import engine, run, samples
from orchard.services.figures import MOST_WORKERS
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore
from statecore.store.redis import RedisStore
from tests.api.fixtures import Tokens
from tests.api.metric_site import plant, scrape
from tests.services import orchards


def test_the_fleet_is_told_in_figures(store: Store, tokens: Tokens):
    plant()
    told = scrape(tokens)
    assert told["orchard_engine_up"] == {(): 1}
    assert told["orchard_jobs"][("processing",)] == 1
    assert told["orchard_jobs"][("created",)] == 1
    assert told["orchard_stages_waiting"] == {(): 1}
    assert told["orchard_chunks_waiting"] == {(): 2}
    assert told["orchard_chunks_leased"] == {(): 1}
    assert told["orchard_chunks_completed_total"] == {(): 1}
    assert told["orchard_chunks_failed_total"] == {(): 0}
    assert told["orchard_workers"] == {("online",): 1, ("busy",): 1, ("offline",): 0}
    assert told["orchard_workers_by_mode"] == {("pull", "online"): 1, ("pull", "busy"): 1}
    assert told["orchard_worker_pace_ratio"].keys() == {("w1",)}
    assert told["orchard_worker_chunks_completed_total"] == {("w1",): 1, ("w2",): 0}
    assert told["orchard_dispatchers"] == {(): 1}


def test_the_state_is_told_in_figures(store: Store, tokens: Tokens):
    plant()
    told = scrape(tokens)
    assert told["orchard_issues"][("processing",)] == 1
    assert told["orchard_issues_orphaned"] == {(): 0}
    assert told["orchard_processes"] == {(): 1}
    assert told["orchard_label_requests"].keys() == {("queued",), ("sent",), ("failed",)}
    assert told["orchard_state_entries"][()] >= 1
    assert told["orchard_logs_bytes"][()] >= 0


def test_ages_are_seconds_since_the_oldest_was_created(
    store: MemoryStore, clock: ManualClock, tokens: Tokens
):
    assert "orchard_stage_oldest_age_seconds" not in scrape(tokens)
    orchards.submit()
    clock.advance(90)
    orchards.submit()
    told = scrape(tokens)
    assert told["orchard_stage_oldest_age_seconds"] == {(): 90}
    assert told["orchard_job_oldest_age_seconds"] == {("created",): 90}


def test_counters_go_on_where_another_process_left_off(store: Store, tokens: Tokens):
    plant()
    run(samples.take_sample(""))  # a pipeline process that begins to count now
    assert scrape(tokens)["orchard_chunks_completed_total"] == {(): 1}


def test_without_the_engine_only_that_is_told(tokens: Tokens):
    away = RedisStore("redis://127.0.0.1:1/0")
    before = engine.use(away)
    try:
        told = scrape(tokens)
    finally:
        engine.use(before)
        away.close()
    assert told["orchard_engine_up"] == {(): 0}
    assert "orchard_jobs" not in told
    assert "orchard_issues" not in told
    assert told["process_start_time_seconds"][()] > 0


def test_openmetrics_is_spoken_to_those_who_ask_for_it(store: Store, tokens: Tokens):
    plant()
    accept = {"Accept": "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5"}
    answer = Client(headers=tokens("read") | accept).get("/metrics")
    assert answer["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = list(openmetrics.text_string_to_metric_families(answer.content.decode()))
    assert {"orchard_jobs", "orchard_chunks_completed", "orchard_engine"} <= {
        family.name for family in families
    }


@pytest.mark.parametrize("accept", ["", "text/html", "*/*", "application/openmetrics-text", "\xff"])
def test_whoever_asks_for_something_else_is_told_all_the_same(
    store: Store, tokens: Tokens, accept: str
):
    answer = Client(headers=tokens("read") | {"Accept": accept}).get("/metrics")
    assert answer.status_code == 200
    assert b"orchard_engine_up 1.0\n" in answer.content


class CountingStore(MemoryStore):
    """A memory store that knows how much it was asked, in requests and places."""

    asked = 0

    def perform(self, request: ops.Request) -> Any:
        self.asked += len(request.refs) if isinstance(request, ops.Read) else 1
        return super().perform(request)


def test_what_a_scrape_asks_of_the_engine_does_not_grow_with_the_jobs(tokens: Tokens):
    counting = CountingStore(ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    before = engine.use(counting)
    try:
        costs = []
        for jobs in (1, 300):
            for _ in range(jobs):
                orchards.submit()
            counting.asked = 0
            told = scrape(tokens)
            costs.append(counting.asked)
    finally:
        engine.use(before)
    assert told["orchard_jobs"][("created",)] == 301
    # Eight reads measure how fast the engine is, unless that was done a moment ago.
    assert 0 < costs[1] <= costs[0]


def test_a_large_fleet_is_counted_and_not_told_one_by_one(store: Store, tokens: Tokens):
    for i in range(MOST_WORKERS + 1):
        orchards.worker(f"w{i}")
    told = scrape(tokens)
    assert told["orchard_workers"][("online",)] == MOST_WORKERS + 1
    assert "orchard_worker_chunks_completed_total" not in told


def test_requests_are_counted_by_route_and_not_by_address(store: Store, tokens: Tokens):
    client = Client(headers=tokens("read"))
    route = ("GET", "/api/v1/jobs/<str:job_id>", "404")
    seen = scrape(tokens)
    before = seen.get("orchard_http_requests_total", {}).get(route, 0)
    timed = seen.get("orchard_http_request_duration_seconds_count", {}).get(route[:2], 0)
    for name in ("a", "b"):
        client.get(f"/api/v1/jobs/{name}")
    client.generic("BREW", "/nowhere-at-all")
    told = scrape(tokens)
    assert told["orchard_http_requests_total"][route] == before + 2
    assert ("other", traffic.NO_ROUTE, "404") in told["orchard_http_requests_total"]
    assert told["orchard_http_request_duration_seconds_count"][route[:2]] == timed + 2
    assert not any("nowhere" in label for labels in told["orchard_http_requests_total"]
                   for label in labels)  # fmt: skip


async def test_sockets_are_counted_while_they_are_open():
    async def until_disconnected(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await receive()

    before = traffic.own.get_sample_value("orchard_live_sockets")
    app = traffic.CountedSockets(until_disconnected)
    socket = ApplicationCommunicator(app, {"type": "websocket"})
    await socket.receive_output()
    assert traffic.own.get_sample_value("orchard_live_sockets") == before + 1
    await socket.send_input({"type": "websocket.disconnect"})
    await socket.wait()
    assert traffic.own.get_sample_value("orchard_live_sockets") == before
