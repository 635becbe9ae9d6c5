"""Recordings and transcripts in the storage: sealed when they are stored, opened when read."""

from __future__ import annotations

import hashlib
import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import TemporaryUploadedFile

from orchard.domain.errors import StorageAway, UnknownChunk
from orchard.ports import recordings
from orchard.services.sounds import open_sound
from statecore.management.audio_files import list_audio
from statecore.sealing.faults import BrokenSeal
from statecore.sealing.files import BLOCK
from statecore.sealing.key_ring import make_key
from statecore.services.backups import AudioFile

SOUND = b"RIFF the orange tree of grandmother " * 5000
NAME = "jobs/a/source.wav"


@pytest.fixture
def media(seal, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def on_disk(media) -> bytes:
    return b"".join(path.read_bytes() for path in media.rglob("*") if path.is_file())


def test_a_recording_is_sealed_on_the_disk_and_read_as_it_was(media, tmp_path):
    recordings.save(NAME, ContentFile(SOUND))
    recordings.save_bytes(recordings.transcript_name("a"), b'{"text": "orange tree"}')
    assert b"orange tree" not in on_disk(media)
    assert b"RIFF" not in on_disk(media)
    assert recordings.read(NAME) == SOUND
    assert recordings.read(recordings.transcript_name("a")) == b'{"text": "orange tree"}'
    recordings.fetch(NAME, tmp_path / "local")
    assert (tmp_path / "local").read_bytes() == SOUND
    assert list((media / "tmp").iterdir()) == []


def test_an_upload_on_the_disk_is_sealed_as_well(media):
    upload = TemporaryUploadedFile("a.wav", "audio/wav", len(SOUND), None)
    upload.write(SOUND)
    recordings.save(NAME, upload)
    upload.close()
    assert recordings.read(NAME) == SOUND
    assert b"orange tree" not in on_disk(media)


def test_a_part_of_a_recording_is_read_without_the_rest(media):
    recordings.save(NAME, ContentFile(SOUND))
    stream, size = open_sound(NAME)
    assert size == len(SOUND)
    for start in (0, 5, BLOCK - 3, BLOCK, 2 * BLOCK + 1, size - 4):
        stream.seek(start)
        assert stream.read(50) == SOUND[start : start + 50]
    stream.close()


def test_files_of_two_jobs_cannot_be_swapped(media):
    recordings.save(NAME, ContentFile(SOUND))
    (media / "jobs/b").mkdir()
    (media / NAME).rename(media / "jobs/b/source.wav")
    with pytest.raises(BrokenSeal, match="jobs/b/source"):
        recordings.open_read("jobs/b/source.wav")


def test_a_recording_that_was_cut_off_is_refused(media):
    recordings.save(NAME, ContentFile(SOUND))
    whole = (media / NAME).read_bytes()
    (media / NAME).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BrokenSeal):
        recordings.open_read(NAME)
    with pytest.raises(UnknownChunk, match="does not open"):
        open_sound(NAME)


def test_without_its_key_a_recording_is_refused_and_stays_as_it_is(media, seal):
    recordings.save(NAME, ContentFile(SOUND))
    before = on_disk(media)
    for keys in ([], [make_key("k2")]):
        seal(*keys)
        with pytest.raises(StorageAway, match="'k1'"):
            recordings.open_read(NAME)
    assert on_disk(media) == before


def test_what_was_stored_before_there_were_keys_is_read_as_it_is(media, seal):
    seal()
    recordings.save(NAME, ContentFile(SOUND))
    assert (media / NAME).read_bytes() == SOUND
    seal(make_key("k1"))
    assert recordings.read(NAME) == SOUND


def test_a_part_that_is_not_to_be_sealed_is_not(media, seal):
    seal(make_key("k1"), parts=frozenset())
    recordings.save(NAME, ContentFile(SOUND))
    assert (media / NAME).read_bytes() == SOUND


def test_lists_of_recordings_say_what_they_hold_and_not_how_it_is_sealed(media):
    recordings.save(NAME, ContentFile(SOUND))
    digest = hashlib.sha256(SOUND).hexdigest()
    assert list(list_audio()) == [AudioFile(NAME, len(SOUND))]
    assert list(list_audio(hashed=True)) == [AudioFile(NAME, len(SOUND), digest)]


def test_a_storage_that_gives_a_few_bytes_at_a_time_is_read_all_the_same(media):
    from statecore.sealing.files import open_sealed
    from statecore.sealing.site import sealing_of_site

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size, 1000) if size and size > 0 else 1000)

    recordings.save(NAME, ContentFile(SOUND))
    raw = Slow((media / NAME).read_bytes())
    assert open_sealed(raw, sealing_of_site().ring, NAME).read() == SOUND
