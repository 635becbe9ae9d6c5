"""Resumable uploads by the protocol: in order and out of it, by the wrong people, too late."""

from __future__ import annotations

import fcntl
import json
import time
from pathlib import Path

import pytest
from django.test import Client

from orchard.conf import get_conf
from orchard.ports import recordings
from orchard.services import part_uploads, queries, run, submissions
from statecore.store.errors import StoreUnavailable
from tests.faults.small_disks import ROOM, files_in, small_disk
from tests.uploads.parts import DOOR, OCTETS, RESUMABLE, begin, begun, look, metadata, send

SOUND = bytes(range(256)) * 40


def folder(where: str, settings) -> Path:
    """Where an upload lies."""
    return Path(settings.MEDIA_ROOT) / "parts" / where.rpartition("/")[2]


def count_jobs() -> int:
    return run(queries.list_jobs()).count


def test_what_is_spoken_is_told(client: Client):
    answer = client.options(DOOR)
    assert answer.status_code == 204
    assert (answer["Tus-Version"], answer["Tus-Resumable"]) == ("1.0.0", "1.0.0")
    said = set(answer["Tus-Extension"].split(","))
    assert said == {"creation", "creation-with-upload", "expiration", "termination"}
    assert int(answer["Tus-Max-Size"]) == get_conf().upload_max_bytes


def test_parts_become_the_job_of_the_whole(client: Client):
    where = begun(client, len(SOUND), language="ja", prompt="A dry run",
                  hot_words="Dashwood, Elinor", purifier="false", priority="high")  # fmt: skip
    first = send(client, where, 0, SOUND[:1000])
    assert (first.status_code, first["Upload-Offset"]) == (204, "1000")
    assert "X-Orchard-Job" not in first
    assert (count_jobs(), look(client, where)["Upload-Offset"]) == (0, "1000")
    last = send(client, where, 1000, SOUND[1000:])
    assert (last.status_code, last["Upload-Offset"]) == (204, str(len(SOUND)))
    job = run(submissions.get_record(last["X-Orchard-Job"]))
    assert (job.filename, job.owner, job.language) == ("talk.wav", "token:robot", "ja")
    assert (job.use_purifier, job.priority) == (False, 8)
    assert (job.wishes.prompt, job.wishes.hot_words) == ("A dry run", ("Dashwood", "Elinor"))
    assert recordings.read(job.source) == SOUND


def test_after_a_lost_answer_the_job_is_known_and_there_is_one(client: Client):
    where = begun(client, len(SOUND))
    job_id = send(client, where, 0, SOUND)["X-Orchard-Job"]
    known = look(client, where)
    assert (known["Upload-Offset"], known["Upload-Length"]) == (str(len(SOUND)),) * 2
    assert known["X-Orchard-Job"] == job_id
    assert known["Content-Location"] == f"/api/v1/jobs/{job_id}"
    again = send(client, where, len(SOUND), b"")
    assert (again.status_code, again["X-Orchard-Job"]) == (204, job_id)
    assert count_jobs() == 1


def test_a_first_part_may_come_with_the_beginning(client: Client):
    answer = begin(client, len(SOUND), SOUND, filename="talk.wav")
    assert (answer.status_code, answer["Upload-Offset"]) == (201, str(len(SOUND)))
    assert answer.json()["job_id"] == answer.json()["job"]["job_id"] == answer["X-Orchard-Job"]
    partly = begin(client, len(SOUND), SOUND[:10], filename="talk.wav")
    assert (partly.json()["offset"], partly.json()["job_id"]) == (10, None)


def test_a_sender_that_begins_again_with_the_same_key_gets_the_same_job(client: Client):
    key = {
        "Idempotency-Key": "abc",
        "Upload-Length": "4",
        "Upload-Metadata": metadata(filename="a"),
    }
    ids = {
        client.post(DOOR, b"RIFF", content_type=OCTETS, headers=RESUMABLE | key)["X-Orchard-Job"]
        for _ in range(2)
    }
    assert len(ids) == count_jobs() == 1


@pytest.mark.parametrize("offset", [0, 99, 101, 10_000])
def test_a_wrong_offset_is_refused_and_changes_nothing(client: Client, offset: int):
    where = begun(client, len(SOUND))
    send(client, where, 0, SOUND[:100])
    refused = send(client, where, offset, b"x" * 50)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_offset")
    assert refused.json()["offset"] == 100
    send(client, where, 100, SOUND[100:])
    job = run(submissions.get_record(look(client, where)["X-Orchard-Job"]))
    assert recordings.read(job.source) == SOUND


@pytest.mark.parametrize("offset", ["", "-1", "1.5", "x", "9" * 40, "１"])
def test_an_offset_that_is_no_number_is_refused(client: Client, offset: str):
    where = begun(client, 10)
    headers = RESUMABLE | {"Upload-Offset": offset.encode().decode("latin-1")}
    assert client.patch(where, b"x", content_type=OCTETS, headers=headers).status_code == 400


def test_more_than_was_said_is_refused_and_nothing_of_it_is_kept(client: Client):
    where = begun(client, 100)
    send(client, where, 0, bytes(60))
    assert send(client, where, 60, bytes(41)).status_code == 413
    assert look(client, where)["Upload-Offset"] == "60"


def test_other_kinds_of_bodies_and_other_versions_are_refused(client: Client):
    where = begun(client, 10)
    headers = RESUMABLE | {"Upload-Offset": "0"}
    for kind in ("application/octet-stream", "application/json", "multipart/form-data"):
        assert client.patch(where, b"x", content_type=kind, headers=headers).status_code == 415
    for version in ("0.2.2", "2.0.0", ""):
        answer = send(client, where, 0, b"x", **{"Tus-Resumable": version})
        assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")
    assert look(client, where)["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    ("size", "said", "status"),
    [("10", "", 400), ("10", "filename", 400), ("10", "filename !!", 400), ("", None, 400),
     ("0", None, 400), ("-1", None, 400), (str(2**49), None, 413), ("10", "filename //79", 400),
     ("10", metadata(filename="a", language="xx"), 400), ("10", metadata(filename="..."), 400),
     ("10", metadata(filename="a", type="nothing"), 400),
     ("10", "filename YQ==,filename YQ==", 400),
     ("10", metadata(filename="a", prompt="x" * 20_000), 400)],
)  # fmt: skip
def test_a_wrong_beginning_is_refused(
    client: Client, settings, size: str, said: str | None, status
):
    said = metadata(filename="talk.wav") if said is None else said
    headers = RESUMABLE | {"Upload-Length": size, "Upload-Metadata": said}
    answer = client.post(DOOR, b"", content_type="text/plain", headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert files_in(Path(settings.MEDIA_ROOT)) == []


def test_nobody_else_sees_an_upload_or_goes_on_with_it(client: Client, tokens):
    where = begun(client, 10)
    other = Client(headers=tokens("admin", name="other"))
    assert look(other, where).status_code == 404
    assert send(other, where, 0, b"x").status_code == 404
    assert other.delete(where, headers=RESUMABLE).status_code == 404
    assert send(client, where, 0, b"x").status_code == 204


def test_to_ask_how_far_an_upload_is_needs_the_right_to_send_one(client: Client, tokens):
    where = begun(client, 10)
    assert look(Client(), where).status_code == Client().options(DOOR).status_code == 401
    assert look(Client(headers=tokens("read")), where).status_code == 403


@pytest.mark.parametrize("upload_id", ["0" * 32, "..", "0" * 31, "%2e%2e%2fjobs", "lock"])
def test_an_upload_that_there_is_not_is_unknown(client: Client, upload_id: str):
    assert look(client, f"{DOOR}/{upload_id}").status_code == 404


def test_an_upload_can_be_given_up(client: Client, settings):
    where = begun(client, 10)
    send(client, where, 0, b"x")
    assert client.delete(where, headers=RESUMABLE).status_code == 204
    assert look(client, where).status_code == 404
    assert files_in(Path(settings.MEDIA_ROOT)) == []


def test_while_one_request_writes_another_is_told_to_wait(client: Client, settings):
    where = begun(client, 10)
    with (folder(where, settings) / "lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        busy = send(client, where, 0, b"x")
        assert (busy.status_code, busy.json()["code"]) == (409, "upload_busy")
        assert part_uploads.clear(time.time() + 10 * get_conf().upload_ttl_s) == 0
    assert send(client, where, 0, b"x").status_code == 204


def test_what_nobody_goes_on_with_expires(client: Client, settings, monkeypatch):
    where = begun(client, 10)
    answer = send(client, where, 0, b"x")
    assert answer["Upload-Expires"].endswith("GMT")
    later = time.time() + get_conf().upload_ttl_s + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert look(client, where).status_code == 404
    assert send(client, where, 1, b"x").status_code == 404
    assert folder(where, settings).exists()
    assert part_uploads.clear() == 1
    assert files_in(Path(settings.MEDIA_ROOT)) == []


def test_what_somebody_goes_on_with_stays(client: Client):
    where = begun(client, 10)
    assert part_uploads.clear(time.time() + get_conf().upload_ttl_s - 60) == 0
    assert look(client, where).status_code == 200


def test_a_new_upload_clears_those_away_that_expired(client: Client, settings, monkeypatch):
    old = begun(client, 10)
    later = time.time() + get_conf().upload_ttl_s + 1
    monkeypatch.setattr(time, "time", lambda: later)
    begun(client, 10)
    assert not folder(old, settings).exists()


def test_an_upload_whose_bytes_were_all_here_when_its_process_died_is_handed_in_when_asked(
    client: Client, settings
):
    where = begun(client, len(SOUND))
    (folder(where, settings) / "content").write_bytes(SOUND)
    known = look(client, where)
    assert known["Upload-Offset"] == str(len(SOUND))
    assert recordings.read(run(submissions.get_record(known["X-Orchard-Job"])).source) == SOUND


def test_an_upload_whose_process_died_after_its_job_began_leads_to_the_same_job(
    client: Client, settings
):
    where = begun(client, len(SOUND))
    before = (folder(where, settings) / "upload.json").read_bytes()
    job_id = send(client, where, 0, SOUND)["X-Orchard-Job"]
    (folder(where, settings) / "content").write_bytes(SOUND)
    (folder(where, settings) / "upload.json").write_bytes(before)
    assert look(client, where)["X-Orchard-Job"] == job_id
    assert count_jobs() == 1


def test_while_the_engine_is_away_the_whole_waits_and_goes_in_later(client: Client, monkeypatch):
    where = begun(client, len(SOUND))

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("down")

    with monkeypatch.context() as broken:
        broken.setattr("orchard.services.uploads.run", away)
        assert send(client, where, 0, SOUND).status_code == 503
        assert look(client, where).status_code == 503
    assert look(client, where)["X-Orchard-Job"]
    assert count_jobs() == 1


def test_an_upload_and_its_folder_can_be_read_by_their_owner_alone(client: Client, settings):
    where = begun(client, 10)
    for path in [folder(where, settings), *folder(where, settings).iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path
    told = json.loads((folder(where, settings) / "upload.json").read_bytes())
    assert told["owner"] == "token:robot"


def test_a_full_disk_is_told_and_nothing_of_the_part_is_kept(client: Client, tmp_path, settings):
    with small_disk(tmp_path / "disk") as disk:
        settings.MEDIA_ROOT = disk / "media"
        (disk / "media").mkdir()
        where = begun(client, ROOM // 2)
        (disk / "other").write_bytes(bytes(ROOM * 3 // 4))
        full = send(client, where, 0, bytes(ROOM // 2))
        assert (full.status_code, full.json()["code"]) == (503, "storage_full")
        assert look(client, where)["Upload-Offset"] == "0"
        assert begin(client, 100 * ROOM, filename="a.wav").status_code == 503
        (disk / "other").unlink()
        assert send(client, where, 0, bytes(ROOM // 2))["X-Orchard-Job"]
