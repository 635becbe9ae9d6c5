"""What `make run` starts does the main job, and the engine and the downloads show it."""

from __future__ import annotations

import json
import re

import httpx
import redis

from tests import recordings
from tests.foundation.launcher import wait_until

ENDED = ("completed", "failed", "cancelled")


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
