"""Transcripts in the shapes of OpenAI's API."""

from __future__ import annotations

import zlib
from typing import Any

from orchard.api.openai_languages import NAMES
from orchard.domain.jobs import Job
from orchard.domain.timeline import Line
from orchard.services.queries import TranscriptView

UNKNOWN = "unknown"
"""The language of a recording that nobody named one for: what was recognized is not kept."""


def short_shape(view: TranscriptView) -> dict[str, Any]:
    """The text alone, as ``json``."""
    return {"text": view.transcript.text, "usage": _usage(view.job)}


def verbose_shape(view: TranscriptView) -> dict[str, Any]:
    """The text with its lines and their times, as ``verbose_json``."""
    return {
        "task": "transcribe",
        "language": NAMES.get(view.job.language, UNKNOWN),
        "duration": view.job.duration_ms / 1000,
        "text": view.transcript.text,
        "segments": [_segment(i, line) for i, line in enumerate(view.transcript.segments)],
        "usage": _usage(view.job),
    }


def _segment(number: int, line: Line) -> dict[str, Any]:
    return {
        "id": number, "seek": line.start_ms // 10, "start": line.start_ms / 1000,
        "end": line.end_ms / 1000, "text": line.text, "tokens": [], "temperature": 0.0,
        "avg_logprob": 0.0, "compression_ratio": _ratio(line.text), "no_speech_prob": 0.0,
    }  # fmt: skip


def _usage(job: Job) -> dict[str, Any]:
    return {"type": "duration", "seconds": job.duration_ms / 1000}


def _ratio(text: str) -> float:
    """How much shorter a text becomes by packing, as whisper measures loops."""
    raw = text.encode()
    return round(len(raw) / len(zlib.compress(raw)), 3)
