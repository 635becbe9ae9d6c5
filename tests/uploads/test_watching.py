"""A watched folder: files that grow, that fail, that are there twice, and processes that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from django.core.management import CommandError, call_command

from orchard.domain.jobs import Job, Result
from orchard.domain.orders import Order
from orchard.ports import recordings
from orchard.services import pipeline, queries, run, submissions, watched_folders
from orchard.services.watched_folders import Plan, Watch
from statecore.store.errors import StoreUnavailable
from tests.api.server import PREPARE, ROOT
from tests.servers import until
from tests.services.orchards import claim, complete, processing, worker

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def watching(folder: Path, **options: object) -> Watch:
    plan = {"done": folder / "done", "failed": folder / "failed", "settle_s": 5.0, "owner": "ann"}
    return Watch(Plan(folder=folder, **(plan | options)))  # type: ignore[arg-type]


def jobs() -> list[Job]:
    return [view.job for view in run(queries.list_jobs()).jobs]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_a_file_is_handed_in_once_it_has_stopped_growing(folder: Path):
    watch = watching(folder, language="ja")
    path = folder / "talk.wav"
    for at in (0, 4, 8, 12):
        with path.open("ab") as growing:
            growing.write(b"RIFF")
        watch.look(at)
    watch.look(16)
    assert jobs() == []
    watch.look(17)
    (job,) = jobs()
    assert (job.filename, job.owner, job.language, job.size) == ("talk.wav", "ann", "ja", 16)
    assert recordings.read(job.source) == b"RIFF" * 4
    assert (names(folder), names(folder / "done")) == ([], [".talk.wav.job", "talk.wav"])
    watch.look(30)
    assert len(jobs()) == 1


def test_what_is_still_being_written_or_is_no_file_is_left_alone(folder: Path):
    watch = watching(folder)
    for name in (".hidden.wav", "a.wav.part", "b.tmp", "c.crdownload", "d.wav~", "E.PART"):
        (folder / name).write_bytes(b"RIFF")
    (folder / "empty.wav").touch()
    (folder / "sub").mkdir()
    (folder / "sub" / "f.wav").write_bytes(b"RIFF")
    (folder / "link.wav").symlink_to(folder / ".hidden.wav")
    watch.look(0)
    watch.look(100)
    assert jobs() == []


def test_a_process_that_died_before_a_file_was_put_away_leads_to_no_second_job(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (folder / "talk.wav").write_bytes(b"RIFF")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    first = watching(folder)
    first.look(0)
    with monkeypatch.context() as dying:
        dying.setattr(watched_folders.shutil, "move", die)
        with pytest.raises(KeyboardInterrupt):
            first.look(9)
    assert names(folder) == ["talk.wav"]
    second = watching(folder)
    second.look(0)
    second.look(9)
    assert (len(jobs()), names(folder)) == (1, [])


def test_two_who_watch_the_same_folder_hand_each_file_in_once(folder: Path):
    both = [watching(folder), watching(folder)]
    for name in "abc":
        (folder / f"{name}.wav").write_bytes(name.encode())
    for at in (0, 9, 18):
        for watch in both:
            watch.look(at)
    assert sorted(job.filename for job in jobs()) == ["a.wav", "b.wav", "c.wav"]


def test_another_file_of_the_same_name_is_another_job(folder: Path):
    watch = watching(folder)
    for round_, content in enumerate((b"one", b"other")):
        (folder / "talk.wav").write_bytes(content)
        watch.look(round_ * 100)
        watch.look(round_ * 100 + 9)
    assert len(jobs()) == 2
    kept = {name: (folder / "done" / name).read_bytes() for name in ("talk.wav", "talk (2).wav")}
    assert kept == {"talk.wav": b"one", "talk (2).wav": b"other"}


def test_a_file_that_grows_while_it_is_handed_in_is_no_job_yet(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    watch, path = watching(folder), folder / "talk.wav"
    path.write_bytes(b"RIFF")
    watch.look(0)
    submit = watched_folders.uploads.submit

    def slowly(*args: object, **options: object) -> object:
        answer = submit(*args, **options)  # type: ignore[arg-type]
        path.write_bytes(b"RIFF and more")
        return answer

    with monkeypatch.context() as growing:
        growing.setattr(watched_folders.uploads, "submit", slowly)
        watch.look(9)
    assert (jobs(), names(folder)) == ([], ["talk.wav"])
    watch.look(10)
    watch.look(19)
    assert [job.size for job in jobs()] == [13]


def test_a_file_that_its_type_refuses_goes_to_the_failed_ones_with_the_reason(folder: Path):
    (folder / "talk.txt").write_bytes(b"\xff\xfe\x00 no text")
    watch = watching(folder, order=Order(job_type="text"))
    watch.look(0)
    watch.look(9)
    assert names(folder / "failed") == ["talk.txt", "talk.txt.txt"]
    assert "file:" in (folder / "failed" / "talk.txt.txt").read_text()


def test_a_recording_whose_job_did_not_end_well_goes_to_the_failed_ones(folder: Path):
    (folder / "talk.wav").write_bytes(b"RIFF")
    watch = watching(folder)
    watch.look(0)
    watch.look(9)
    run(submissions.cancel(jobs()[0].job_id))
    watch.look(10)
    assert names(folder / "failed") == ["talk.wav", "talk.wav.txt"]
    assert names(folder / "done") == []


def test_transcripts_are_written_beside_a_recording_when_its_job_has_ended(folder: Path):
    job = processing(1)
    watch = watching(folder, forms=("txt", "srt"))
    (folder / "done" / "talk.wav").write_bytes(b"RIFF")
    (folder / "done" / ".talk.wav.job").write_text(job.job_id)
    watch.look(0)
    assert names(folder / "done") == [".talk.wav.job", "talk.wav"]
    worker()
    complete(claim()[0], "hello there")
    stage = run(pipeline.claim_stage("p1"))
    chunks, _ = run(pipeline.get_results(job.job_id))
    whole = msgspec.json.encode(run(queries.get_transcript(job.job_id)).transcript)
    recordings.save_bytes(recordings.transcript_name(job.job_id), whole)
    result = Result(segments_count=0, total_processing_time_ms=1, text="hello", segments=())
    run(pipeline.finish_aggregating(job.job_id, stage.stage.token, result, chunks))
    watch.look(1)
    assert names(folder / "done") == ["talk.srt", "talk.txt", "talk.wav"]
    assert "hello" in (folder / "done" / "talk.txt").read_text()


def test_a_job_that_is_gone_is_no_longer_waited_for(folder: Path):
    (folder / "talk.wav").write_bytes(b"RIFF")
    watch = watching(folder)
    watch.look(0)
    watch.look(9)
    run(submissions.remove(jobs()[0].job_id))
    watch.look(10)
    assert names(folder / "done") == ["talk.wav"]


def test_while_the_engine_is_away_files_wait(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "talk.wav").write_bytes(b"RIFF")
    watch = watching(folder)
    watch.look(0)

    def away(*_: object) -> None:
        raise StoreUnavailable("down")

    with monkeypatch.context() as broken:
        broken.setattr("orchard.services.uploads.run", away)
        with pytest.raises(StoreUnavailable):
            watch.look(9)
    watch.look(10)
    assert (len(jobs()), names(folder)) == (1, [])


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"write": "srt,doc"}, "'doc' is none of"), ({"language": "xx"}, "language"),
     ({"type": "films"}, "'films' is none of"), ({"priority": "12"}, "priority")],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(folder: Path, options: dict, reason: str):
    with pytest.raises(CommandError, match=reason):
        call_command("watch", str(folder), **options)


def test_a_folder_that_there_is_not_is_refused(tmp_path: Path):
    with pytest.raises(CommandError, match="no folder"):
        call_command("watch", str(tmp_path / "nowhere"))


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An installation for the command alone."""
    own = {"ORCHARD_DATA": str(tmp_path / "data"), "ORCHARD_STORE": "memory://"}
    env = os.environ | own | {"DJANGO_SETTINGS_MODULE": "orchard.settings"}
    subprocess.run([sys.executable, "-c", PREPARE], cwd=ROOT, env=env, check=True)
    return env


def test_the_command_watches_until_it_is_stopped(folder: Path, env: dict[str, str]):
    command = [sys.executable, "manage.py", "watch", str(folder), "--settle", "0.1"]
    process = subprocess.Popen([*command, "--every", "0.05"], cwd=ROOT, env=env)
    try:
        (folder / "talk.wav").write_bytes(b"RIFF")
        assert until(lambda: (folder / "done" / "talk.wav").exists())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
