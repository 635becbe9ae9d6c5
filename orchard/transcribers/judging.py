"""How sure whisper is of a segment, carried over to the segments that are made of its words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from orchard.transcribers.base import Segment


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What whisper says of one segment."""

    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float


def judge(segments: Iterable[Segment], figures: Sequence[Figures]) -> tuple[Segment, ...]:
    """The segments, each with the worst figures of its words; ``figures`` has one for each word."""
    judged, at = [], 0
    for segment in segments:
        own = figures[at : at + len(segment.words)]
        at += len(segment.words)
        judged.append(_worst(segment, own) if own else segment)
    return tuple(judged)


def _worst(segment: Segment, figures: Sequence[Figures]) -> Segment:
    return msgspec.structs.replace(
        segment,
        avg_logprob=min(one.avg_logprob for one in figures),
        no_speech_prob=max(one.no_speech_prob for one in figures),
        compression_ratio=max(one.compression_ratio for one in figures),
    )
