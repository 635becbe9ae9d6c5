"""PocketSphinx: 29 MB with everything in it, quick to start, and far from exact. The fallback."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pocketsphinx import Decoder

from orchard.transcribers.base import (
    NOTHING_SPECIAL,
    Options,
    Progress,
    TranscriberFailed,
    Transcription,
    Wishes,
    Word,
    ignore_progress,
)
from orchard.transcribers.pauses import split_at_pauses

FRAME_MS = 10
"""The decoder counts time in frames of so many milliseconds."""

_BLOCK = 16_000


class PocketSphinx:
    """The bundled English model."""

    def transcribe(
        self, wav: Path, language: str = "", progress: Progress = ignore_progress,
        wishes: Wishes = NOTHING_SPECIAL,
    ) -> Transcription:  # fmt: skip
        """The words in a WAV file; see :class:`Transcriber`."""
        if language not in ("", "en"):
            raise TranscriberFailed(f"pocketsphinx knows English only, not {language!r}")
        # A decoder adapts to what it hears: a fresh one gives the same words every time.
        decoder = Decoder(samprate=16_000, loglevel="ERROR")
        decoder.start_utt()
        with wave.open(str(wav), "rb") as sound:
            while block := sound.readframes(_BLOCK):
                decoder.process_raw(block, False, False)
                progress(sound.tell() / sound.getnframes())
        decoder.end_utt()
        sure = decoder.logmath.exp
        words = [_word(seg, sure) for seg in decoder.seg() or () if _is_spoken(seg.word)]
        segments = split_at_pauses(words)
        return Transcription(
            text=" ".join(segment.text for segment in segments), segments=segments,
            language="en", model="pocketsphinx",
        )  # fmt: skip


def load(options: Options) -> PocketSphinx:
    """The transcriber; its model comes with the library."""
    return PocketSphinx()


def _is_spoken(word: str) -> bool:
    return not word.startswith(("<", "[", "++"))


def _word(seg: Any, sure: Callable[[float], float]) -> Word:
    spelled = seg.word.partition("(")[0]  # "the(2)" is a way to say it
    return Word(
        start_ms=seg.start_frame * FRAME_MS, end_ms=(seg.end_frame + 1) * FRAME_MS,
        text=f" {spelled}", confidence=round(min(1.0, sure(seg.prob)), 3),
    )  # fmt: skip
