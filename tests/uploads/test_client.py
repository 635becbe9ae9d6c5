"""The client sends large recordings in parts, and goes on after broken connections."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest

from orchard_client import Client, sending
from orchard_client.errors import InvalidInput, NotFound
from tests.api.server import Server
from tests.client.shell import spawn
from tests.uploads.bad_lines import BadLine
from tests.uploads.test_tus_server import stored

SOUND = os.urandom(12_000_000)


@pytest.fixture
def token(server: Server) -> str:
    return (server.data / "token").read_text().strip()


@pytest.fixture
def orchard(server: Server, token: str) -> Iterator[Client]:
    """A client with all rights."""
    with Client(f"http://127.0.0.1:{server.port}", token) as client:
        yield client


def test_a_recording_gets_through_a_line_that_breaks(server: Server, token: str):
    told: list[tuple[int, int]] = []
    with (
        BadLine(server.port, breaks=3, after_bytes=2_000_000) as line,
        Client(f"http://127.0.0.1:{line.port}", token) as client,
    ):
        job = client.jobs.submit(
            io.BytesIO(SOUND), name="talk.wav", language="en", resumable=True, idempotency_key="k",
            progress=lambda *so_far: told.append(so_far),
        )  # fmt: skip
        again = client.jobs.submit(io.BytesIO(b"x"), name="other.wav", idempotency_key="k")
    assert line.broken == 3
    assert (job.filename, job.language) == ("talk.wav", "en")
    assert stored(server, job.job_id) == SOUND
    assert told[-1] == (len(SOUND), len(SOUND))
    assert again.job_id == job.job_id


def test_large_recordings_go_in_parts_by_themselves(
    orchard: Client, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sending, "RESUMABLE_FROM", 1000)
    monkeypatch.setattr(sending, "PART_BYTES", 300)
    path = tmp_path / "long.wav"
    path.write_bytes(SOUND[:1000])
    told: list[int] = []
    job = orchard.jobs.submit(path, progress=lambda sent, _: told.append(sent))
    assert told == [300, 600, 900, 1000]
    assert job.filename == "long.wav"


def test_what_is_wrong_with_a_recording_is_said_before_it_is_sent(orchard: Client):
    told: list[int] = []
    with pytest.raises(InvalidInput, match="language"):
        orchard.jobs.submit(
            io.BytesIO(SOUND), name="a.wav", language="xx", resumable=True,
            progress=lambda sent, _: told.append(sent),
        )  # fmt: skip
    assert told == []


def test_single_steps_of_an_upload_can_be_taken(orchard: Client):
    begun = orchard.uploads.begin(10, "a.wav", {"language": "en"}, first=b"abc")
    assert (begun.offset, begun.size, begun.job_id) == (3, 10, None)
    assert orchard.uploads.send_part(begun.upload_id, b"de", 3) == 5
    assert orchard.uploads.get(begun.upload_id).offset == 5
    orchard.uploads.give_up(begun.upload_id)
    with pytest.raises(NotFound):
        orchard.uploads.get(begun.upload_id)


def test_the_command_line_sends_in_parts_when_asked_to(server: Server, token: str, tmp_path):
    path = tmp_path / "talk.wav"
    path.write_bytes(SOUND)
    env = {"ORCHARD_URL": f"http://127.0.0.1:{server.port}", "ORCHARD_TOKEN": token}
    ended = spawn(env, "submit", str(path), "--resumable")
    assert ended.returncode == 0, ended.stderr
    assert stored(server, ended.stdout.strip()) == SOUND
