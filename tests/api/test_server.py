"""The API as a real web process serves it: limits, lost connections, an engine that comes back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchard.services import engine, pipeline, run
from statecore.store.redis import RedisStore
from tests.api.server import Server
from tests.conftest import EngineServer
from tests.services.orchards import processing

LIMIT = 3_000_000
"""Upload limit of the server under test, in bytes."""
SMALL = 8_000_000


@pytest.fixture(scope="module")
def engine_of_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    """The engine behind the server, which tests stop and start."""
    engine = EngineServer(tmp_path_factory.mktemp("engine"))
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture(scope="module")
def server(
    engine_of_server: EngineServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A web process with a small limit for uploads."""
    data = tmp_path_factory.mktemp("data")
    server = Server(data, engine_of_server.url, ORCHARD_UPLOAD_MAX_BYTES=str(LIMIT))
    server.start()
    yield server
    server.stop()


def files(server: Server) -> list[Path]:
    """What uploads have left on the disk."""
    return [path for path in (server.data / "media").rglob("*") if path.is_file()]


def left_alone(server: Server, before: list[Path]) -> None:
    """Nothing more lies there than before, as soon as the server has put its tools away."""
    stop = time.monotonic() + 5
    while files(server) != before:
        assert time.monotonic() < stop
        time.sleep(0.02)


def head(server: Server, *lines: str, token: bool = True) -> bytes:
    """The beginning of an upload."""
    all_lines = ["POST /submit HTTP/1.1", "Host: localhost", *lines]
    all_lines += ["Content-Type: multipart/form-data; boundary=x"]
    if token:
        all_lines += [f"Authorization: {server.headers['Authorization']}"]
    return ("\r\n".join(all_lines) + "\r\n\r\n").encode()


def answer_of(connection) -> tuple[int, dict]:
    """Status and JSON of an answer, up to the end of the connection or its JSON."""
    raw = b""
    while b"}" not in raw and (block := connection.recv(65_536)):
        raw += block
    first, _, rest = raw.partition(b"\r\n")
    return int(first.split()[1]), json.loads(rest.partition(b"\r\n\r\n")[2])


def chunked(block: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(block), block)


def submit(server: Server, size: int = 1000) -> str:
    answer = server.client.post("/submit", files={"file": ("a.wav", b"x" * size, "audio/wav")})
    assert answer.status_code == 200, answer.text
    return answer.json()["job_id"]


def test_a_recording_is_taken_from_http_to_storage(server: Server):
    job_id = submit(server, 2_900_000)
    stored = server.data / "media" / "jobs" / job_id / "source.wav"
    assert stored.stat().st_size == 2_900_000
    assert server.client.get(f"/jobs/{job_id}").json()["size"] == 2_900_000
    assert list((server.data / "media" / "tmp").iterdir()) == []


def test_a_body_that_announces_too_much_is_refused_before_it_comes(server: Server):
    with server.connect() as connection:
        connection.sendall(head(server, "Content-Length: 2000000000"))
        status, body = answer_of(connection)
    assert (status, body["code"]) == (413, "too_large")


def test_a_client_that_asks_first_is_never_told_to_go_on(server: Server):
    with server.connect() as connection:
        lines = ("Content-Length: 2000000000", "Expect: 100-continue")
        connection.sendall(head(server, *lines))
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_grows_too_large_is_cut_off_and_leaves_nothing(server: Server):
    before = files(server)
    with server.connect() as connection:
        connection.sendall(head(server, "Transfer-Encoding: chunked"))
        try:
            for _ in range(1000):
                connection.sendall(chunked(b"x" * 100_000))
        except OSError:
            pass
        else:
            pytest.fail("a hundred megabytes were taken")
    left_alone(server, before)
    assert server.client.get("/healthz").status_code == 200


def test_a_file_over_the_limit_within_the_forms_margin_is_413(server: Server):
    before = server.client.get("/api/v1/jobs").json()["count"]
    upload = {"file": ("a.wav", b"x" * (LIMIT + 1), "audio/wav")}
    for path in ("/submit", "/api/v1/jobs"):
        assert server.client.post(path, files=upload).status_code == 413
    assert server.client.get("/api/v1/jobs").json()["count"] == before


def test_other_bodies_are_small(server: Server):
    with server.connect() as connection:
        start = head(server, f"Content-Length: {SMALL + 1}").replace(b"/submit", b"/api/v1/workers")
        connection.sendall(start)
        assert answer_of(connection)[0] == 413


@pytest.mark.parametrize("header", [[], ["Cookie: sessionid=nobody"], ['Cookie: =;;;"']])
def test_a_strangers_body_of_unknown_length_is_not_read(server: Server, header: list[str]):
    with server.connect() as connection:
        connection.sendall(head(server, "Content-Length: 2", token=False) + b"ab")
        assert answer_of(connection)[0] == 401  # small enough to be looked at by the view
    with server.connect() as connection:
        connection.sendall(head(server, "Content-Length: 3500000", *header, token=False))
        connection.sendall(b"x" * 3_500_000)
        assert answer_of(connection)[0] == 401


def test_half_an_upload_leaves_nothing(server: Server):
    before, count = files(server), server.client.get("/api/v1/jobs").json()["count"]
    with server.connect() as connection:
        connection.sendall(head(server, "Content-Length: 2000000") + b"--x\r\n" + b"y" * 900_000)
    assert server.client.get("/api/v1/jobs").json()["count"] == count
    left_alone(server, before)


def register(server: Server, name: str) -> None:
    assert server.client.post("/api/v1/workers", json={"name": name}).status_code in (200, 201)


def test_a_hundred_waiting_claims_leave_the_server_free(server: Server):
    register(server, "many")
    body = b'{"wait_s": 20}'
    lines = [
        "POST /api/v1/workers/many/claim HTTP/1.1", "Host: localhost",
        "Content-Type: application/json", f"Content-Length: {len(body)}",
        f"Authorization: {server.headers['Authorization']}",
    ]  # fmt: skip
    request = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
    connections = [server.connect() for _ in range(100)]
    try:
        for connection in connections:
            connection.sendall(request)
        time.sleep(0.5)
        assert server.client.get("/stats").status_code == 200
    finally:
        for connection in connections:
            connection.close()
    stop = time.monotonic() + 10
    while count_threads(server) > 12:  # whoever hung up waits no longer
        assert time.monotonic() < stop
        time.sleep(0.05)


def count_threads(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("Threads:")[2].split()[0])


def test_when_the_engine_is_back_everything_goes_on(server: Server, engine_of_server: EngineServer):
    job_id = submit(server)
    register(server, "w1")
    engine_of_server.kill()
    for path in ("/stats", "/jobs", "/api/v1/events?cursor=$"):
        away = server.client.get(path)
        assert (away.status_code, away.headers["Retry-After"]) == (503, "2"), path
    claim = server.client.post("/api/v1/workers/w1/claim", json={"wait_s": 5})
    assert (claim.status_code, claim.json()["code"]) == (503, "engine_away")
    before = files(server)
    upload = {"file": ("a.wav", b"x" * 1000, "audio/wav")}
    assert server.client.post("/submit", files=upload).status_code == 503
    left_alone(server, before)
    engine_of_server.start()
    stop = time.monotonic() + 10
    while server.client.get("/stats").status_code == 503:
        assert time.monotonic() < stop
        time.sleep(0.05)
    assert server.client.get(f"/jobs/{job_id}").json()["job_id"] == job_id
    assert server.client.post("/api/v1/workers/w1/claim", json={}).json()["chunks"] == []


def test_static_files_come_whole(server: Server):
    page = server.client.get("/api/v1/docs").text
    start = page.index("/static/")
    style = page[start : page.index('"', start)]
    answer = server.client.get(style)
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"])


def test_claims_from_many_threads_never_share_a_chunk(
    server: Server, engine_of_server: EngineServer
):
    store = RedisStore(engine_of_server.url)
    before = engine.use(store)
    while run(pipeline.claim_stage("p0")):  # jobs of other tests
        pass
    processing(12)
    engine.use(before)
    store.close()
    names: list[str] = []

    def agent(number: int) -> None:
        register(server, f"t{number}")
        found = server.client.post(f"/api/v1/workers/t{number}/claim", json={"max": 2}).json()
        names.extend(chunk["chunk_id"] for chunk in found["chunks"])

    threads = [threading.Thread(target=agent, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == len(set(names)) == 12
