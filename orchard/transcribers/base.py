"""What every transcriber takes and gives. Times count from the start of the chunk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec


class Word(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One word, when it was said, and how sure the transcriber is (0 to 1)."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float | None = None


class Segment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was said between two pauses."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    speaker: str = ""
    """Who says it, where the transcriber tells speakers apart."""
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    """The three figures by which whisper judges itself; others leave them out."""


class Transcription(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one chunk."""

    text: str
    segments: tuple[Segment, ...]
    language: str
    model: str


def without_words(heard: Transcription) -> Transcription:
    """The same without single words."""
    plain = tuple(msgspec.structs.replace(one, words=()) for one in heard.segments)
    return msgspec.structs.replace(heard, segments=plain)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to load a transcriber."""

    model: str = ""
    """A model's name, or a local folder; empty: the bundled one."""
    threads: int = 0
    """Threads to compute with; 0: as many as there are processors."""
    url: str = ""
    """Address of the service, where the transcriber is one."""
    timeout_s: float = 600.0


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender of a recording wishes; a transcriber does what it can of it."""

    prompt: str = ""
    """Words in the style of the recording, read before it."""
    hot_words: tuple[str, ...] = ()
    """Names and terms that are likely to be said."""
    words: bool = True
    """Whether single words are wanted, with their times."""
    careful: bool = False
    """Whether it is done once more because a text was doubtful: rather no words than invented."""


NOTHING_SPECIAL = Wishes()


class TranscriberFailed(Exception):
    """The transcriber could not do it."""


class UnknownTranscriber(TranscriberFailed):
    """There is no such transcriber."""


Progress = Callable[[float], None]


def ignore_progress(share: float) -> None:
    """Tell nobody how far the work is."""


class Transcriber(Protocol):
    """Something that turns sound into words; used by one thread at a time."""

    def transcribe(
        self, wav: Path, language: str = "", progress: Progress = ignore_progress,
        wishes: Wishes = NOTHING_SPECIAL,
    ) -> Transcription:  # fmt: skip
        """The words in a WAV file (16 kHz, mono); ``language`` is a code, or empty to find out.

        ``progress`` is told now and then how far the work is (0 to 1); what it
        raises ends the work.

        Raises:
            TranscriberFailed: this sound, or this language, is beyond it.
        """
        ...
