"""Row 10: the joined transcript of a recording that was cut, against its words and their times."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import jiwer
import msgspec
import numpy as np

from benchmarks.rows import Row, make_row
from benchmarks.wording import plain
from orchard.domain.timeline import ChunkResult, Transcript, join
from orchard.ports import audio
from orchard.transcribers import load
from orchard.transcribers.base import Options, Transcriber
from tests import recordings
from tests.recordings import Recording

PAUSES_S = (1.0, 0.8, 4.0, 0.5, 12.0, 2.0, 1.5, 0.7, 25.0, 3.0)
ONSET_GOAL_MS = 500.0
GROWTH_GOAL_MS = 100.0
"""As good as none: the last third of the onsets may be so much worse than the first."""
WORDS_GOAL = 2.0


def measure(rounds: int = 3) -> Iterator[Row]:
    """Errors of onsets and words; what is cut is the ten clips and pauses, so many times over."""
    recording = recordings.build(PAUSES_S * rounds)
    listener = load("faster_whisper", Options(threads=os.cpu_count() or 1))
    with tempfile.TemporaryDirectory(prefix="orchard-bench-") as folder:
        source = recordings.write_wav(recording.samples, Path(folder) / "source.wav")
        joined = _hear_chunks(source, Path(folder), listener)
        whole = listener.transcribe(source, "en").text
    errors = _onset_errors_ms(recording, joined)
    third = max(1, len(errors) // 3)
    growth = median(errors[-third:]) - median(errors[:third])
    more = 100 * (_rate(recording, joined.text) - _rate(recording, whole))
    p95 = float(np.percentile(errors, 95))
    yield make_row("10", "onset error of the joined lines, p95", [p95], "ms", ONSET_GOAL_MS)
    yield make_row("10", "growth of it along the file", [growth], "ms", GROWTH_GOAL_MS)
    name = "words wrong, more than without cuts"
    yield make_row("10", name, [more], "points", WORDS_GOAL)


def _hear_chunks(source: Path, folder: Path, listener: Transcriber) -> Transcript:
    """Purify, split, transcribe and join, as pipeline and agents do it."""
    clean = folder / "clean.wav"
    audio.purify(source, clean, noise_reduction=True, progress=lambda share: None)
    heard: list[ChunkResult] = []

    def hear(index: int, path: Path) -> None:
        told = listener.transcribe(path, "en")
        shape = {"text": told.text, "time_ms": 0, "segments": msgspec.to_builtins(told.segments)}
        heard.append(msgspec.convert(shape, ChunkResult))

    cut = audio.split(clean, folder, hear, progress=lambda share: None)
    return join(zip(cut.spans, heard, strict=True))


def _onset_errors_ms(recording: Recording, joined: Transcript) -> Sequence[int]:
    """How far the nearest line begins from where each clip was placed."""
    starts = np.array([line.start_ms for line in joined.segments])
    return [int(np.abs(starts - onset).min()) for onset in recording.onsets_ms]


def _rate(recording: Recording, heard: str) -> float:
    return float(jiwer.wer(plain(recording.text), plain(heard)))
