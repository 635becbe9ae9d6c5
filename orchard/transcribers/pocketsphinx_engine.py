"""PocketSphinx: 29 MB with everything in it, quick to start, and far from exact. The fallback."""

from __future__ import annotations

import wave
from pathlib import Path

from pocketsphinx import Decoder

from orchard.transcribers.base import (
    Options,
    Progress,
    TranscriberFailed,
    Transcription,
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
        self, wav: Path, language: str = "", progress: Progress = ignore_progress
    ) -> Transcription:
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
        words = [_word(seg) for seg in decoder.seg() or () if _is_spoken(seg.word)]
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


def _word(seg: object) -> Word:
    start, end = seg.start_frame, seg.end_frame  # type: ignore[attr-defined]
    spelled = seg.word.partition("(")[0]  # type: ignore[attr-defined]  # "the(2)" is a way to say it
    return Word(start_ms=start * FRAME_MS, end_ms=(end + 1) * FRAME_MS, text=f" {spelled}")
