"""The state side as a real web process serves it: bodies in pieces, large ones, waiting answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.server import Server
from tests.conftest import EngineServer

NOTE = "/api/v1/state/notes/a"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(
    engine_server: EngineServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A web process."""
    engine_server.client.flushdb()
    server = Server(tmp_path_factory.mktemp("data"), engine_server.url)
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _empty(server: Server) -> None:
    server.client.delete("/api/v1/state/notes")


def test_a_value_that_comes_in_pieces_counts(server: Server):
    answer = server.client.put(NOTE, content=iter([b'{"a"', b": [1, 2", b"]}"]), headers=JSON)
    assert answer.status_code == 200, answer.text
    assert server.client.get(NOTE).json() == {"a": [1, 2]}


def test_no_value_at_all_is_refused(server: Server):
    for content in (b"", iter([])):
        assert server.client.put(NOTE, content=content, headers=JSON).status_code == 400
    assert server.client.get(NOTE).status_code == 404


def test_large_values_are_413_and_larger_bodies_are_not_even_read(server: Server):
    for size in (1_100_000, 9_000_000):
        answer = server.client.put(NOTE, content=b'"' + b"x" * size + b'"', headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    answer = server.client.put(NOTE, content=b'"' + b"x" * 999_000 + b'"', headers=JSON)
    assert answer.status_code == 200


def test_of_two_writers_that_saw_the_same_one_wins_each_time(server: Server):
    tag = server.client.put(NOTE, content=b"0", headers=JSON).headers["ETag"]
    for i in range(20):
        values = (f"{2 * i}".encode(), f"{2 * i + 1}".encode())
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(_put_if, [server] * 2, values, [tag] * 2))
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        winner = answers[0] if answers[0].status_code == 200 else answers[1]
        shown = server.client.get(NOTE)
        assert shown.headers["ETag"] == winner.headers["ETag"]
        assert shown.content == values[answers.index(winner)]
        tag = winner.headers["ETag"]


def _put_if(server: Server, raw: bytes, tag: str) -> httpx.Response:
    return server.client.put(NOTE, content=raw, headers=JSON | {"If-Match": tag})


async def test_fifty_watches_wait_at_once_and_hold_nobody_up(server: Server):
    cursor = server.client.get("/api/v1/state/notes").json()["cursor"]
    path = f"/api/v1/state/notes/watch?cursor={cursor}&wait_s=30"
    limits = httpx.Limits(max_connections=60)
    async with httpx.AsyncClient(
        base_url=server.client.base_url, headers=server.headers, timeout=60, limits=limits
    ) as client:
        waiting = [asyncio.create_task(client.get(path)) for _ in range(50)]
        for _ in range(20):
            assert (await client.get("/api/v1/issues")).status_code == 200
        assert not any(one.done() for one in waiting)
        await client.put(NOTE, content=b"1", headers=JSON)
        answers = await asyncio.gather(*waiting)
    assert [[c["new"] for c in answer.json()["changes"]] for answer in answers] == [[1]] * 50


def test_a_check_out_goes_from_http_to_the_engine(server: Server, engine_server: EngineServer):
    body = {"process_id": "p1", "pid": 42, "host": "attic"}
    taken = server.client.post("/api/v1/issues/7/checkout", json=body).json()
    plain = engine_server.client.hgetall("poppo:issue:status:7")
    assert (plain[b"status"], plain[b"processId"]) == (b"processing", b"p1")
    assert engine_server.client.get("poppo:lock:issue:7") == b"p1"
    told = {"token": taken["token"], "result": {"題": "済"}}
    assert server.client.post("/api/v1/issues/7/checkin", json=told).status_code == 200
    assert engine_server.client.hgetall("poppo:issue:metadata:7") == {"題".encode(): "済".encode()}
    assert server.client.delete("/api/v1/issues/7").status_code == 200
