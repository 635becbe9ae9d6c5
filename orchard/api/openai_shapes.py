"""Transcripts in the shapes of OpenAI's API."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import Any

from orchard.domain.jobs import Job
from orchard.domain.languages import name_of
from orchard.domain.timeline import Line, Word
from orchard.services.queries import TranscriptView

UNKNOWN = "unknown"
"""The language of a recording that nobody named one for, and no worker either."""


def short_shape(view: TranscriptView) -> dict[str, Any]:
    """The text alone, as ``json``."""
    return {"text": view.transcript.text, "usage": _usage(view.job)}


def verbose_shape(view: TranscriptView, dated: Collection[str] = ()) -> dict[str, Any]:
    """The text with its lines or words and their times, as ``verbose_json``.

    ``dated`` is what is to have times, lines unless it says otherwise.
    """
    code, lines = view.job.language or view.transcript.language, view.transcript.segments
    shape: dict[str, Any] = {
        "task": "transcribe",
        "language": name_of(code) or UNKNOWN,
        "duration": view.job.duration_ms / 1000,
        "text": view.transcript.text,
    }
    if "word" in dated:
        shape["words"] = [_word(word) for line in lines for word in line.words]
    if "segment" in dated or not dated:
        shape["segments"] = [_segment(i, line) for i, line in enumerate(lines)]
    return shape | {"usage": _usage(view.job)}


def _word(word: Word) -> dict[str, Any]:
    return {
        "word": word.text.strip(), "start": word.start_ms / 1000, "end": word.end_ms / 1000
    }  # fmt: skip


def _segment(number: int, line: Line) -> dict[str, Any]:
    return {
        "id": number, "seek": line.start_ms // 10, "start": line.start_ms / 1000,
        "end": line.end_ms / 1000, "text": line.text, "tokens": [], "temperature": 0.0,
        "avg_logprob": line.avg_logprob or 0.0,
        "compression_ratio": line.compression_ratio or _ratio(line.text),
        "no_speech_prob": line.no_speech_prob or 0.0,
    }  # fmt: skip


def _usage(job: Job) -> dict[str, Any]:
    return {"type": "duration", "seconds": job.duration_ms / 1000}


def _ratio(text: str) -> float:
    """How much shorter a text becomes by packing, as whisper measures loops."""
    raw = text.encode()
    return round(len(raw) / len(zlib.compress(raw)), 3)
