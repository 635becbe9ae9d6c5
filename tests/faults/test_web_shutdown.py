"""A web server that is asked to stop finishes what it has, and lets go politely who only waits."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from tests import recordings
from tests.faults.orchard_processes import Orchard, running, wait_for

RESTART = 1012
"""The close code of a service that restarts (RFC 6455, IANA's list)."""


@pytest.fixture(scope="module")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchard]:
    with running(tmp_path_factory.mktemp("shutdown") / "data") as one:
        yield one


@pytest.fixture(autouse=True)
def _running_web(orchard: Orchard) -> Iterator[None]:
    """Every test ends with a web server for the next."""
    yield
    if "web" not in orchard.processes:
        orchard.start_web()


def alone(orchard: Orchard) -> dict[str, Any]:
    headers = {"Authorization": orchard.http.headers["Authorization"]}
    return {"headers": headers, "timeout": 60}


def url(orchard: Orchard, path: str) -> str:
    return f"http://127.0.0.1:{orchard.port}{path}"


def begin(orchard: Orchard, request: httpx.Request) -> socket.socket:
    """Send the head of a request; the server has asked for the body when this returns.

    It asks (``100 Continue``, RFC 9110 section 10.1.1) when the code that answers reads it.
    """
    line = socket.create_connection(("127.0.0.1", orchard.port), timeout=60)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    place = request.url.raw_path.decode()
    line.sendall(
        f"{request.method} {place} HTTP/1.1\r\n{head}Expect: 100-continue\r\n\r\n".encode()
    )
    said = b""
    while not said.endswith(b"\r\n\r\n"):
        said += line.recv(1)
    assert said.startswith(b"HTTP/1.1 100 "), said
    return line


def answered(line: socket.socket) -> bytes:
    """All that the server says until it hangs up."""
    return b"".join(iter(lambda: line.recv(65_536), b""))


def takes_nobody(orchard: Orchard) -> bool:
    """Whether the server takes no new connections: it knows that it is to end."""
    try:
        socket.create_connection(("127.0.0.1", orchard.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_an_agent_that_waits_for_work_is_answered_at_once(orchard):
    orchard.http.post("/api/v1/workers", json={"name": "w", "mode": "pull"}).raise_for_status()
    request = httpx.Request(
        "POST", url(orchard, "/api/v1/workers/w/claim"), headers=alone(orchard)["headers"],
        json={"max": 1, "wait_s": 50},
    )  # fmt: skip
    with begin(orchard, request) as line:
        line.sendall(request.read())
        began = time.monotonic()
        assert orchard.terminate("web") == 0
        assert time.monotonic() - began < 20  # it would wait longer; cut off, it were not answered
        answer = answered(line)
    assert b" 200 " in answer.splitlines()[0]
    assert b'"chunks":[]' in answer


@pytest.mark.parametrize("place", ["/api/v1/events", "/api/v1/state/notes/watch"])
def test_who_waits_for_news_is_answered_at_once(orchard, place):
    cursor = orchard.http.get("/api/v1/events", params={"cursor": "$"}).json()["cursor"]
    request = httpx.Request(
        "GET", url(orchard, place), headers=alone(orchard)["headers"],
        params={"cursor": cursor, "wait_s": 30}, content=b"{}",
    )  # fmt: skip
    with begin(orchard, request) as line:
        line.sendall(b"{}")
        wait_for("the wait for news", lambda: is_waiting(orchard))
        began = time.monotonic()
        assert orchard.terminate("web") == 0
        assert time.monotonic() - began < 20  # it would wait longer; cut off, it were not answered
        head, _, body = answered(line).partition(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0]
    assert b'"reset":false' in body


def is_waiting(orchard: Orchard) -> bool:
    """Whether somebody waits for events at the engine."""
    return any("b" in client["flags"] for client in orchard.engine.client_list())


def test_a_socket_is_told_that_the_server_restarts(orchard):
    place = f"ws://127.0.0.1:{orchard.port}/ws/live/?topic=fleet"
    headers = alone(orchard)["headers"]
    with connect(place, additional_headers=headers, origin=url(orchard, "")) as live:
        assert orchard.terminate("web") == 0
        with pytest.raises(ConnectionClosedError):
            list(live)
    assert live.close_code == RESTART


def test_an_upload_at_hand_is_finished_and_its_job_is_there(orchard, tmp_path):
    made = recordings.build([1.0])
    path = recordings.write_wav(made.samples, tmp_path / "talk.wav")
    request = httpx.Request(
        "POST", url(orchard, "/api/v1/jobs"), headers=alone(orchard)["headers"],
        files={"file": ("talk.wav", path.read_bytes())},
    )  # fmt: skip
    body = request.read()
    with begin(orchard, request) as line:
        line.sendall(body[:10_000])
        orchard.processes["web"].terminate()
        wait_for("the web server to take nobody new", lambda: takes_nobody(orchard))
        line.sendall(body[10_000:])
        answer = answered(line)
    assert b" 201 " in answer.splitlines()[0]
    assert orchard.processes.pop("web").wait(30) == 0
    orchard.start_web()
    job_id = answer.split(b'"job_id":"')[1].split(b'"')[0].decode()
    assert orchard.job(job_id)["filename"] == "talk.wav"
    orchard.http.delete(f"/api/v1/jobs/{job_id}").raise_for_status()  # no work for other tests


def test_who_takes_longer_than_there_is_time_is_told_to_come_again(orchard):
    orchard.terminate("web")
    orchard.launch("web", "manage.py", "serve", "--grace", "1")
    wait_for("the web server", orchard._is_ready)
    lock = url(orchard, "/api/v1/locks/press")
    orchard.http.put(lock, json={"owner": "ann"}).raise_for_status()
    request = httpx.Request(
        "PUT", lock, headers=alone(orchard)["headers"], json={"owner": "bob", "wait_s": 30}
    )
    with begin(orchard, request) as line:
        line.sendall(request.read())
        assert orchard.terminate("web") == 0
        head, _, body = answered(line).partition(b"\r\n\r\n")
    assert b" 503 " in head.splitlines()[0]
    assert json.loads(body)["code"] == "restarting"
    assert int(head.lower().split(b"retry-after: ")[1].split()[0]) > 0
