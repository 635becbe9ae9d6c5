"""The main job: a recording goes in, its words come out, each at its time."""

from __future__ import annotations

import json
import re

import httpx
import jiwer
import numpy as np
import pytest
import redis

from tests import recordings
from tests.foundation.launcher import wait_until

ENDED = ("completed", "failed", "cancelled")

LONG_PAUSES_S = [1.0, 14.0, 25.0, 3.0, 30.0, 8.0, 40.0, 2.0]


def submit(installation, path, **fields):
    """Hand a file in; the id of its job."""
    with path.open("rb") as file:
        answer = httpx.post(
            f"{installation.url}/submit", headers=installation.headers,
            files={"file": (path.name, file)}, data=fields, timeout=60,
        )  # fmt: skip
    assert answer.json()["status"] == "accepted", answer.text
    return answer.json()["job_id"]


def finish(installation, job_id, within_s=240):
    """The job once it has ended."""

    def ended():
        job = installation.get(f"/jobs/{job_id}").json()
        return job["status"] in ENDED and job

    return wait_until(ended, within_s)


def words(text):
    """The words of a text, in small letters and without punctuation."""
    return re.sub(r"[^a-z ]", "", text.lower().replace("-", " ")).split()


def error_rate(said, heard):
    """Word error rate."""
    return jiwer.wer(" ".join(words(said)), " ".join(words(heard)))


def onset_errors_ms(recording, job):
    """How far the nearest segment begins from where each clip was placed."""
    starts = np.array([segment["start_ms"] for segment in job["result"]["segments"]])
    return [int(np.abs(starts - onset).min()) for onset in recording.onsets_ms]


@pytest.mark.parametrize("form", ["wav", "mp3"])
def test_the_spoken_words_come_back_at_their_times(installation, tmp_path, form):
    recording = recordings.build([1.0, 0.8, 4.0, 0.5, 12.0, 2.0, 1.5])
    path = tmp_path / f"recording.{form}"
    if form == "wav":
        recordings.write_wav(recording.samples, path)
    else:
        recordings.encode(recording.samples, path)
    job = finish(installation, submit(installation, path))
    assert job["status"] == "completed", job
    assert error_rate(recording.text, job["result"]["text"]) <= 0.10
    assert np.percentile(onset_errors_ms(recording, job), 95) <= 500


@pytest.mark.slow
def test_times_are_true_to_the_end_of_a_quarter_of_an_hour(installation, tmp_path):
    recording = recordings.build(LONG_PAUSES_S * 6)
    assert recording.duration_ms >= 15 * 60_000
    path = recordings.write_wav(recording.samples, tmp_path / "long.wav")
    job = finish(installation, submit(installation, path))
    assert job["status"] == "completed", job
    errors = onset_errors_ms(recording, job)
    assert np.percentile(errors, 95) <= 500
    assert max(errors[-5:]) <= 500
    assert error_rate(recording.text, job["result"]["text"]) <= 0.10


def test_the_engine_shows_the_job_by_hand(installation, tmp_path):
    recording = recordings.build([1.0])
    path = recordings.write_wav(recording.samples, tmp_path / "one.wav")
    job_id = submit(installation, path)
    job = finish(installation, job_id)
    engine = redis.Redis(unix_socket_path=str(installation.data / "engine" / "valkey.sock"))
    stored = json.loads(engine.get(f"job:{job_id}"))
    assert (stored["status"], stored["completed_chunks"]) == ("completed", stored["total_chunks"])
    assert stored["result"]["text"] == job["result"]["text"]
    assert [chunk["chunk_id"] for chunk in stored["chunks"]] == [f"{job_id}_chunk_0"]
    assert 0 < engine.ttl(f"job:{job_id}") <= 3600
    engine.close()


def test_the_transcript_comes_in_four_formats(installation, tmp_path):
    path = recordings.write_wav(recordings.build([1.0]).samples, tmp_path / "one.wav")
    job_id = submit(installation, path)
    finish(installation, job_id)
    base = f"/api/v1/jobs/{job_id}/transcript"
    assert "dashwood" in installation.get(f"{base}.txt").text.lower()
    assert re.match(r"1\n00:00:0\d,\d{3} --> ", installation.get(f"{base}.srt").text)
    assert installation.get(f"{base}.vtt").text.startswith("WEBVTT\n")
    assert installation.get(f"{base}.json").json()["segments_count"] >= 1


def test_without_the_purifier_the_job_goes_straight_to_splitting(installation, tmp_path):
    path = recordings.write_wav(recordings.build([1.0]).samples, tmp_path / "plain.wav")
    job_id = submit(installation, path, purifier="false")
    assert finish(installation, job_id)["status"] == "completed"
    events = installation.get("/api/v1/events?limit=500").json()["events"]
    states = [e["status"] for e in events if e["name"] == "job.advanced" and e["job_id"] == job_id]
    assert states == ["splitting", "processing", "aggregating", "completed"]


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("notes.mp3", lambda path: path.write_text("this is no sound " * 100)),
        ("picture.mp4", lambda path: recordings.encode_picture(path)),
    ],
)
def test_what_is_no_sound_fails_with_the_decoders_reason(installation, tmp_path, name, make):
    path = tmp_path / name
    make(path)
    job = finish(installation, submit(installation, path))
    assert (job["status"], bool(job["error"])) == ("failed", True)


def test_silence_is_a_completed_job_with_an_empty_transcript(installation, tmp_path):
    path = recordings.write_wav(recordings.silence(60), tmp_path / "silence.wav", times=10)
    job = finish(installation, submit(installation, path))
    assert (job["status"], job["total_chunks"], job["result"]["text"]) == ("completed", 0, "")
