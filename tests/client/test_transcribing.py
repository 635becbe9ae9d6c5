"""A real recording through the whole installation: the same text by every way."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from orchard_client import AsyncClient, Client, JobNotCompleted, JobStatus
from orchard_client.models.jobs import Job
from tests import recordings
from tests.client.shell import as_json, run, spawn
from tests.foundation.launcher import Launched
from tests.servers import until


@pytest.fixture
def token(installation: Launched) -> str:
    """All rights."""
    return (installation.data / "token").read_text().strip()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two sentences."""
    return recordings.write_wav(recordings.build([1.0, 1.0]).samples, tmp_path / "two.wav")


async def test_library_and_command_line_bring_the_same_text_in_each_format(
    installation: Launched, token: str, recording: Path, tmp_path: Path
):
    seen: list[str] = []
    with Client(installation.url, token) as client:
        job = client.jobs.submit(recording)
        done = client.jobs.wait(
            job.job_id, timeout_s=200, on_change=lambda job: seen.append(job.status)
        )
        text = client.jobs.transcript(job.job_id)
        vtt = client.jobs.transcript(job.job_id, "vtt")
        whole = json.loads(client.jobs.transcript(job.job_id, "json"))
    assert (done.status, seen[-1]) == (JobStatus.COMPLETED, "completed")
    assert "dashwood" in text.lower()
    assert vtt.startswith("WEBVTT\n")
    assert done.result
    assert whole["text"] == done.result.text
    async with AsyncClient(installation.url, token) as client:
        assert await client.jobs.transcribe(recording, timeout_s=200) == text
    env = {"ORCHARD_URL": installation.url, "ORCHARD_DATA": str(installation.data)}
    path = tmp_path / "two.srt"
    ended = spawn(env, "submit", str(recording), "--wait", "--format", "srt", "-o", str(path))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert spoken(path.read_text()) == spoken(vtt) == " ".join(text.split())
    assert run(env, "jobs", "transcript", job.job_id).stdout.split() == text.split()
    found = until(lambda: [one for one in as_json(env, "search", "dashwood") if _is(one, job)])
    assert "dashwood" in found[0]["text"].lower()
    zipped = tmp_path / "two.zip"
    assert run(env, "export", "--ids", job.job_id, "-f", "srt", "-o", str(zipped)).returncode == 0
    with zipfile.ZipFile(zipped) as exported:
        (name,) = exported.namelist()
        assert exported.read(name).decode() == path.read_text()


def _is(found: dict[str, str], job: Job) -> bool:
    return found["job_id"] == job.job_id


def spoken(subtitles: str) -> str:
    """The words of subtitles."""
    lines = re.sub(r"^(WEBVTT|\d+|.* --> .*)$", "", subtitles, flags=re.MULTILINE)
    return " ".join(lines.split())


def test_what_is_no_sound_is_a_named_failure(installation: Launched, token: str, tmp_path: Path):
    path = tmp_path / "notes.mp3"
    path.write_text("this is no sound " * 100)
    with Client(installation.url, token) as client, pytest.raises(JobNotCompleted) as failed:
        client.jobs.transcribe(path, timeout_s=200)
    assert (failed.value.status, bool(failed.value.reason)) == ("failed", True)
    env = {"ORCHARD_URL": installation.url, "ORCHARD_TOKEN": token}
    ended = run(env, "submit", str(path), "--wait")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert " failed: " in ended.stderr
