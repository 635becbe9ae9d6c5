"""Where a voice really begins: recognisers date the first word after a pause too early."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from orchard.transcribers.base import Word

FRAME_MS = 10

AFTER_PAUSE_MS = 200
"""A word that follows the one before so soon is dated by its neighbour well enough."""

VOICED = 0.12
"""A frame with this share of the word's loudest frame belongs to the word."""


def read_levels(wav: Path) -> NDArray[np.float32]:
    """Loudness of a WAV file (16 bits, mono), one value for every 10 ms."""
    with wave.open(str(wav), "rb") as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
        length = sound.getframerate() * FRAME_MS // 1000
    frames = samples[: len(samples) // length * length].reshape(-1, length).astype(np.float32)
    levels: NDArray[np.float32] = np.sqrt(np.mean(frames**2, axis=1))
    return levels


def date_onsets(words: Sequence[Word], levels: NDArray[np.float32]) -> list[Word]:
    """The words, those after a pause beginning where their sound does and never earlier."""
    dated: list[Word] = []
    for word in words:
        follows = dated and word.start_ms - dated[-1].end_ms < AFTER_PAUSE_MS
        dated.append(word if follows else _date(word, levels))
    return dated


def _date(word: Word, levels: NDArray[np.float32]) -> Word:
    first = word.start_ms // FRAME_MS
    heard = levels[first : word.end_ms // FRAME_MS]
    if not len(heard):
        return word
    quiet = int(np.argmax(heard >= heard.max() * VOICED))
    return msgspec.structs.replace(word, start_ms=(first + quiet) * FRAME_MS)
