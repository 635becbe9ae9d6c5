"""Captions as broadcasters expect them: short lines, long enough to be read, never overlapping.

The limits are those of Netflix' Timed Text Style Guide (General Requirements: two lines at
most, from 5/6 of a second to 7 seconds, two frames between captions, gaps of less than half a
second closed; English: 42 characters a line, 20 a second; Japanese: 16 full-width characters a
line as in its captions for the hard of hearing, 7 a second). The BBC's guidelines agree in
the main: two lines, broken where the sentence has a joint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from orchard.domain.caption_text import (
    Atom,
    break_value,
    columns,
    count_fitting,
    is_wide,
    join_atoms,
    lay_out,
    split_text,
)
from orchard.domain.timeline import Line, Transcript

CHARS, WIDE_CHARS = 42, 16
"""Characters of a line, of narrow and of full-width ones."""
SPEED, WIDE_SPEED = 20.0, 7.0
"""Characters that can be read in a second."""
CLOSED_MS = 500
"""A shorter gap between two captions is a flicker; the first one stays for so long."""
LEAST_MS = 100
"""Where more is said at once than can be shown, a caption stays for at least so long."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How captions have to be; zero stands for what suits the script."""

    max_chars: int = 0
    max_lines: int = 2
    max_ms: int = 7_000
    min_ms: int = 834
    gap_ms: int = 84
    """Two frames, of which there are 24 in a second."""
    chars_per_s: float = 0.0

    def columns_of(self, *, wide: bool) -> int:
        """How wide a line may be, in columns: a full-width character takes two."""
        return 2 * (self.max_chars or WIDE_CHARS) if wide else self.max_chars or CHARS

    def reading_ms(self, text: str, *, wide: bool) -> int:
        """How long it takes to read a text."""
        chars = columns(text) / 2 if wide else len(text)
        return round(1000 * chars / (self.chars_per_s or (WIDE_SPEED if wide else SPEED)))


class Cue(msgspec.Struct, frozen=True, kw_only=True):
    """One caption: its lines, and from when to when it is shown."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: str = ""


class _Group(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown together."""

    atoms: tuple[Atom, ...]
    wide: bool
    speaker: str

    @property
    def start_ms(self) -> int:
        return self.atoms[0].start_ms

    @property
    def end_ms(self) -> int:
        return self.atoms[-1].end_ms


def arrange(transcript: Transcript, rules: Rules) -> tuple[Cue, ...]:
    """The captions of a transcript, in order, none over another; not a word is left out.

    Lines that are too long, in space or time, are divided at punctuation marks, else between
    words, which come when they are said, or evenly where nobody knows when. Those too short
    to be read are joined where they fit, and stay on as long as nothing else is said.
    """
    lines = sorted(transcript.segments, key=lambda line: line.start_ms)
    groups = [group for line in lines for group in _divide(line, rules)]
    return tuple(_time(_join_short(groups, rules), rules))


def _divide(line: Line, rules: Rules) -> Iterator[_Group]:
    """The groups of one line."""
    text = " ".join(line.text.replace("\0", "").split())
    wide = is_wide(text)
    rest = _date(line, text, rules.columns_of(wide=wide))
    while rest:
        count = _choose(rest, rules, wide=wide)
        yield _Group(atoms=tuple(rest[:count]), wide=wide, speaker=line.speaker)
        rest = rest[count:]


def _date(line: Line, text: str, most_columns: int) -> list[Atom]:
    """The pieces of a line, each with when it is said."""
    moments = _moments(line, text)
    atoms, at = [], 0
    for piece, is_apart in split_text(text, most_columns):
        start, end = moments[at], max(moments[at], moments[at + len(piece)])
        atoms.append(Atom(text=piece, start_ms=start, end_ms=end, is_apart=is_apart))
        at += len(piece)
    return atoms


def _moments(line: Line, text: str) -> list[int]:
    """When each character of a line begins, spaces aside, and when the last one ends."""
    spoken = ["".join(word.text.replace("\0", "").split()) for word in line.words]
    bare = text.replace(" ", "")
    if "".join(spoken) != bare:
        return _evenly(line.start_ms, line.end_ms, len(bare))
    moments: list[int] = []
    for word, said in zip(line.words, spoken, strict=True):
        moments += _evenly(word.start_ms, word.end_ms, len(said))[:-1]
    moments.append(max([line.end_ms, *(word.end_ms for word in line.words)]))
    # A caption that begins with a word begins with it; the pause before it belongs to neither.
    return [max(moments[: i + 1]) for i in range(len(moments))] if _jumps(moments) else moments


def _jumps(moments: Sequence[int]) -> bool:
    return any(later < sooner for sooner, later in pairwise(moments))


def _evenly(start_ms: int, end_ms: int, count: int) -> list[int]:
    length = max(0, end_ms - start_ms)
    return [start_ms + length * i // max(1, count) for i in range(count + 1)]


def _choose(rest: Sequence[Atom], rules: Rules, *, wide: bool) -> int:
    """How many of the pieces make the next caption."""
    most = max(1, count_fitting(rest, rules.columns_of(wide=wide), rules.max_lines))
    while most > 1 and rest[most - 1].end_ms - rest[0].start_ms > rules.max_ms:
        most -= 1
    if most == len(rest):
        return most
    # The last joint of the sentence in the second half; without one, as much as there is room.
    return max(range(most // 2 + 1, most + 1), key=lambda n: (break_value(rest[n - 1]), n))


def _join_short(groups: Sequence[_Group], rules: Rules) -> list[_Group]:
    """The groups, those that would be too short joined with what follows at once."""
    joined: list[_Group] = []
    for group in groups:
        last = joined[-1] if joined else None
        if last and _may_join(last, group, rules):
            joined[-1] = msgspec.structs.replace(last, atoms=(*last.atoms, *group.atoms))
        else:
            joined.append(group)
    return joined


def _may_join(last: _Group, group: _Group, rules: Rules) -> bool:
    is_short = group.start_ms - rules.gap_ms - last.start_ms < rules.min_ms
    is_alike = (last.speaker, last.wide) == (group.speaker, group.wide)
    if not (is_short and is_alike) or group.end_ms - last.start_ms > rules.max_ms:
        return False
    both = (*last.atoms, *group.atoms)
    most_columns = rules.columns_of(wide=last.wide)
    return count_fitting(both, most_columns, rules.max_lines) == len(both)


def _time(groups: Sequence[_Group], rules: Rules) -> Iterator[Cue]:
    """From when to when each group is shown."""
    starts: list[int] = []
    for group in groups:
        soonest = starts[-1] + LEAST_MS + rules.gap_ms if starts else 0
        starts.append(max(group.start_ms, soonest))
    for i, group in enumerate(groups):
        limit = starts[i + 1] - rules.gap_ms if i + 1 < len(starts) else None
        yield Cue(
            start_ms=starts[i], end_ms=_end(group, starts[i], limit, rules),
            lines=lay_out(group.atoms, rules.columns_of(wide=group.wide)),
            speaker=group.speaker,
        )  # fmt: skip


def _end(group: _Group, start_ms: int, limit_ms: int | None, rules: Rules) -> int:
    """When a caption goes: when it is said and can have been read, if the next one lets it."""
    reading = rules.reading_ms(join_atoms(group.atoms), wide=group.wide)
    end = max(group.end_ms, start_ms + max(LEAST_MS, rules.min_ms, reading))
    latest = start_ms + max(LEAST_MS, rules.max_ms)
    if limit_ms is None:
        return min(end, latest)
    if end > limit_ms - CLOSED_MS:
        end = limit_ms
    return min(end, limit_ms, latest)
