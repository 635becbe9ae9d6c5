"""Words into segments: a new one after each pause, so that it starts when its words do."""

from __future__ import annotations

from collections.abc import Sequence

from orchard.transcribers.base import Segment, Word

PAUSE_MS = 500
"""A silence between two words that begins a new segment, in milliseconds."""

SENTENCE_PAUSE_MS = 240
"""A shorter silence is enough after the end of a sentence; without one it may be *Mr.*"""


def split_at_pauses(words: Sequence[Word]) -> tuple[Segment, ...]:
    """Segments of words that follow each other without a pause; also after a sentence's end."""
    groups: list[list[Word]] = []
    for word in words:
        last = groups[-1][-1] if groups else None
        if last is None or word.start_ms - last.end_ms >= _pause_ms(last):
            groups.append([word])
        else:
            groups[-1].append(word)
    return tuple(_segment(group) for group in groups)


def _pause_ms(last: Word) -> int:
    ends = last.text.rstrip().endswith((".", "?", "!", "。", "？", "！"))
    return SENTENCE_PAUSE_MS if ends else PAUSE_MS


def _segment(group: Sequence[Word]) -> Segment:
    text = "".join(word.text for word in group).strip()
    return Segment(
        start_ms=group[0].start_ms, end_ms=group[-1].end_ms, text=text, words=tuple(group)
    )
