"""The purifier leaves clean speech alone, helps noisy speech, and moves nothing."""

from __future__ import annotations

import numpy as np
import pytest

from orchard.ports import audio
from orchard.ports.audio.noise import NOISY_DB, NoiseFilter, NoiseMeter
from tests import recordings
from tests.audio.sound import ignore, lag_ms


def purified(samples, folder, *, noise_reduction):
    source = recordings.write_wav(samples, folder / "source.wav")
    audio.purify(source, folder / "o.wav", noise_reduction=noise_reduction, progress=ignore)
    return recordings.read_wav(folder / "o.wav")


def stands_out_db(samples):
    meter = NoiseMeter()
    for start in range(0, len(samples), 777):
        meter.hear(samples[start : start + 777])
    return meter.stands_out_db()


@pytest.fixture(scope="module")
def speech():
    return recordings.build([0.8] * 5).samples


def test_clean_speech_stays_as_it_is_to_the_sample(speech, tmp_path):
    """On can never be worse than off where it changes nothing."""
    for samples in (speech, speech // 20, np.concatenate([c.samples for c in recordings.clips()])):
        assert np.array_equal(purified(samples, tmp_path, noise_reduction=True), samples)


@pytest.mark.parametrize(("kind", "snr_db"), [("white", 5), ("pink", 0)])
def test_noisy_speech_keeps_its_length_and_its_times(kind, snr_db, speech, tmp_path):
    noisy = recordings.add_noise(speech, kind, snr_db)
    clean = purified(noisy, tmp_path, noise_reduction=True)
    assert len(clean) == len(noisy)
    assert not np.array_equal(clean, noisy)
    assert abs(lag_ms(clean, noisy)) <= 1
    assert purified(noisy, tmp_path, noise_reduction=False).tobytes() == noisy.tobytes()


@pytest.mark.parametrize("length", [1, 100, 399, 401, 16_000, 16_001])
def test_the_filter_gives_back_as_much_as_it_got(length):
    samples = np.arange(length, dtype=np.int16)
    noise_filter = NoiseFilter()
    got = [*noise_filter.filter(samples), *noise_filter.finish()]
    assert sum(len(part) for part in got) == length


def test_noise_shows_by_how_little_a_voice_stands_out(speech):
    """Steady noise counts; hum below the voice and other people's voices do not."""
    assert stands_out_db(speech) > 20
    for kind in ("white", "pink"):
        assert stands_out_db(recordings.add_noise(speech, kind, 5)) < NOISY_DB
    for kind in ("hum", "brown", "babble"):
        assert stands_out_db(recordings.add_noise(speech, kind, 5)) > NOISY_DB


def test_silence_is_not_noisy(tmp_path):
    silence = recordings.silence(30)
    assert np.array_equal(purified(silence, tmp_path, noise_reduction=True), silence)


@pytest.mark.slow
def test_the_purifier_helps_noisy_speech_and_never_harms_clean_speech():
    """Words heard by the real model, with the purifier off and on."""
    from benchmarks.purifier_wer import Listener, measure, takes

    listener = Listener()
    clean = measure(listener, takes(1), "", 0)
    assert clean.on <= clean.off <= 0.05
    noisy = [measure(listener, takes(3), *case) for case in (("white", 3), ("pink", 0))]
    assert sum(one.on for one in noisy) < sum(one.off for one in noisy)
