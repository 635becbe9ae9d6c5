"""A web server that is asked to stop finishes what it has, and lets go politely who only waits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
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


class Asking(threading.Thread):
    """A request in a thread of its own, with a connection of its own."""

    def __init__(self, ask: Callable[[], httpx.Response]) -> None:
        super().__init__()
        self._ask = ask
        self.answer: httpx.Response | None = None
        self.start()

    def run(self) -> None:
        self.answer = self._ask()

    def get(self) -> httpx.Response:
        self.join(60)
        assert self.answer is not None
        return self.answer


def alone(orchard: Orchard) -> dict[str, Any]:
    headers = {"Authorization": orchard.http.headers["Authorization"]}
    return {"headers": headers, "timeout": 60}


def url(orchard: Orchard, path: str) -> str:
    return f"http://127.0.0.1:{orchard.port}{path}"


def test_an_agent_that_waits_for_work_is_answered_at_once(orchard):
    orchard.http.post("/api/v1/workers", json={"name": "w", "mode": "pull"}).raise_for_status()
    place, body = url(orchard, "/api/v1/workers/w/claim"), {"max": 1, "wait_s": 50}
    asking = Asking(lambda: httpx.post(place, json=body, **alone(orchard)))
    time.sleep(1)  # nobody can see from outside that it waits
    began = time.monotonic()
    assert orchard.terminate("web") == 0
    assert time.monotonic() - began < 4.5  # it would be cut off after 5 s
    answer = asking.get()
    assert (answer.status_code, answer.json()["chunks"]) == (200, [])


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
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with socket.create_connection(("127.0.0.1", orchard.port), timeout=30) as line:
        line.sendall(f"POST /api/v1/jobs HTTP/1.1\r\n{head}\r\n".encode() + body[:10_000])
        time.sleep(0.5)  # the server is reading
        orchard.processes["web"].terminate()
        time.sleep(0.5)
        line.sendall(body[10_000:])
        answer = b"".join(iter(lambda: line.recv(65_536), b""))
    assert b" 201 " in answer.splitlines()[0]
    assert orchard.processes.pop("web").wait(30) == 0
    orchard.start_web()
    job_id = answer.split(b'"job_id":"')[1].split(b'"')[0].decode()
    assert orchard.job(job_id)["filename"] == "talk.wav"


def test_who_takes_longer_than_there_is_time_is_told_to_come_again(orchard):
    orchard.terminate("web")
    orchard.launch("web", "manage.py", "serve", "--grace", "1")
    wait_for("the web server", orchard._is_ready)
    cursor = orchard.http.get("/api/v1/events").json()["cursor"]
    place, asked = url(orchard, "/api/v1/events"), {"cursor": cursor, "wait_s": 30}
    asking = Asking(lambda: httpx.get(place, params=asked, **alone(orchard)))
    time.sleep(1)
    assert orchard.terminate("web") == 0
    answer = asking.get()
    assert (answer.status_code, answer.json()["code"]) == (503, "restarting")
    assert int(answer.headers["Retry-After"]) > 0
