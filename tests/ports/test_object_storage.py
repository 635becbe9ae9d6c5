"""Recordings in a bucket: the same promises as in a folder, on a real storage server."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from boto3.exceptions import Boto3Error
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from orchard.byte_ranges import Blocks
from orchard.conf import load_conf
from orchard.doctor import surroundings
from orchard.domain.errors import StorageAway
from orchard.ports import audio, object_reading, recordings
from orchard.storage_settings import storage_settings
from statecore.management.audio_files import list_audio
from tests import recordings as made
from tests.sealing.conftest import seal  # noqa: F401 - a fixture is used by its name
from tests.storage_servers import StorageServer, storage_server

BIG = bytes(range(256)) * 4096 * 12
"""12 MB: more than one part of an upload."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    with storage_server(tmp_path_factory.mktemp("weed")) as one:
        yield one


@pytest.fixture
def bucket(server, settings, tmp_path) -> StorageServer:
    """The site's storage is this bucket, under a folder of the test's own."""
    use(server, settings, tmp_path)
    return server


def use(server: StorageServer, settings, tmp_path, **more: str) -> None:
    options = server.options | {"ORCHARD_S3_PREFIX": f"t/{tmp_path.name}"} | more
    conf = load_conf(options, tmp_path / "none")
    settings.STORAGES = settings.STORAGES | {"default": storage_settings(conf)}


def keys_of(server: StorageServer) -> list[str]:
    found = server.client().list_objects_v2(Bucket=server.bucket).get("Contents", [])
    return [one["Key"] for one in found if not one["Key"].endswith("/")]


def test_a_file_is_kept_under_exactly_its_name_and_in_place_of_what_was_there(bucket, tmp_path):
    for content in (b"first", b"second"):
        recordings.save_bytes("jobs/a/transcript.json", content)
    assert recordings.read("jobs/a/transcript.json") == b"second"
    assert f"t/{tmp_path.name}/jobs/a/transcript.json" in keys_of(bucket)


@pytest.mark.usefixtures("bucket")
def test_a_large_upload_comes_back_byte_by_byte(tmp_path):
    recordings.save("jobs/a/source.wav", ContentFile(BIG, name="talk.wav"))
    recordings.fetch("jobs/a/source.wav", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == BIG


@pytest.mark.usefixtures("bucket")
def test_what_is_not_there_is_said_as_on_a_disk():
    assert recordings.read("jobs/none/source.wav") is None
    assert not recordings.exists("jobs/none/source.wav")
    assert not recordings.has_any("none")
    assert recordings.list_jobs() == []
    recordings.delete_name("jobs/none/source.wav")
    recordings.delete("none")
    with pytest.raises(FileNotFoundError):
        recordings.open_read("jobs/none/source.wav")


@pytest.mark.usefixtures("bucket")
def test_an_empty_file_is_read_as_one():
    recordings.save_bytes("jobs/a/empty", b"")
    with recordings.open_read("jobs/a/empty") as stream:
        assert (stream.seek(0, 2), stream.read()) == (0, b"")


@pytest.mark.usefixtures("bucket")
def test_reading_jumps_without_fetching_the_whole(monkeypatch):
    recordings.save("jobs/a/source.wav", ContentFile(BIG, name="talk.wav"))
    with recordings.open_read("jobs/a/source.wav") as stream:
        assert stream.seek(0, io.SEEK_END) == len(BIG)
        for place in (len(BIG) - 100, 7, 5_000_000):
            stream.seek(place)
            assert stream.tell() == place
            assert stream.read(100) == BIG[place : place + 100]
        stream.seek(-3, io.SEEK_END)
        assert stream.read() == BIG[-3:]


@pytest.mark.usefixtures("bucket")
async def test_the_player_gets_the_part_that_it_asks_for():
    recordings.save("jobs/a/source.wav", ContentFile(BIG, name="talk.wav"))
    blocks = Blocks(recordings.open_read("jobs/a/source.wav"), 5_000_001, 5_999_999)
    got = b"".join([block async for block in blocks])
    blocks.close()
    assert got == BIG[5_000_001:6_000_000]


@pytest.mark.usefixtures("bucket")
def test_the_pipeline_decodes_and_cuts_straight_from_the_bucket(tmp_path):
    talk = made.build([1.0, 12.0])
    path = made.write_wav(talk.samples, tmp_path / "talk.wav")
    recordings.save_path("jobs/a/source.wav", path)
    clean = tmp_path / "clean.wav"
    with recordings.open_read("jobs/a/source.wav") as source:
        info = audio.purify(source, clean, noise_reduction=False, progress=lambda share: None)
    assert abs(info.duration_ms - talk.duration_ms) < 50
    with recordings.scratch() as folder:
        (folder / "kept").write_bytes(clean.read_bytes())
        recordings.save_path(recordings.clean_name("a"), folder / "kept")
    assert recordings.read(recordings.clean_name("a")) == clean.read_bytes()


@pytest.mark.usefixtures("seal")
def test_what_is_sealed_is_so_in_the_bucket_and_is_read_where_one_jumps(bucket, tmp_path):
    recordings.save("jobs/a/source.wav", ContentFile(BIG, name="talk.wav"))
    key = f"t/{tmp_path.name}/jobs/a/source.wav"
    kept = bucket.client().get_object(Bucket=bucket.bucket, Key=key)["Body"].read()
    assert len(kept) > len(BIG)
    assert BIG[:1000] not in kept
    with recordings.open_read("jobs/a/source.wav") as stream:
        for place in (9_000_000, 5):
            stream.seek(place)
            assert stream.read(1000) == BIG[place : place + 1000]


@pytest.mark.usefixtures("bucket")
def test_files_on_their_way_lie_in_the_data_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    with recordings.scratch() as folder:
        assert folder.parent == tmp_path / "media" / "tmp"
    assert not folder.exists()


def test_all_of_a_job_is_removed_and_nothing_else(bucket):
    for job in ("a", "ab"):
        for name in ("source.wav", "clean.wav", *(f"chunks/{n:05}.wav" for n in range(3))):
            recordings.save_bytes(f"jobs/{job}/{name}", b"sound")
    recordings.delete_chunks("a")
    assert recordings.exists(recordings.clean_name("a"))
    assert not recordings.exists(recordings.chunk_name("a", 0))
    recordings.delete("a")
    assert not recordings.has_any("a")
    assert recordings.list_jobs() == ["ab"]
    assert len([one for one in keys_of(bucket) if "/jobs/ab/" in one]) == 5


@pytest.mark.usefixtures("bucket")
def test_jobs_are_listed_by_the_age_of_their_newest_file():
    recordings.save_bytes("jobs/old/source.wav", b"sound")
    time.sleep(2.1)  # the server's clock has whole seconds
    recordings.save_bytes("jobs/new/source.wav", b"sound")
    assert sorted(recordings.list_jobs()) == ["new", "old"]
    assert recordings.list_jobs(1.5) == ["old"]
    assert recordings.is_older("old", 1.5)
    assert not recordings.is_older("new", 1.5)


@pytest.mark.usefixtures("bucket")
def test_a_backup_lists_what_is_in_the_bucket():
    recordings.save_bytes("jobs/a/source.wav", b"sound")
    (only,) = list_audio(hashed=True)
    assert (only.name, only.size) == ("jobs/a/source.wav", 5)
    assert only.sha256 == hashlib.sha256(b"sound").hexdigest()


def test_a_version_is_never_mixed_with_the_next(bucket):
    recordings.save("jobs/a/clean.wav", ContentFile(BIG, name="clean.wav"))
    with recordings.open_read("jobs/a/clean.wav") as stream:
        assert stream.read(10) == BIG[:10]
        recordings.save("jobs/a/clean.wav", ContentFile(BIG[::-1], name="clean.wav"))
        stream.seek(9_000_000)
        with pytest.raises(StorageAway) as told:
            stream.read(10)
        assert "PreconditionFailed" in str(told.value.__cause__)


@pytest.mark.usefixtures("bucket")
def test_a_broken_connection_is_taken_up_where_it_broke():
    recordings.save("jobs/a/source.wav", ContentFile(BIG, name="talk.wav"))
    storage = default_storage._wrapped
    key = storage._key("jobs/a/source.wav")
    reader = object_reading.ObjectReader(storage.connection.meta.client, storage.bucket_name, key)
    with reader:
        got = bytearray(reader.read(100_000))
        reader._body._raw_stream._connection.sock.shutdown(2)
        while block := reader.read(1 << 20):
            got += block
    assert bytes(got) == BIG


@pytest.mark.usefixtures("bucket")
def test_many_threads_read_and_write_at_once():
    wrong: list[str] = []

    def work(number: int) -> None:
        content = str(number).encode() * 1000
        for turn in range(3):
            recordings.save_bytes(f"jobs/{number}/{turn}", content)
            if recordings.read(f"jobs/{number}/{turn}") != content:
                wrong.append(f"{number}/{turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []
    assert len(recordings.list_jobs()) == 8


@pytest.mark.parametrize(
    "wrong",
    [{"ORCHARD_S3_SECRET_KEY": "another"}, {"ORCHARD_S3_BUCKET": "no-such-bucket"}],
)
def test_a_bucket_that_refuses_us_is_not_an_empty_one(server, settings, tmp_path, wrong):
    use(server, settings, tmp_path, **wrong)
    for act in (lambda: recordings.save_bytes("jobs/a/x", b"sound"), recordings.list_jobs):
        with pytest.raises(StorageAway) as told:
            act()
        assert server.url not in str(told.value)
        assert isinstance(told.value.__cause__, ClientError | Boto3Error)


def test_the_doctor_says_when_the_bucket_cannot_be_written(server, settings, tmp_path, monkeypatch):
    told = load_conf(server.options, tmp_path / "none")
    monkeypatch.setattr("orchard.doctor.surroundings.get_conf", lambda: told)
    use(server, settings, tmp_path)
    assert list(surroundings._bucket()) == []
    assert recordings.list_jobs() == []
    use(server, settings, tmp_path, ORCHARD_S3_BUCKET="no-such-bucket")
    (trouble,) = surroundings._bucket()
    assert trouble.code == "no-bucket"
    assert "NoSuchBucket" in trouble.what or "bucket" in trouble.what


def test_a_server_that_is_away_is_said_to_be(settings, tmp_path):
    elsewhere = StorageServer(tmp_path)  # nobody listens there
    use(elsewhere, settings, tmp_path)
    for act in (recordings.read, recordings.exists, recordings.delete, recordings.has_any):
        with pytest.raises(StorageAway) as told:
            act("a")
        assert elsewhere.url in str(told.value.__cause__)  # for the log, not for guests
        assert elsewhere.url not in str(told.value)


def test_without_a_bucket_its_library_is_not_loaded(tmp_path):
    code = (
        "import django, sys; django.setup(); from orchard.ports import recordings;"
        "recordings.exists('jobs/a'); print([m for m in ('boto3', 'botocore') if m in sys.modules])"
    )
    env = os.environ | {"ORCHARD_DATA": str(tmp_path), "ORCHARD_STORE": "memory://"}
    env |= {"DJANGO_SETTINGS_MODULE": "orchard.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
