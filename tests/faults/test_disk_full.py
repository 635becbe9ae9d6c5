"""The disk runs full in the middle of something: a clear error, and nothing half-written."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files import File
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from orchard.domain.errors import StorageFull
from orchard.domain.lifecycle import JobStatus
from orchard.ports import recordings as storage
from orchard.services import pipeline, queries, run, stages, uploads
from statecore.services import backups, namespaced
from statecore.store import ops
from statecore.store.errors import StoreFull
from statecore.store.file import open_file
from statecore.store.memory import MemoryStore
from statecore.store.redis import RedisStore
from tests import recordings
from tests.faults.small_disks import ROOM, files_in, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Where the site keeps its sound, with little room."""
    with small_disk(tmp_path / "disk") as folder:
        yield folder


@pytest.fixture
def media(disk: Path, settings) -> Path:
    """The storage of recordings on the small disk, as the settings lay it out."""
    folder = disk / "media"
    (folder / "tmp").mkdir(parents=True)
    settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR = folder, folder / "tmp"
    return folder


def talk(tmp_path: Path, seconds: float) -> Path:
    """A recording of 32 kB a second."""
    made = recordings.build([2.0, 2.0])
    times = round(seconds * 1000 / made.duration_ms) + 1
    return recordings.write_wav(made.samples, tmp_path / "talk.wav", times=times)


# -- uploading


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/submit"])
def test_an_upload_that_does_not_fit_is_refused_clearly_and_leaves_nothing(
    path: str, client: Client, media: Path
):
    before = run(queries.list_jobs()).count
    file = SimpleUploadedFile("talk.wav", bytes(2 * ROOM))
    answer = client.post(path, {"file": file})
    assert answer.status_code == 503
    assert answer.json()["error"] == "There is no room left on the server's disk"
    assert int(answer["Retry-After"]) > 0
    assert run(queries.list_jobs()).count == before
    assert files_in(media) == []


def test_after_a_full_disk_uploads_are_taken_again(client: Client, media: Path):
    refused = client.post("/api/v1/jobs", {"file": SimpleUploadedFile("a.wav", bytes(2 * ROOM))})
    taken = client.post("/api/v1/jobs", {"file": SimpleUploadedFile("a.wav", bytes(100))})
    assert (refused.status_code, taken.status_code) == (503, 201)


# -- what the pipeline writes


def test_a_stage_that_runs_out_of_room_costs_the_job_nothing_and_goes_on_when_there_is(
    store, tmp_path: Path, disk: Path, media: Path, settings
):
    if not disk.is_mount():
        pytest.skip("needs a file system of its own, which may not be mounted here")
    settings.MEDIA_ROOT = tmp_path / "roomy"  # the source is compressed, as it were
    path = talk(tmp_path, 70)
    with path.open("rb") as stream:
        job, _ = uploads.submit(File(stream, name="talk.wav"), owner="ann", use_purifier=True)
    (media / "jobs").symlink_to(tmp_path / "roomy" / "jobs")
    settings.MEDIA_ROOT = media
    stage = run(pipeline.claim_stage("p1"))
    assert stage is not None
    with pytest.raises(StorageFull):
        stages.do_stage(stage, threading.Event())
    assert files_in(media / "tmp") == []
    after = run(queries.get_job(job.job_id)).job
    assert (after.status, after.error) == (JobStatus.PURIFYING, "")
    settings.MEDIA_ROOT = tmp_path / "roomy"
    stage = run(pipeline.claim_stage("p1"))
    assert stage is not None
    assert stage.stage.attempts == 1, "the full disk has cost an attempt"
    stages.do_stage(stage, threading.Event())
    assert run(queries.get_job(job.job_id)).job.status is JobStatus.SPLITTING


def test_a_transcript_is_there_whole_or_not_at_all(media: Path):
    storage.save_bytes("jobs/x/transcript.json", b"old")
    with pytest.raises(OSError, match=r"No space|too large"):
        storage.save_bytes("jobs/x/transcript.json", bytes(2 * ROOM))
    assert storage.read("jobs/x/transcript.json") == b"old"
    assert files_in(media) == ["jobs/x/transcript.json"]


# -- backing up


def test_a_backup_that_does_not_fit_is_refused_clearly_and_leaves_nothing(disk: Path):
    state = MemoryStore()
    _fill(state, 300)
    with pytest.raises(OSError, match=r"No space|too large"):
        backups.create(state, disk, "whole")
    assert files_in(disk) == []
    assert backups.list_backups(disk) == []
    state.close()


def test_the_command_says_so_in_one_line(disk: Path, settings, engine_server):
    engine_server.client.flushdb()
    settings.STATECORE = settings.STATECORE | {"BACKUP_DIR": str(disk)}
    state = RedisStore(engine_server.url)
    _fill(state, 300)
    state.close()
    with pytest.raises(CommandError, match=r"No space left on device|File too large") as refusal:
        call_command("backup_state", "--store", engine_server.url, "--name", "whole")
    assert "\n" not in str(refusal.value)
    assert files_in(disk) == []


def _fill(state, entries: int) -> None:
    """State that does not pack well."""
    chance = random.Random(5)
    for number in range(entries):
        state.run(namespaced.put("notes", str(number), chance.randbytes(10_000).hex()))


# -- state files


def test_a_commit_that_does_not_fit_into_the_state_files_is_refused_whole(disk: Path, caplog):
    caplog.set_level(logging.ERROR)
    state = open_file((disk / "state").as_uri())
    state.commit({}, [ops.Set("a", b"1")])
    with pytest.raises(StoreFull, match="no room"):
        state.commit({}, [ops.Set("a", b"2"), ops.Set("b", b"x" * 2 * ROOM)])
    assert state.read(ops.Key("a"), ops.Key("b")) == [b"1", None]
    state.close()
    again = open_file((disk / "state").as_uri())
    assert again.read(ops.Key("a"), ops.Key("b")) == [b"1", None]
    assert again.commit({ops.Key("a"): b"1"}, [ops.Set("a", b"3")]) == ops.Committed()
    again.close()


def test_state_files_filled_to_the_brim_lose_nothing_that_was_acknowledged(disk: Path):
    state = open_file((disk / "state").as_uri())
    kept = _fill_up(state)
    state.close()
    again = open_file((disk / "state").as_uri())
    found = again.read(*(ops.Key(f"key-{i}") for i in range(kept + 1)))
    assert [value is not None for value in found] == [True] * kept + [False]
    again.close()


def _fill_up(state) -> int:
    """How many commits were acknowledged before one was refused."""
    for number in range(1000):
        try:
            state.commit({}, [ops.Set(f"key-{number}", b"x" * 20_000)])
        except StoreFull:
            return number
    raise AssertionError("everything fits")
