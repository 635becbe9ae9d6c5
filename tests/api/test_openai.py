"""``/v1/``: what is refused, in OpenAI's shape, and what a job becomes on its way to an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client

from orchard.api import openai
from orchard.conf import get_conf
from orchard.domain.languages import NAMES
from orchard.domain.timeline import Span
from orchard.ports import recordings
from orchard.services import arun, pipeline, queries, run, submissions
from orchard.tokens import create_token
from statecore.services.waiting import end_waits
from tests.api.fixtures import TokenClient, wav
from tests.services import orchards

PATH = "/v1/audio/transcriptions"
GRANULARITIES = "timestamp_granularities[]"
Limits = Callable[..., None]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Says some settings otherwise, for the door under test."""

    def change(**changes: Any) -> None:
        conf = replace(get_conf(), **changes)
        monkeypatch.setattr(openai, "get_conf", lambda: conf)

    return change


@pytest.fixture
def waiter(transactional_db: None, store: Any) -> AsyncClient:
    """A program that may hand in recordings, and nothing else."""
    return TokenClient(create_token("phones", ["submit"])[1])


def form(**more: Any) -> dict[str, Any]:
    return {"file": wav(), "model": "whisper-1"} | more


@pytest.mark.parametrize(
    ("changes", "param", "code", "words"),
    [
        ({"file": None}, "file", "required", "No file provided"),
        ({"file": "text"}, "file", "invalid", "file"),
        ({"model": None}, "model", "required", "required"),
        ({"language": "xx"}, "language", "invalid_language_format", "'xx'"),
        ({"language": "english"}, "language", "invalid_language_format", "ISO 639-1"),
        ({"response_format": "xml"}, "response_format", "invalid_value", "not 'xml'"),
        ({"temperature": "2"}, "temperature", "max_value", "1"),
        ({"temperature": "warm"}, "temperature", "invalid", "number"),
        ({"prompt": "x" * 10_001}, "prompt", "max_length", "10000"),
        ({GRANULARITIES: ["segment", "page"]}, GRANULARITIES, "invalid_value", "'page'"),
        ({GRANULARITIES: ["letter"]}, GRANULARITIES, "invalid_value", "'letter'"),
    ],
)
def test_a_wrong_field_is_named_and_no_job_begins(
    client: Client, changes: dict[str, Any], param: str, code: str, words: str
):
    fields = {name: value for name, value in form(**changes).items() if value is not None}
    answer = client.post(PATH, fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error["param"], error["code"]) == (param, code)
    assert words in error["message"]
    assert run(queries.list_jobs()).count == 0


def test_an_unknown_model_is_not_found(client: Client):
    for answer in (client.post(PATH, form(model="gpt-9")), client.get("/v1/models/gpt-9")):
        error = answer.json()["error"]
        assert answer.status_code == 404
        assert (error["code"], error["param"]) == ("model_not_found", "model")
        assert "'gpt-9'" in error["message"]
    assert run(queries.list_jobs()).count == 0


def test_models_are_those_of_the_settings_besides(client: Client, limits: Limits):
    limits(openai_models="acme/whisper, orchard,large-v3")
    listed = client.get("/v1/models").json()
    assert [one["id"] for one in listed["data"]] == [
        "orchard", "whisper-1", "acme/whisper", "large-v3",
    ]  # fmt: skip
    assert client.get("/v1/models/acme/whisper").json() == listed["data"][2]


def test_a_file_that_is_too_large_or_empty_is_refused(client: Client, limits: Limits):
    empty = client.post(PATH, form(file=SimpleUploadedFile("a.wav", b"")))
    assert (empty.status_code, empty.json()["error"]["param"]) == (400, "file")
    limits(upload_max_bytes=5)
    large = client.post(PATH, form())
    assert (large.status_code, large.json()["error"]["code"]) == (413, "too_large")
    assert recordings.list_jobs() == []


def test_other_addresses_bodies_and_strangers_are_refused_in_the_same_shape(client: Client):
    nowhere = client.post("/v1/chat/completions", {}, content_type="application/json")
    assert (nowhere.status_code, nowhere.json()["error"]["code"]) == (404, "unknown_url")
    body = client.post(PATH, {"model": "orchard"}, content_type="application/json")
    assert body.status_code == 415
    stranger = Client().post(PATH, form(), headers={"Authorization": "Bearer sk-wrong"})
    assert (stranger.status_code, stranger["WWW-Authenticate"]) == (401, "Bearer")
    assert stranger.json()["error"]["code"] == "invalid_api_key"
    for answer in (nowhere, body, stranger):
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_requests_are_counted_and_too_many_refused(client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("orchard.api.throttles.Throttle.known_limit", 1)
    assert client.get("/v1/models").status_code == 200
    answer = client.post(PATH, form())
    assert (answer.status_code, answer.json()["error"]["type"]) == (429, "rate_limit_error")
    assert int(answer["Retry-After"]) > 0


def test_who_waits_in_vain_is_told_so_and_the_job_goes_on(client: Client, limits: Limits):
    limits(openai_wait_s=0)
    answer = client.post(PATH, form(language="EN", prompt=" x  y\n", temperature="0.5"))
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == (504, "server_error", "not_ready")
    job = run(submissions.get_record(answer["X-Orchard-Job"]))
    assert (job.status, job.came_by, job.language) == ("created", "openai", "en")
    assert job.wishes
    assert job.wishes.prompt == "x y"
    assert job.job_id in error["message"]
    # A repetition without a key would be a second job, so OpenAI's client is told not to.
    assert answer["X-Should-Retry"] == "false"
    shown = client.get(f"/api/v1/jobs/{job.job_id}").json()
    assert shown["came_by"] == "openai"


def test_with_a_key_the_same_request_waits_for_the_same_job(client: Client, limits: Limits):
    limits(openai_wait_s=0)
    headers = {"Idempotency-Key": "talk-7"}
    first, again = (client.post(PATH, form(), headers=headers) for _ in range(2))
    assert first["X-Should-Retry"] == again["X-Should-Retry"] == "true"
    assert first["X-Orchard-Job"] == again["X-Orchard-Job"]
    assert run(queries.list_jobs()).count == 1


async def submitted() -> str:
    """The id of the one job that there is, as soon as there is one."""
    async with asyncio.timeout(10):
        while not (page := await arun(queries.list_jobs())).jobs:
            await asyncio.sleep(0.01)
    return page.jobs[0].job.job_id


async def test_sound_that_cannot_be_read_is_the_senders_fault(waiter: AsyncClient):
    waiting = asyncio.create_task(waiter.post(PATH, form()))
    job_id = await submitted()
    job = await arun(pipeline.claim_stage("p1"))
    assert job
    reason = "the file cannot be read as sound"
    await arun(pipeline.fail_stage(job_id, job.stage.token, reason, retry=False))
    answer = await waiting
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error["code"], error["param"]) == ("unreadable_recording", "file")
    assert reason in error["message"]
    assert (answer["X-Orchard-Job"], answer["X-Should-Retry"]) == (job_id, "false")


def fail_after_splitting(job_id: str) -> None:
    """Do all stages of the one job that there is, and let the last one fail."""
    for finish, more in (
        (pipeline.finish_purifying, (60_000,)),
        (pipeline.finish_splitting, ([Span(start_ms=0, end_ms=60_000)], 60_000)),
    ):
        job = run(pipeline.claim_stage("p1"))
        assert job
        run(finish(job_id, job.stage.token, *more))
    orchards.complete(orchards.claim(orchards.worker())[0])
    job = run(pipeline.claim_stage("p1"))
    assert job
    run(pipeline.fail_stage(job_id, job.stage.token, "the roof is leaking", retry=False))


async def test_a_job_that_fails_later_is_our_fault(waiter: AsyncClient):
    waiting = asyncio.create_task(waiter.post(PATH, form()))
    await sync_to_async(fail_after_splitting)(await submitted())
    answer = await waiting
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"]) == (500, "server_error", None)
    assert (error["code"], answer["X-Should-Retry"]) == ("job_failed", "false")
    assert "the roof is leaking" in error["message"]


async def test_a_server_that_is_to_stop_lets_go_of_who_waits(waiter: AsyncClient):
    waiting = asyncio.create_task(waiter.post(PATH, form(), headers={"Idempotency-Key": "k"}))
    job_id = await submitted()
    end_waits()
    answer = await waiting
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "not_ready")
    assert (answer["X-Orchard-Job"], answer["X-Should-Retry"]) == (job_id, "true")
    assert (await arun(submissions.get_record(job_id))).status == "created"


async def test_a_job_that_is_cancelled_or_deleted_ends_the_wait(waiter: AsyncClient):
    for order, expected in (
        (submissions.cancel, (409, "job_cancelled")),
        (submissions.remove, (404, "unknown_job")),
    ):
        waiting = asyncio.create_task(waiter.post(PATH, form()))
        job_id = await submitted()
        await arun(order(job_id))
        answer = await waiting
        assert (answer.status_code, answer.json()["error"]["code"]) == expected
        if order is submissions.cancel:
            await arun(submissions.remove(job_id))


def test_every_language_of_the_list_has_two_letters_and_a_name():
    assert len(NAMES) == 183
    assert {len(code) for code in NAMES} == {2}
    assert (NAMES["en"], NAMES["ja"], NAMES["gd"]) == ("english", "japanese", "scottish gaelic")
