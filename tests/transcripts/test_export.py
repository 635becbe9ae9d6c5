"""Many transcripts are one zip, sent as it is made; its names are safe and no two the same."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from django.test import AsyncClient, Client

from orchard.api import exporting as api
from orchard.domain.jobs import Job, create_job
from orchard.services import exporting, run, submissions
from orchard.services.exporting import LEFT_OUT, Names, safe_stem
from tests.services import orchards
from tests.transcripts.worlds import finished

PATH = "/api/v1/jobs/export"


def opened(pieces: bytes) -> dict[str, str]:
    """The files of a zip; a damaged one is no zip."""
    with zipfile.ZipFile(io.BytesIO(pieces)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def _whole(answer: Any) -> bytes:
    return b"".join([piece async for piece in answer.streaming_content])


async def test_the_transcripts_that_are_found_are_one_zip(async_reader: AsyncClient):
    from asgiref.sync import sync_to_async

    job_id = await sync_to_async(finished)()
    await sync_to_async(orchards.submit)()
    answer = await async_reader.get(PATH, {"format": "srt"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert answer["Content-Disposition"] == 'attachment; filename="transcripts-srt.zip"'
    files = opened(await _whole(answer))
    assert files == {"talk.srt": "1\n00:00:00,100 --> 00:00:00,900\nhello there\n\n"}
    answer = await async_reader.get(PATH, {"ids": job_id, "format": "json", "words": "1"})
    whole = msgspec.json.decode(opened(await _whole(answer))["talk.json"])
    assert len(whole["segments"][0]["words"]) == 2


def made(*job_ids: str) -> dict[str, str]:
    return opened(b"".join(exporting.export(api._named(list(job_ids)), "txt", shown)))


def shown(view: Any) -> str:
    return str(view.transcript.text)


def test_jobs_of_one_name_have_files_of_two_and_others_are_told_of(client: Client):
    first, second = finished(), finished()
    waiting = orchards.submit().job_id
    files = made(first, waiting, second, first)
    assert list(files) == ["talk.txt", f"talk-{second}.txt", LEFT_OUT]
    assert files[LEFT_OUT] == f"{waiting}\ttalk.wav\tthe job is created\n"


def test_a_job_that_goes_away_meanwhile_is_told_of(client: Client):
    job_id = finished()
    jobs = api._named([job_id])
    run(submissions.remove(job_id))
    files = opened(b"".join(exporting.export(jobs, "txt", shown)))
    assert files == {LEFT_OUT: f"{job_id}\ttalk.wav\tJob not found\n"}


def test_nothing_found_is_an_empty_zip(client: Client):
    assert opened(b"".join(exporting.export([], "txt", shown))) == {}


@pytest.mark.parametrize(
    ("query", "status"),
    [({"format": "doc"}, 400), ({"format": "txt", "rules": "1"}, 400), ({"status": "odd"}, 400)],
)  # fmt: skip
def test_what_cannot_be_exported_is_refused_before_anything_is_sent(
    client: Client, query: dict[str, Any], status: int
):
    assert client.get(PATH, query).status_code == status


def test_a_job_that_there_is_not_is_named(client: Client):
    answer = client.get(PATH, {"ids": f"{finished()},{'0' * 16}"})
    assert (answer.status_code, "0" * 16 in answer.json()["error"]) == (404, True)
    assert client.get(PATH, {"ids": ",".join(["a"] * 201)}).status_code == 400


def test_more_jobs_than_one_zip_may_hold_are_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(api, "MOST_JOBS", 1)
    finished()
    assert client.get(PATH).status_code == 200
    finished()
    answer = client.get(PATH)
    assert (answer.status_code, "more than 1 jobs" in answer.json()["error"]) == (400, True)


def named(name: str, job_id: str = "0" * 16) -> Job:
    return create_job(
        job_id, name, "", 5, owner="", use_purifier=True, language="",
        at=datetime(2026, 1, 1, tzinfo=UTC),
    ).job  # fmt: skip


@pytest.mark.parametrize(
    ("name", "stem"),
    [("../../etc/passwd", "passwd"), ("a:b*c?.wav", "a_b_c_"), ("con.wav", "_con"),
     ("COM1.mp3", "_COM1"), ("会議.mp3", "会議"), ("...", "recording"),
     ("x" * 300 + ".wav", "x" * 120), ("a\\b.wav", "a_b"), ("trailing. .wav", "trailing")],
)  # fmt: skip
def test_names_are_such_that_every_system_has_them(name: str, stem: str):
    assert safe_stem(name) == stem
    assert not set(safe_stem(name)) & set('/\\<>:"|?*\0')


def test_names_that_differ_in_case_alone_are_two():
    names = Names("txt")
    given = [names.name_of(named("Talk.wav", "a")), names.name_of(named("tALK.mp3", "b"))]
    assert given == ["Talk.txt", "tALK-b.txt"]
    assert names.name_of(named("left-out.wav", "c")) == "left-out-c.txt"
