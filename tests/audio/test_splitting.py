"""Recordings are cut where nobody speaks, and every chunk holds its sound to the sample."""

from __future__ import annotations

import numpy as np
import pytest

from orchard.domain.timeline import LONGEST_MS
from orchard.ports import audio
from orchard.ports.audio.speech import find_regions
from tests import recordings
from tests.audio.sound import ignore
from tests.recordings import RATE


def split(samples, folder):
    """The spans and the samples of all chunks."""
    path = recordings.write_wav(samples, folder / "sound.wav")
    chunks = {}

    def keep(index, chunk):
        chunks[index] = recordings.read_wav(chunk)

    cut = audio.split(path, folder, keep, progress=ignore)
    assert sorted(chunks) == list(range(len(cut.spans)))
    assert list(folder.glob("chunk-*")) == []
    return cut, [chunks[index] for index in sorted(chunks)]


@pytest.fixture(scope="module")
def recording():
    return recordings.build([2.0, 0.4, 0.9, 20.0, 0.5, 1.2, 0.7, 45.0] * 3, tail_s=15)


def test_each_chunk_holds_the_samples_of_its_span(recording, tmp_path):
    cut, chunks = split(recording.samples, tmp_path)
    assert cut.duration_ms == recording.duration_ms
    for span, chunk in zip(cut.spans, chunks, strict=True):
        expected = recording.samples[span.start_ms * 16 : span.end_ms * 16]
        assert np.array_equal(chunk, expected)


def test_every_clip_is_whole_in_one_chunk_and_silence_in_none(recording, tmp_path):
    """The voice of a clip begins in the chunk that holds its end; long pauses are nowhere."""
    cut, _ = split(recording.samples, tmp_path)
    for number, onset in enumerate(recording.onsets_ms):
        clip = recordings.clips()[number % 5]
        end = onset - clip.onset_ms + len(clip.samples) * 1000 // RATE - 350
        assert sum(s.start_ms <= onset and end <= s.end_ms for s in cut.spans) == 1
    assert sum(s.duration_ms for s in cut.spans) < recording.duration_ms - 6 * 19_000
    assert all(s.duration_ms <= LONGEST_MS + 1_000 for s in cut.spans)


def test_silence_has_no_chunks(tmp_path):
    cut, _ = split(recordings.silence(60), tmp_path)
    assert (cut.spans, cut.duration_ms) == ((), 60_000)


def test_a_recording_without_a_sample_has_no_chunks(tmp_path):
    cut, _ = split(recordings.silence(0), tmp_path)
    assert (cut.spans, cut.duration_ms) == ((), 0)


@pytest.mark.parametrize("kind", ["white", "brown", "hum", "fan"])
def test_noise_alone_has_no_chunks(kind, tmp_path):
    noise = recordings.NOISES[kind](30 * RATE, np.random.default_rng(1))
    cut, _ = split((noise / np.abs(noise).max() * 3_000).astype(np.int16), tmp_path)
    assert cut.spans == ()


@pytest.mark.parametrize("kind", ["white", "pink", "hum"])
def test_in_noise_no_cut_falls_into_a_clip(kind, tmp_path):
    recording = recordings.build([0.6] * 20)
    cut, _ = split(recordings.add_noise(recording.samples, kind, 10), tmp_path)
    assert len(cut.spans) > 1
    for onset, clip in zip(recording.onsets_ms, recordings.clips() * 4, strict=True):
        start = onset - clip.onset_ms
        end = start + len(clip.samples) * 1000 // RATE
        assert not [s for s in cut.spans[:-1] if start + 300 < s.end_ms < end - 450]


def test_an_onset_is_heard_within_150_milliseconds(recording, tmp_path):
    path = recordings.write_wav(recording.samples, tmp_path / "sound.wav")
    heard = audio.speech_regions(path, ignore)
    starts = np.array([region.start_ms for region in heard.regions])
    assert all(np.abs(starts - onset).min() <= 150 for onset in recording.onsets_ms)


def test_speech_starts_and_ends_at_different_levels():
    """A wavering voice is one region: it ends below 0.35, not below 0.5."""
    likely = [0.1, 0.6, 0.4, 0.36, 0.6, 0.34, 0.45, 0.9, 0.2]
    regions = [(r.start_ms, r.end_ms) for r in find_regions(iter(likely), 288)]
    assert regions == [(32, 160)]
