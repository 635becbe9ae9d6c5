"""How noisy a recording is, and a filter that takes steady noise down and keeps every time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph

from orchard.ports.audio.placing import RATE, Samples

NOISY_DB = 7.0
"""A voice that stands out of the noise by less than this gets the filter. Above it, and among
other voices, the filter costs a transcriber more words than it saves (docs/purifier.md)."""
_FRAME = 512
_SILENT_DB = 6
"""Frames below this are digital silence and say nothing of the room."""

_FILTER = "nr=12:nf=-40:tn=1"
"""Spectral subtraction of 12 dB that follows the noise. Stronger filters sound cleaner to people,
but not to a transcriber."""
_LATENCY = RATE * 25 // 1000
"""The filter gives each sample this many samples late; a test measures it."""


class NoiseMeter:
    """Measures by how much a voice stands out, in constant memory."""

    def __init__(self) -> None:
        self._counts = np.zeros(128, np.int64)
        self._rest = np.zeros(0, np.int16)

    def hear(self, samples: Samples) -> None:
        """Take note of the next samples."""
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // _FRAME * _FRAME
        self._rest = samples[whole:]
        # Hum and rumble lie below the voice and do not disturb a transcriber: the
        # difference of neighbours weighs them as little as they count.
        frames = samples[:whole].astype(np.float32).reshape(-1, _FRAME)
        power = np.mean(np.diff(frames, axis=1) ** 2, axis=1)
        levels = (10 * np.log10(power + 1)).astype(np.int64)
        self._counts += np.bincount(levels, minlength=len(self._counts))

    def stands_out_db(self) -> float:
        """Decibels from the quiet moments to the loud ones."""
        heard = self._counts[_SILENT_DB:].cumsum()
        if not heard[-1]:
            return float("inf")
        quiet, loud = np.searchsorted(heard, [0.10 * heard[-1], 0.95 * heard[-1]])
        return float(loud - quiet)


class NoiseFilter:
    """Takes steady noise down by a few decibels; what comes out is as long as what went in."""

    def __init__(self) -> None:
        graph = Graph()
        self._source = graph.add_abuffer(
            sample_rate=RATE, format="s16", layout="mono", time_base=Fraction(1, RATE)
        )
        links = [
            self._source, graph.add("afftdn", _FILTER),
            graph.add("aformat", f"sample_fmts=s16:sample_rates={RATE}:channel_layouts=mono"),
            graph.add("abuffersink"),
        ]  # fmt: skip
        graph.link_nodes(*links).configure()
        self._graph, self._sink = graph, links[-1]
        self._pushed = 0
        self._late = _LATENCY

    def filter(self, samples: Samples) -> Iterator[Samples]:
        """Push samples in; a moment of sound stays inside."""
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = self._pushed
        self._pushed += len(samples)
        self._source.push(frame)
        yield from self._pull()

    def finish(self) -> Iterator[Samples]:
        """What is still inside."""
        yield from self.filter(np.zeros(_LATENCY, np.int16))
        self._source.push(None)
        yield from self._pull()

    def _pull(self) -> Iterator[Samples]:
        while True:
            try:
                frame = self._sink.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            assert isinstance(frame, AudioFrame)  # noqa: S101 — a sink of sound gives sound
            samples = frame.to_ndarray().reshape(-1).astype(np.int16, copy=False)
            dropped = min(self._late, len(samples))
            self._late -= dropped
            yield samples[dropped:]
