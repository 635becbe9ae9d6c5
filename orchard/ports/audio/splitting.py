"""Cut a recording into chunks where nobody speaks."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import msgspec

from orchard.domain.timeline import Span, plan_cuts
from orchard.ports.audio import wav
from orchard.ports.audio.placing import RATE
from orchard.ports.audio.speech import speech_regions

_LISTENING = 0.95
"""Share of the work that is finding speech; the rest is writing chunks."""


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """How a recording was cut."""

    spans: tuple[Span, ...]
    duration_ms: int


def split(
    path: Path, folder: Path, keep: Callable[[int, Path], None], *,
    progress: Callable[[float], None],
) -> Cut:  # fmt: skip
    """Cut a WAV file of 16 kHz mono into chunks, and hand them over one by one.

    Each chunk is a WAV file in ``folder``, removed after ``keep(index, path)``
    unless it was moved away. ``progress`` hears how far the work is (0 to 1).
    """
    heard = speech_regions(path, lambda share: progress(share * _LISTENING))
    spans = plan_cuts(heard.regions, heard.duration_ms, heard.loudness)
    with wav.opened(path) as file:
        for index, span in enumerate(spans):
            chunk = folder / f"chunk-{index:05}.wav"
            _copy(file, span, chunk)
            keep(index, chunk)
            chunk.unlink(missing_ok=True)
            progress(_LISTENING + (1 - _LISTENING) * (index + 1) / len(spans))
    return Cut(spans=spans, duration_ms=heard.duration_ms)


def _copy(file: wave.Wave_read, span: Span, chunk: Path) -> None:
    start = wav.to_samples(span.start_ms)
    file.setpos(start)
    with wav.created(chunk) as written:
        for pcm in wav.read_blocks(file, wav.to_samples(span.end_ms) - start, RATE):
            written.write(pcm)
