"""Jobs that are not finished, or never can be in full: what they have is there and stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jiwer
import pytest

from tests import recordings
from tests.faults.orchard_processes import Orchard, running

LEASE = {"ORCHARD_CHUNK_LEASE_S": "60", "ORCHARD_STAGE_LEASE_S": "60"}
"""Leases longer than a busy machine lets a test rest."""


@pytest.fixture(scope="module")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchard]:
    with running(tmp_path_factory.mktemp("unfinished") / "data", **LEASE) as one:
        yield one


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sentences, so far apart that each is a chunk."""
    made = recordings.build([1.0, 12.0, 12.0])
    return recordings.write_wav(made.samples, tmp_path_factory.mktemp("talk") / "talk.wav")


def test_what_is_done_can_be_read_while_the_rest_is_still_to_come(orchard, talk):
    job_id = orchard.submit(talk)
    orchard.complete("w", orchard.claim("w"), "said already").raise_for_status()
    answer = orchard.transcript(job_id)
    assert answer.headers["X-Orchard-Partial"] == "true"
    assert answer.json()["partial"] is True
    assert answer.json()["text"] == "said already"
    assert "said already" in orchard.transcript(job_id, "srt").text
    for number in (2, 3):
        orchard.complete("w", orchard.claim("w"), f"part {number}").raise_for_status()
    orchard.wait(job_id, "completed")
    whole = orchard.transcript(job_id)
    assert "X-Orchard-Partial" not in whole.headers
    assert "partial" not in whole.json()
    orchard.check_counts(job_id)


def test_a_retry_redoes_the_missing_chunk_alone(orchard, talk):
    job_id = orchard.submit(talk)
    broken = orchard.claim("w")
    orchard.give_up("w", broken, "this cannot be heard").raise_for_status()
    for number in (1, 2):
        orchard.complete("w", orchard.claim("w"), f"part {number}").raise_for_status()
    job = orchard.wait(job_id, "failed")
    assert "this cannot be heard" in str(job)
    assert "part 1" in orchard.transcript(job_id, "txt").text
    orchard.http.post(f"/api/v1/jobs/{job_id}/retry").raise_for_status()
    again = orchard.claim("w")
    assert again["chunk_id"] == broken["chunk_id"]
    orchard.complete("w", again, "heard after all").raise_for_status()
    orchard.wait(job_id, "completed")
    words = orchard.transcript(job_id, "txt").text
    assert [words.count(part) for part in ("part 1", "part 2", "heard after all")] == [1, 1, 1]
    orchard.check_counts(job_id)


def test_a_truncated_mp3_gives_the_words_up_to_where_it_ends(orchard, tmp_path):
    path = recordings.encode(recordings.build([0.5, 1.0, 1.0]).samples, tmp_path / "cut.mp3")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    job_id = orchard.submit(path)
    orchard.start_agent("listener", "--once")
    heard = orchard.wait(job_id, "completed")["result"]["text"]
    begun = recordings.clips()[0].text.replace("mister", "mr").split()
    plain = heard.lower().replace(".", "").replace(",", "").split()
    assert jiwer.wer(" ".join(begun), " ".join(plain[: len(begun)])) <= 0.10
    assert orchard.processes.pop("listener").wait(90) == 0


def test_an_agents_token_is_on_no_command_line_and_in_no_log(orchard, tmp_path):
    path = recordings.write_wav(recordings.build([0.5]).samples, tmp_path / "short.wav")
    orchard.start_agent("discreet", "--transcriber", "pocketsphinx")
    orchard.wait(orchard.submit(path), "completed")
    secret = (orchard.data / "worker_token").read_text().strip()
    pid = orchard.processes["discreet"].pid
    assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert orchard.terminate("discreet") == 0
    logs = [log.read_text() for log in orchard.data.parent.glob("data-*.log")]
    assert logs
    assert not any(secret in log for log in logs)
