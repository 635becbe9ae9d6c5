"""A recording goes in and its transcript comes out: the whole way, with the real recogniser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import recordings
from tests.faults.orchard_processes import Orchard, running
from tests.recordings import Recording
from tests.words import error_rate, p95_onset_error_ms

WORST_WER = 0.10
WORST_ONSET_MS = 500


@pytest.fixture(scope="module")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchard]:
    """An orchard with two agents, as ``make run`` starts it."""
    # Whisper holds the processor longer than a short lease on a small machine.
    lease = {"ORCHARD_CHUNK_LEASE_S": "30", "ORCHARD_STAGE_LEASE_S": "30"}
    with running(tmp_path_factory.mktemp("orchard") / "data", **lease) as one:
        one.start_agent("first")
        one.start_agent("second")
        yield one


def check(orchard: Orchard, job_id: str, recording: Recording) -> dict[str, Any]:
    """Hold a transcript to what was said, and when; returns it."""
    orchard.check_counts(job_id)
    heard = orchard.transcript(job_id).json()
    starts = [segment["start_ms"] for segment in heard["segments"]]
    assert starts == sorted(starts)
    figures = {
        "wer": error_rate(recording.text, heard["text"]),
        "onset_ms": p95_onset_error_ms(recording.onsets_ms, starts),
        "last_onset_ms": p95_onset_error_ms(recording.onsets_ms[-3:], starts),
    }
    assert figures["wer"] <= WORST_WER, (figures, heard["text"])
    assert figures["onset_ms"] <= WORST_ONSET_MS, figures
    assert figures["last_onset_ms"] <= WORST_ONSET_MS, figures
    return heard | {"figures": figures}


@pytest.mark.parametrize("ending", [".wav", ".mp3"])
@pytest.mark.parametrize("purifier", ["true", "false"])
def test_what_was_said_is_heard_where_it_was_said(
    orchard, tmp_path, ending, purifier, record_property
):
    recording = recordings.build([1.0, 0.7, 14.0, 2.0, 5.0])
    path = recordings.encode(recording.samples, tmp_path / f"talk{ending}")
    job_id = orchard.submit(path, purifier=purifier)
    orchard.wait(job_id, "completed")
    heard = check(orchard, job_id, recording)
    record_property("figures", heard["figures"])
    check_stages(orchard, job_id, purified=purifier == "true")
    check_record(orchard, job_id, heard["text"])
    check_downloads(orchard, job_id, heard)


def check_stages(orchard: Orchard, job_id: str, *, purified: bool) -> None:
    """The way through the pipeline, as the events tell it."""
    told = orchard.events(job_id)
    states = [one["status"] for one in told if one["name"] == "job.advanced"]
    first = ["purifying", "splitting"] if purified else ["splitting"]
    rest = ["processing", "aggregating", "completed"]
    assert [one for one in states if one != "created"] == [*first, *rest]
    assert purified is not any(one["name"] == "job.purifier_bypassed" for one in told)


def check_record(orchard: Orchard, job_id: str, text: str) -> None:
    """``GET job:<id>`` shows programs the same as people see."""
    record = orchard.record(job_id)
    assert record["status"] == "completed"
    assert record["result"]["text"] == text
    assert orchard.job(job_id)["result"]["text"] == text


def check_downloads(orchard: Orchard, job_id: str, heard: dict[str, Any]) -> None:
    """The same words in every format."""
    txt, srt, vtt = (orchard.transcript(job_id, form).text for form in ("txt", "srt", "vtt"))
    assert error_rate(heard["text"], txt) == 0
    assert vtt.startswith("WEBVTT\n")
    assert srt.startswith("1\n00:00:0")
    spoken = [one for one in heard["segments"] if one["text"].strip()]
    assert srt.count(" --> ") == vtt.count(" --> ") == len(spoken)
    for segment in spoken:
        assert segment["text"] in srt
        assert segment["text"] in vtt


@pytest.mark.slow
def test_words_stay_in_place_until_the_end_of_a_long_recording(orchard, tmp_path, record_property):
    """15 minutes, most of them pauses, some so long that nothing of them is listened to."""
    pauses = [1.0, 3.0, 26.0, 8.0, 45.0, 2.0, 15.0, 60.0, 0.8, 34.0] * 4
    recording = recordings.build(pauses)
    assert 14.5 * 60_000 < recording.duration_ms < 17 * 60_000
    path = recordings.encode(recording.samples, tmp_path / "long.mp3")
    job_id = orchard.submit(path)
    orchard.wait(job_id, "completed", patience_s=280)
    heard = check(orchard, job_id, recording)
    record_property("figures", heard["figures"])


def test_an_upload_by_the_old_path_completes_too(orchard, tmp_path):
    recording = recordings.build([0.5])
    path = recordings.write_wav(recording.samples, tmp_path / "kurz – 短い.wav")
    with path.open("rb") as file:
        answer = orchard.http.post("/submit", files={"file": (path.name, file)})
    assert answer.json()["status"] == "accepted"
    job = orchard.wait(answer.json()["job_id"], "completed")
    assert error_rate(recording.text, job["result"]["text"]) <= WORST_WER
    assert job["filename"] == path.name


def refused_reason(orchard: Orchard, path: Path) -> str:
    """Why a recording was not transcribed: told at once, or as the job's error."""
    with path.open("rb") as file:
        answer = orchard.http.post("/api/v1/jobs", files={"file": (path.name, file)})
    if answer.status_code != 201:
        return answer.json()["error"]
    return orchard.wait(answer.json()["job_id"], "failed")["error"]


def test_a_text_named_mp3_fails_with_the_decoders_reason(orchard, tmp_path):
    path = tmp_path / "notes.mp3"
    path.write_text("Just some notes.\n" * 500)
    assert "cannot be read as sound" in refused_reason(orchard, path)


def test_a_video_without_sound_fails_because_it_has_none(orchard, tmp_path):
    path = recordings.encode_picture(tmp_path / "mute.mp4")
    assert refused_reason(orchard, path) == "the file has no sound"


def test_a_truncated_mp3_gives_the_words_up_to_where_it_ends(orchard, tmp_path):
    recording = recordings.build([0.5, 1.0, 1.0])
    path = recordings.encode(recording.samples, tmp_path / "cut.mp3")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    job = orchard.wait(orchard.submit(path), "completed")
    begun = recordings.clips()[0].text
    heard = job["result"]["text"]
    assert error_rate(begun, " ".join(heard.split()[: len(begun.split())])) <= WORST_WER


def test_hours_of_silence_complete_with_an_empty_transcript(orchard, tmp_path):
    path = recordings.write_wav(recordings.silence(60), tmp_path / "silence.wav", times=120)
    job_id = orchard.submit(path)
    job = orchard.wait(job_id, "completed")
    assert job["result"]["text"] == ""
    assert orchard.transcript(job_id, "txt").text.strip() == ""
    assert orchard.transcript(job_id, "srt").text == ""
