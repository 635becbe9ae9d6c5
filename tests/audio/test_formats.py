"""Any recording becomes 16 kHz mono, and each sound keeps its time."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from django.core.files import File

from orchard.ports import audio
from tests import recordings
from tests.audio.sound import ignore, lag_ms
from tests.recordings import RATE


@pytest.fixture(scope="module")
def recording() -> recordings.Recording:
    return recordings.build([2.0, 1.0, 3.0])


def convert(source, folder: Path, *, noise_reduction: bool = False):
    target = folder / "converted.wav"
    info = audio.purify(source, target, noise_reduction=noise_reduction, progress=ignore)
    return info, recordings.read_wav(target)


@pytest.mark.parametrize("ending", recordings.FORMATS)
def test_every_format_keeps_length_and_times(ending, recording, tmp_path):
    """Encoders add padding at the start and the end; none of it may move the sound."""
    path = recordings.encode(recording.samples, tmp_path / f"sound{ending}")
    info, samples = convert(path, tmp_path)
    assert abs(lag_ms(samples, recording.samples)) <= 2
    assert abs(info.duration_ms - recording.duration_ms) <= 25
    assert info.duration_ms == -(-len(samples) * 1000 // RATE)


@pytest.mark.parametrize("ending", recordings.FORMATS)
def test_probing_tells_what_a_recording_is(ending, recording, tmp_path):
    path = recordings.encode(recording.samples, tmp_path / f"sound{ending}")
    info = audio.probe(path)
    assert abs(info.duration_ms - recording.duration_ms) <= 30
    assert (info.channels, info.sample_rate in {44_100, 48_000}) == (2, True)
    assert info.codec
    assert info.format


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_sound_that_begins_after_the_picture_stays_there(ending, recording, tmp_path):
    path = recordings.encode(recording.samples, tmp_path / f"video{ending}", delay_s=0.7)
    _, samples = convert(path, tmp_path)
    assert lag_ms(samples, recording.samples) == pytest.approx(700, abs=5)


def test_a_file_object_is_read_like_a_path(recording, tmp_path):
    path = recordings.write_wav(recording.samples, tmp_path / "sound.wav")
    with path.open("rb") as stream:
        assert audio.probe(stream) == audio.probe(path)
    with path.open("rb") as stream:
        _, samples = convert(File(stream, name="misleading.mp3"), tmp_path)
    assert np.array_equal(samples, recording.samples)


def test_sound_that_is_missing_in_the_middle_leaves_silence(recording, tmp_path):
    """Packets lost on the way to a file must not move what comes after them."""
    whole = recordings.encode(recording.samples, tmp_path / "whole.mkv")
    holed = tmp_path / "holed.mkv"
    with av.open(str(whole)) as source, av.open(str(holed), "w") as target:
        stream = source.streams.audio[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None and not 9.0 < packet.pts * packet.time_base < 12.0:
                packet.stream = copy
                target.mux(packet)
    info, samples = convert(holed, tmp_path)
    tail = slice(15 * RATE, None)
    assert abs(lag_ms(samples[tail], recording.samples[tail])) <= 2
    assert not samples[int(9.5 * RATE) : int(11.5 * RATE)].any()
    assert abs(info.duration_ms - recording.duration_ms) <= 25


def test_two_files_put_end_to_end_are_one_recording(recording, tmp_path):
    """Timestamps that start anew go on where the first part ended."""
    part = recordings.encode(recording.samples, tmp_path / "part.mp3").read_bytes()
    info, _ = convert(io.BytesIO(part + part), tmp_path)
    assert abs(info.duration_ms - 2 * recording.duration_ms) <= 150


def test_progress_grows_to_one(recording, tmp_path):
    heard = []
    path = recordings.encode(recording.samples, tmp_path / "sound.flac")
    audio.purify(path, tmp_path / "o.wav", noise_reduction=True, progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert len(heard) > 10
