"""OpenAI's own client, curl and ours on a real installation: the same text by every way."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from orchard_client import Client
from tests import recordings
from tests.client.shell import spawn
from tests.foundation.launcher import Launched, wait_until

PATH = "/v1/audio/transcriptions"


@pytest.fixture
def token(installation: Launched) -> str:
    """All rights."""
    return (installation.data / "token").read_text().strip()


@pytest.fixture
def client(installation: Launched, token: str) -> Iterator[OpenAI]:
    """OpenAI's client, which is told another address and nothing else."""
    with OpenAI(base_url=f"{installation.url}/v1", api_key=token, timeout=240) as client:
        yield client


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two sentences."""
    return recordings.write_wav(recordings.build([1.0, 1.0]).samples, tmp_path / "two.wav")


def words_of_curl(installation: Launched, token: str, recording: Path) -> list[str]:
    """The command that asks for a transcript."""
    return [
        "curl", "-sS", f"{installation.url}{PATH}", "-H", f"Authorization: Bearer {token}",
        "-F", f"file=@{recording}", "-F", "model=whisper-1", "-F", "response_format=text",
    ]  # fmt: skip


def spoken(text: str) -> list[str]:
    """The words of subtitles or of plain text."""
    return re.sub(r"^(WEBVTT|\d+|.* --> .*)$", "", text, flags=re.MULTILINE).split()


async def test_openais_client_curl_and_ours_get_the_same_text(
    installation: Launched, client: OpenAI, token: str, recording: Path
):
    whole = client.audio.transcriptions.create(
        file=recording, model="whisper-1", language="en", response_format="verbose_json",
        timestamp_granularities=["segment"], temperature=0,
    )  # fmt: skip
    assert "dashwood" in whole.text.lower()
    assert (whole.language, round(whole.duration)) == ("english", round(whole.usage.seconds))
    times = [(one.start, one.end) for one in whole.segments]
    assert times == sorted(times)
    assert all(0 <= start < end <= whole.duration for start, end in times)
    assert [one.id for one in whole.segments] == list(range(len(times)))
    assert " ".join(one.text for one in whole.segments) == whole.text
    async with AsyncOpenAI(base_url=f"{installation.url}/v1", api_key=token) as other:
        short = await other.audio.transcriptions.create(file=recording, model="orchard")
    assert short.text == whole.text
    command = words_of_curl(installation, token, recording)
    plain = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    assert plain.stdout.split() == whole.text.split()
    env = {"ORCHARD_URL": installation.url, "ORCHARD_TOKEN": token}
    ours = spawn(env, "submit", str(recording), "--wait")
    assert (ours.returncode, ours.stdout.split()) == (0, whole.text.split())


def test_subtitles_come_as_subtitles_and_a_key_spares_the_work(
    client: OpenAI, token: str, installation: Launched, recording: Path
):
    found = {}
    for form in ("srt", "vtt", "text"):
        raw = client.audio.transcriptions.with_raw_response.create(
            file=recording, model="whisper-1", response_format=form,
            extra_headers={"Idempotency-Key": str(recording)},
        )  # fmt: skip
        found[form] = (raw.headers["x-orchard-job"], raw.text)
    assert found["vtt"][1].startswith("WEBVTT\n")
    assert found["srt"][1].startswith("1\n00:00:")
    assert len({job_id for job_id, _ in found.values()}) == 1
    assert spoken(found["srt"][1]) == spoken(found["vtt"][1]) == found["text"][1].split()
    with Client(installation.url, token) as ours:
        job = ours.jobs.get(found["srt"][0])
        assert (job.came_by, job.filename) == ("openai", "two.wav")
        assert ours.jobs.transcript(job.job_id, "srt") == found["srt"][1]


def test_words_come_with_their_times_when_they_are_asked_for(client: OpenAI, recording: Path):
    told = client.audio.transcriptions.create(
        file=recording, model="whisper-1", response_format="verbose_json",
        timestamp_granularities=["word"], prompt="Names: Dashwood.",
    )  # fmt: skip
    assert told.words
    assert " ".join(one.word.strip() for one in told.words).split() == told.text.split()
    times = [(one.start, one.end) for one in told.words]
    assert times == sorted(times)
    assert all(0 <= start <= end <= told.duration + 0.5 for start, end in times)


def test_models_are_listed_and_found(client: OpenAI):
    assert [one.id for one in client.models.list()] == ["orchard", "whisper-1"]
    assert client.models.retrieve("whisper-1").owned_by == "orchard"


def test_what_is_refused_is_raised_as_openais_errors(
    client: OpenAI, installation: Launched, recording: Path
):
    create = client.audio.transcriptions.create
    with pytest.raises(openai.NotFoundError) as missing:
        create(file=recording, model="gpt-9")
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError, match="phrase"):
        create(
            file=recording, model="whisper-1", response_format="verbose_json",
            timestamp_granularities=["phrase"],
        )  # fmt: skip
    with pytest.raises(openai.BadRequestError) as wrong:
        create(file=recording, model="whisper-1", language="xx")
    assert (wrong.value.param, wrong.value.code) == ("language", "invalid_language_format")
    with pytest.raises(openai.BadRequestError, match="not 'diarized_json'"):
        create(file=recording, model="whisper-1", response_format="diarized_json")
    with OpenAI(base_url=f"{installation.url}/v1", api_key="sk-wrong") as stranger:
        with pytest.raises(openai.AuthenticationError):
            stranger.models.list()
        with pytest.raises(openai.AuthenticationError) as at_the_door:  # before the body is read
            stranger.audio.transcriptions.create(
                file=("big.wav", b"x" * 10_000_000), model="whisper-1"
            )
    assert at_the_door.value.code == "invalid_api_key"


def test_what_is_no_sound_is_the_senders_fault_and_not_sent_again(client: OpenAI):
    with pytest.raises(openai.BadRequestError) as failed:
        client.audio.transcriptions.create(file=("notes.mp3", b"no sound " * 99), model="orchard")
    assert (failed.value.code, failed.value.param) == ("unreadable_recording", "file")
    assert failed.value.response.headers["x-should-retry"] == "false"
    assert failed.value.response.request.headers["x-stainless-retry-count"] == "0"


def test_a_client_that_hangs_up_loses_its_answer_and_not_the_job(
    installation: Launched, token: str, recording: Path, tmp_path: Path
):
    path = recording.rename(tmp_path / "hung-up.wav")
    with Client(installation.url, token) as ours:

        def states() -> list[str]:
            return [str(one.status) for one in ours.jobs.list() if one.filename == path.name]

        with subprocess.Popen(words_of_curl(installation, token, path)) as asking:
            wait_until(states)
            asking.kill()
        wait_until(lambda: states() == ["completed"], 120)


def test_a_verbose_answer_has_the_fields_of_openais(client: OpenAI, recording: Path):
    raw = client.audio.transcriptions.with_raw_response.create(
        file=recording, model="orchard", response_format="verbose_json"
    )
    told = json.loads(raw.text)
    assert set(told) == {"task", "language", "duration", "text", "segments", "usage"}
    assert told["language"] == "english"  # nobody named one; it was recognized
    assert raw.headers["content-type"] == "application/json"
