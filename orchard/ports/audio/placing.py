"""Bring decoded sound to 16 kHz mono, each sample at its place on the recording's timeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

RATE = 16_000
"""Samples a second of everything that this package writes."""

Samples = NDArray[np.int16]

_JITTER_S = 0.015
"""Timestamps are rounded; only when they are off by more than this, sound is missing."""
_OVERLAP_S = 1.0
"""Timestamps that go back by more than this have started anew, as in files put end to end."""
_GAP_S = 60.0
"""The longest gap to believe in when the length of the recording is not known."""
_BLOCK = RATE * 10


class Timeline:
    """Puts decoded frames at the places that their timestamps name."""

    def __init__(self, origin_s: float, length_s: float) -> None:
        self.reached_s = 0.0
        """How far the recording is filled; the next frame is expected here."""
        self._origin_s = origin_s
        self._length_s = length_s
        self._tolerance_s = 0.0  # the first frame tells exactly where the sound begins
        self._surplus = 0
        self._form: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None

    def place(self, frame: AudioFrame) -> Iterator[Samples]:
        """The next samples, with silence before them where sound is missing."""
        yield from self._prepare(frame)
        if frame.time is not None:
            yield from self._move_to(frame.time - self._origin_s)
        self._tolerance_s = _JITTER_S
        self.reached_s += frame.samples / frame.sample_rate
        frame.pts = None
        if self._resampler is not None:
            yield from self._samples(self._resampler.resample(frame))

    def finish(self) -> Iterator[Samples]:
        """The samples that are still on their way."""
        if self._resampler is not None:
            yield from self._samples(self._resampler.resample(None))
        self._resampler = None

    def _prepare(self, frame: AudioFrame) -> Iterator[Samples]:
        """Have a resampler for this form of sound, which may change within a file."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form:
            yield from self.finish()
            self._form = form
            self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE)

    def _move_to(self, at_s: float) -> Iterator[Samples]:
        missing_s = at_s - self.reached_s
        if abs(missing_s) <= self._tolerance_s:
            return
        if not self._is_likely(missing_s):
            self._origin_s += missing_s
            return
        self.reached_s += missing_s
        if missing_s > 0:
            yield from _silence(round(missing_s * RATE))
        else:
            self._surplus += round(-missing_s * RATE)

    def _is_likely(self, missing_s: float) -> bool:
        if missing_s < 0:
            return -missing_s < _OVERLAP_S
        if self._length_s:
            return self.reached_s + missing_s < self._length_s + _OVERLAP_S
        return missing_s < _GAP_S

    def _samples(self, frames: Iterable[AudioFrame]) -> Iterator[Samples]:
        for frame in frames:
            samples = frame.to_ndarray().reshape(-1).astype(np.int16, copy=False)
            dropped = min(self._surplus, len(samples))
            self._surplus -= dropped
            if dropped < len(samples):
                yield samples[dropped:]


def _silence(length: int) -> Iterator[Samples]:
    for done in range(0, length, _BLOCK):
        yield np.zeros(min(_BLOCK, length - done), np.int16)
