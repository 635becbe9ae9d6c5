"""Search, export and webhooks on the command line, against a real server."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from orchard_client import Client
from tests.client.conftest import Site, sound
from tests.client.shell import as_json, done, run

HOOK = "https://93.184.216.34/orchard"
"""Nothing is sent there: no pipeline process runs."""


@pytest.fixture
def job_id(orchard: Client) -> str:
    """A job that waits for ever."""
    return orchard.jobs.submit(sound(), name="meeting.wav").job_id


def test_an_export_is_written_whole_and_says_what_it_has_not(
    site: Site, job_id: str, tmp_path: Path
):
    path = tmp_path / "all.zip"
    assert done(site.environ, "export", "--ids", f"{job_id},", "-o", str(path)) == f"{path}\n"
    with zipfile.ZipFile(path) as exported:
        assert job_id in exported.read("left-out.txt").decode()
    told = as_json(site.environ, "export", "--query", "nowhere", "-f", "srt", "-o", str(path))
    assert told == {"file": str(path), "bytes": path.stat().st_size}
    assert zipfile.ZipFile(path).namelist() == []
    assert [one.name for one in tmp_path.iterdir()] == ["all.zip"]


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["export"], 2, "Missing option"),
        (["export", "-o", "/nonexistent/x.zip"], 2, "there is no folder"),
        (["export", "-o", "{path}", "--ids", "a b"], 1, "ids"),
        (["export", "-o", "{path}", "--ids", "0" * 16], 3, "unknown_job"),
        (["search"], 2, "Missing argument"),
        (["webhooks", "remove", "0" * 32, "--yes"], 3, "webhook"),
        (["webhooks", "add", "http://169.254.169.254/"], 1, "url"),
        (["webhooks", "add", HOOK, "--type", "job.nonsense"], 1, "types"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line_and_leaves_no_file(
    site: Site, tmp_path: Path, words: list[str], code: int, reason: str
):
    filled = [str(tmp_path / "x.zip") if word == "{path}" else word for word in words]
    ended = run(site.environ, *filled)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert reason in ended.stderr.strip().splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_a_search_that_finds_nothing_says_nothing(site: Site):
    assert done(site.environ, "search", "unheard", "of") == ""
    assert as_json(site.environ, "search", "unheard") == []


def test_a_recording_can_be_sent_without_wanting_single_words(site: Site, tmp_path: Path):
    path = tmp_path / "talk.wav"
    path.write_bytes(b"x" * 100)
    job = json.loads(done(site.environ, "submit", str(path), "--no-words", "--json"))
    assert job["wishes"]["words"] is False
    job = json.loads(done(site.environ, "submit", str(path), "--words", "--json"))
    assert (job["wishes"] or {"words": True})["words"] is True


def test_a_webhook_is_added_listed_tested_and_removed(site: Site):
    words = ("add", HOOK, "--type", "job.completed", "--type", "job.failed", "--description", "CI")
    made = as_json(site.environ, "webhooks", *words)
    webhook_id = made["webhook_id"]
    assert made["secret"].startswith("whsec_")
    (line,) = done(site.environ, "webhooks").splitlines()
    assert line.split("\t") == [webhook_id, "enabled", "0", "0", "job.completed job.failed", HOOK]
    assert made["secret"] not in done(site.environ, "webhooks", "list", "--json")
    told = done(site.environ, "webhooks", "test", webhook_id).rstrip("\n").split("\t")
    assert told[2] == "webhook.test"
    done(site.environ, "webhooks", "remove", webhook_id)
    assert as_json(site.environ, "webhooks", "list") == []


def test_a_secret_is_shown_to_people_when_a_webhook_is_made(site: Site):
    shown = done(site.environ, "webhooks", "add", HOOK)
    fields = dict(line.split("\t") for line in shown.splitlines())
    assert fields["secret"].startswith("whsec_")
    done(site.environ, "webhooks", "remove", fields["webhook_id"], "--yes")
