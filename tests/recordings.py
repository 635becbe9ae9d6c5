"""Recordings for tests: real speech with known words at known times, in any format, with noise."""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import msgspec
import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parent / "data"
RATE = 16_000

Samples = NDArray[np.int16]


class Clip(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of real speech."""

    text: str
    samples: Samples
    onset_ms: int
    """When the voice begins in it."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A recording of clips and silences, and what is said when."""

    samples: Samples
    texts: tuple[str, ...]
    onsets_ms: tuple[int, ...]
    """When the voice of each clip begins."""

    @property
    def text(self) -> str:
        """All words in order, in small letters and without punctuation."""
        return " ".join(self.texts)

    @property
    def duration_ms(self) -> int:
        """Its length in milliseconds."""
        return len(self.samples) * 1000 // RATE


@cache
def clips() -> tuple[Clip, ...]:
    """The five clips of tests/data."""
    return tuple(_load(path) for path in sorted(DATA.glob("*.wav")))


def build(pauses_s: Sequence[float], *, tail_s: float = 1.0) -> Recording:
    """A recording with one clip after each pause, over and over through the five clips."""
    parts: list[Samples] = []
    texts, onsets, at = [], [], 0
    for number, pause_s in enumerate(pauses_s):
        clip = clips()[number % len(clips())]
        parts += [silence(pause_s), clip.samples]
        at += len(parts[-2])
        onsets.append(at * 1000 // RATE + clip.onset_ms)
        texts.append(clip.text)
        at += len(clip.samples)
    samples = np.concatenate([*parts, silence(tail_s)])
    return Recording(samples=samples, texts=tuple(texts), onsets_ms=tuple(onsets))


def silence(seconds: float) -> Samples:
    """Nothing at all."""
    return np.zeros(round(seconds * RATE), np.int16)


def read_wav(path: Path) -> Samples:
    """The samples of a WAV file of 16 kHz mono."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def write_wav(samples: Samples, path: Path, *, times: int = 1) -> Path:
    """Write a WAV file of 16 kHz mono, with the samples over and over."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for _ in range(times):
            file.writeframesraw(samples.tobytes())
    return path


_CODECS: Mapping[str, tuple[str, int]] = {
    ".wav": ("pcm_s16le", 44_100), ".mp3": ("libmp3lame", 44_100), ".m4a": ("aac", 44_100),
    ".ogg": ("vorbis", 44_100), ".opus": ("libopus", 48_000), ".flac": ("flac", 48_000),
    ".webm": ("libopus", 48_000), ".mp4": ("aac", 48_000), ".mkv": ("aac", 48_000),
}  # fmt: skip
FORMATS = tuple(_CODECS)
"""The endings that ``encode`` knows; mp4 and mkv are videos."""


def encode(samples: Samples, path: Path, *, delay_s: float = 0.0, channels: int = 2) -> Path:
    """Write the sound in the format that the path's ending names, as other programs do.

    ``delay_s`` lets the sound of a video begin after its picture.
    """
    codec, rate = _CODECS[path.suffix]
    with av.open(str(path), "w") as container:
        picture = _add_picture(container) if path.suffix in {".mp4", ".mkv"} else None
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "stereo" if channels == 2 else "mono"
        if codec == "vorbis":
            stream.options = {"strict": "experimental"}
        if picture:
            _write_picture(container, picture, len(samples) / RATE + delay_s)
        _write_sound(container, stream, samples, delay_s)
    return path


def encode_picture(path: Path, seconds: float = 1.0) -> Path:
    """Write a video without sound."""
    with av.open(str(path), "w") as container:
        _write_picture(container, _add_picture(container), seconds)
    return path


def _write_sound(container, stream, samples, delay_s):
    resampler = av.AudioResampler(
        format=stream.codec_context.format, layout=stream.layout, rate=stream.rate,
        frame_size=stream.codec_context.frame_size or 1024,
    )  # fmt: skip
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    at = round(delay_s * stream.rate)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        part.pts, part.time_base = at, Fraction(1, stream.rate)
        at += part.samples
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))


def _add_picture(container):
    stream = container.add_stream("mpeg4", rate=10)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    return stream


def _write_picture(container, stream, seconds):
    for number in range(max(1, round(seconds * 10))):
        grey = np.full((64, 64, 3), number % 256, np.uint8)
        frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
        frame.pts = number
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def add_noise(samples: Samples, kind: str, snr_db: float, *, seed: int = 0) -> Samples:
    """The speech with noise of one of ``NOISES`` all along.

    The ratio compares the noise with the speech while somebody speaks.
    """
    speech = samples.astype(np.float64)
    noise = NOISES[kind](len(samples), np.random.default_rng(seed))
    loud = np.abs(speech) > 100
    wanted = np.sqrt(np.mean(speech[loud] ** 2)) / 10 ** (snr_db / 20)
    mixed = speech + noise * wanted / np.sqrt(np.mean(noise**2))
    return np.clip(mixed * min(1.0, 32000 / np.abs(mixed).max()), -32768, 32767).astype(np.int16)


def _coloured(power: float) -> Callable[[int, np.random.Generator], NDArray[np.float64]]:
    """Noise whose power falls with this power of the frequency."""

    def make(length: int, random: np.random.Generator) -> NDArray[np.float64]:
        spectrum = np.fft.rfft(random.standard_normal(length))
        frequency = np.maximum(np.fft.rfftfreq(length, 1 / RATE), 20.0)
        return np.fft.irfft(spectrum / frequency ** (power / 2), length)

    return make


def _hum(length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Mains hum: 50 Hz and its harmonics."""
    time = np.arange(length) / RATE
    waves = [np.sin(2 * np.pi * 50 * n * time + random.uniform(0, 6)) / n for n in range(1, 12)]
    return np.sum(waves, axis=0) + 0.02 * random.standard_normal(length)


def _fan(length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """A fan: deep noise with the tone of its blades."""
    tone = np.sin(2 * np.pi * 117 * np.arange(length) / RATE)
    deep = _coloured(1.5)(length, random)
    return deep / deep.std() + 0.7 * tone


def _babble(length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Other people talking: the clips backwards, six at a time."""
    spoken = np.concatenate([clip.samples[::-1] for clip in clips()]).astype(np.float64)
    shifts = random.integers(0, len(spoken), 6)
    return np.sum([np.resize(np.roll(spoken, shift), length) for shift in shifts], axis=0)


NOISES: Mapping[str, Callable[[int, np.random.Generator], NDArray[np.float64]]] = {
    "white": _coloured(0), "pink": _coloured(1), "brown": _coloured(2), "hum": _hum, "fan": _fan,
    "babble": _babble,
}  # fmt: skip
"""Kinds of noise: a length in samples and a source of chance become noise."""


def _load(path: Path) -> Clip:
    samples = read_wav(path)
    text = " ".join(path.with_suffix(".txt").read_text().split())
    return Clip(text=text, samples=samples, onset_ms=_onset_ms(samples))


def _onset_ms(samples: Samples) -> int:
    frames = np.abs(samples[: len(samples) // 160 * 160].astype(np.float64)).reshape(-1, 160)
    level = frames.mean(axis=1)
    loud = level > 0.12 * np.percentile(level, 95)
    # A voice lasts; a click at the very start of a clip does not.
    lasting = np.lib.stride_tricks.sliding_window_view(loud, 6).all(axis=1)
    return int(np.argmax(lasting)) * 10
