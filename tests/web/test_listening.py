"""The sound of a job for its page: whole, in parts, and not to strangers."""

from __future__ import annotations

import io

import pytest
from django.conf import settings
from django.core.files import File
from django.test import AsyncClient, Client, override_settings

from orchard.byte_ranges import Blocks, Unsatisfiable, parse_range
from orchard.ports import recordings
from orchard.services import run, submissions

SOUND = bytes(range(256)) * 40


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", None), ("bytes=0-", (0, 99)), ("bytes=5-9", (5, 9)), ("bytes=99-", (99, 99)),
        ("bytes=90-5000", (90, 99)), ("bytes=-10", (90, 99)), ("bytes=-500", (0, 99)),
        ("bytes = 5 - 9", (5, 9)), ("bytes=-", None), ("bytes=9-5", None), ("lines=1-2", None),
        ("bytes=1-2,5-6", None), ("bytes=a-b", None), ("bytes=" + "9" * 30 + "-", None),
    ],
)  # fmt: skip
def test_the_part_that_is_asked_for(header, part):
    assert parse_range(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", f"bytes={10**18}-"])
def test_a_part_that_there_is_not(header):
    with pytest.raises(Unsatisfiable):
        parse_range(header, 100)


async def test_blocks_of_a_part():
    stream = io.BytesIO(SOUND)
    assert b"".join([block async for block in Blocks(stream, 5, 9)]) == SOUND[5:10]
    assert b"".join([block async for block in Blocks(io.BytesIO(SOUND))]) == SOUND


@pytest.fixture
def job_id(store) -> str:
    """A job with a recording in storage."""
    name = recordings.source_name("0123456789abcdef", "talk.wav")
    recordings.save(name, File(io.BytesIO(SOUND)))
    job = run(
        submissions.create(
            "talk.wav", name, len(SOUND), owner="ann", use_purifier=True,
            job_id="0123456789abcdef",
        )
    )  # fmt: skip
    yield job.job_id
    recordings.delete(job.job_id)


@pytest.fixture
def listener(reader: Client) -> AsyncClient:
    """The browser of somebody who may look, on the event loop."""
    client = AsyncClient()
    client.cookies = reader.cookies
    return client


async def body(answer) -> bytes:
    """All that an answer says."""
    return b"".join([block async for block in answer.streaming_content])


@pytest.mark.django_db(transaction=True)
async def test_a_recording_is_heard_whole_and_in_parts(listener, job_id):
    path = f"/ui/jobs/{job_id}/audio"
    whole = await listener.get(path)
    assert (whole.status_code, whole["Content-Type"]) == (200, "audio/wav")
    assert whole["Accept-Ranges"] == "bytes"
    assert await body(whole) == SOUND
    part = await listener.get(path, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part["Content-Length"]) == (206, "1000")
    assert part["Content-Range"] == f"bytes 1000-1999/{len(SOUND)}"
    assert await body(part) == SOUND[1000:2000]
    beyond = await listener.get(path, headers={"Range": f"bytes={len(SOUND)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(SOUND)}")


@pytest.mark.django_db(transaction=True)
async def test_what_is_not_there_is_not_heard(listener, job_id):
    assert (await listener.get("/ui/jobs/none/audio")).status_code == 404
    recordings.delete(job_id)
    assert (await listener.get(f"/ui/jobs/{job_id}/audio")).status_code == 404


@pytest.mark.django_db
def test_strangers_hear_nothing(client, job_id):
    assert client.get(f"/ui/jobs/{job_id}/audio").status_code == 302


AWAY = {
    "BACKEND": "orchard.ports.object_storage.ObjectStorage",
    "OPTIONS": {
        "bucket_name": "recordings", "endpoint_url": "http://127.0.0.1:9", "region_name": "x",
        "access_key": "me", "secret_key": "pa55word",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "The storage of recordings is away"), ("ja", "録音の保存先に接続できません")],
)
def test_a_storage_that_is_away_is_said_and_is_no_fault_of_ours(reader, job_id, language, said):
    with override_settings(STORAGES=settings.STORAGES | {"default": AWAY}):
        address = f"/ui/jobs/{job_id}/audio"
        answer = reader.get(address, headers={"accept-language": language})
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert said in answer.content.decode()
    assert "127.0.0.1:9" not in answer.content.decode()
