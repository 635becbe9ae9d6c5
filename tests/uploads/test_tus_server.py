"""Resumable uploads on a real web process: lines that break, lines that fall silent, big parts."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.server import Server
from tests.servers import until
from tests.uploads.parts import DOOR, OCTETS, RESUMABLE, metadata

SIZE = 12_000_000
"""More than a body may have that is kept in memory."""


@pytest.fixture(scope="module")
def sound() -> bytes:
    """Something that shows when a part of it is in the wrong place."""
    return os.urandom(SIZE)


def begun(server: Server, size: int) -> str:
    headers = RESUMABLE | {
        "Upload-Length": str(size),
        "Upload-Metadata": metadata(filename="a.wav"),
    }
    where: str = server.client.post(DOOR, headers=headers).raise_for_status().headers["Location"]
    return where


def offset(server: Server, where: str) -> int:
    return int(look(server, where)["Upload-Offset"])


def look(server: Server, where: str) -> httpx.Headers:
    return server.client.head(where, headers=RESUMABLE).raise_for_status().headers


def send(server: Server, where: str, at: int, content: Any) -> httpx.Response:
    headers = RESUMABLE | {"Upload-Offset": str(at), "Content-Type": OCTETS}
    return server.client.patch(where, content=content, headers=headers)


def part_of(server: Server, where: str, announced: int, content: bytes) -> socket.socket:
    """A connection on which less is sent than was announced."""
    line = server.connect()
    head = [
        f"PATCH {where} HTTP/1.1", "Host: localhost", f"Content-Length: {announced}",
        f"Content-Type: {OCTETS}", "Tus-Resumable: 1.0.0", "Upload-Offset: 0",
        f"Authorization: {server.headers['Authorization']}",
    ]  # fmt: skip
    line.sendall("\r\n".join([*head, "", ""]).encode() + content)
    return line


def stored(server: Server, job_id: str) -> bytes:
    (path,) = (server.data / "media" / "jobs" / job_id).glob("source*")
    return Path(path).read_bytes()


def test_a_line_that_breaks_costs_nothing_that_came_over_it(server: Server, sound: bytes):
    where = begun(server, SIZE)
    part_of(server, where, SIZE, sound[:5_000_000]).close()
    at = until(lambda: offset(server, where))
    while (rest := send(server, where, at, sound[at:])).status_code == 409:
        at = offset(server, where)  # the server still reads what had been on its way
    assert rest.status_code == 204
    assert stored(server, rest.headers["X-Orchard-Job"]) == sound
    assert look(server, where)["X-Orchard-Job"] == rest.headers["X-Orchard-Job"]


def test_a_line_that_falls_silent_is_let_go_and_what_came_is_kept(server: Server, sound: bytes):
    where = begun(server, SIZE)
    with part_of(server, where, SIZE, sound[:700_000]) as line:
        assert b" 204 " in line.recv(100)
    assert offset(server, where) == 700_000


def test_a_part_of_unknown_length_is_taken(server: Server, sound: bytes):
    where = begun(server, SIZE)
    pieces = (sound[at : at + 100_000] for at in range(0, SIZE, 100_000))
    assert stored(server, send(server, where, 0, pieces).headers["X-Orchard-Job"]) == sound


def test_a_sender_that_can_only_post_is_understood(server: Server):
    where = begun(server, 4)
    headers = RESUMABLE | {"Upload-Offset": "0", "Content-Type": OCTETS}
    headers |= {"X-HTTP-Method-Override": "PATCH"}
    assert server.client.post(where, content=b"RIFF", headers=headers).headers["X-Orchard-Job"]


def test_more_than_was_said_is_refused(server: Server):
    where = begun(server, 1_000_000)
    assert send(server, where, 0, bytes(1_000_001)).status_code == 413
    assert offset(server, where) == 0


def test_a_restarted_server_goes_on_with_what_came_before(server: Server, sound: bytes):
    where = begun(server, SIZE)
    assert send(server, where, 0, sound[:9_000_000]).status_code == 204
    server.client.close()
    server.process.kill()
    server.process.wait()
    server.start()
    assert offset(server, where) == 9_000_000
    rest = send(server, where, 9_000_000, sound[9_000_000:])
    assert stored(server, rest.headers["X-Orchard-Job"]) == sound
