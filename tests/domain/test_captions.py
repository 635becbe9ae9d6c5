"""Captions keep a broadcaster's rules, and every word, whatever is said."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchard.domain.caption_text import columns, is_wide
from orchard.domain.captions import LEAST_MS, Rules, arrange
from orchard.domain.timeline import Line, Transcript, Word

SIGNS = "aeit.,!?'-&<日本語デー。、「」👍é\u0301     "
TEXTS = st.text(SIGNS, max_size=120)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    start, length = draw(st.integers(0, 200_000)), draw(st.integers(0, 30_000))
    text = draw(TEXTS)
    words: list[Word] = []
    if draw(st.booleans()):
        for number, part in enumerate(text.split()):
            at = start + number * 7919 % (length + 1)
            end = at + number * 104729 % (start + length - at + 1)
            words.append(Word(start_ms=at, end_ms=end, text=f" {part}"))
    return Line(
        start_ms=start, end_ms=start + length, text=text, words=tuple(words),
        speaker=draw(st.sampled_from(["", "Ann", "Bob"])),
    )  # fmt: skip


TRANSCRIPTS = st.lists(lines(), max_size=5).map(lambda all_: Transcript(segments=tuple(all_)))
RULES = st.builds(
    Rules, max_chars=st.sampled_from([0, 10, 37]), max_lines=st.integers(1, 2),
    max_ms=st.integers(1_000, 8_000), min_ms=st.integers(0, 1_000), gap_ms=st.integers(0, 200),
    chars_per_s=st.sampled_from([0.0, 12.0]),
)  # fmt: skip


def bare(text: str) -> str:
    return "".join(text.split())


def talk(*said: tuple[int, int, str]) -> Transcript:
    return Transcript(segments=tuple(Line(start_ms=a, end_ms=b, text=t) for a, b, t in said))


@settings(max_examples=60, deadline=None)
@given(TRANSCRIPTS, RULES)
def test_no_text_is_lost_and_none_comes_twice(transcript: Transcript, rules: Rules):
    ordered = sorted(transcript.segments, key=lambda line: line.start_ms)
    shown = "".join(bare("".join(cue.lines)) for cue in arrange(transcript, rules))
    assert shown == "".join(bare(line.text) for line in ordered)


@settings(max_examples=60, deadline=None)
@given(TRANSCRIPTS, RULES)
def test_captions_are_in_order_and_a_gap_is_between_any_two(transcript: Transcript, rules: Rules):
    cues = arrange(transcript, rules)
    for before, after in pairwise(cues):
        assert before.end_ms + rules.gap_ms <= after.start_ms
    for cue in cues:
        assert LEAST_MS <= cue.end_ms - cue.start_ms <= rules.max_ms


@settings(max_examples=60, deadline=None)
@given(TRANSCRIPTS, RULES)
def test_no_line_is_too_long_and_no_caption_has_too_many(transcript: Transcript, rules: Rules):
    for cue in arrange(transcript, rules):
        assert 1 <= len(cue.lines) <= rules.max_lines
        widest = max(columns(line) for line in cue.lines)
        wide = any(is_wide(line.text) for line in transcript.segments)
        assert widest <= max(rules.columns_of(wide=False), rules.columns_of(wide=wide))
        assert all(line == line.strip() != "" for line in cue.lines)


@settings(max_examples=60, deadline=None)
@given(TRANSCRIPTS)
def test_a_caption_is_only_short_when_the_next_one_comes_at_once(transcript: Transcript):
    rules = Rules()
    cues = arrange(transcript, rules)
    for cue, after in pairwise(cues):
        room = after.start_ms - rules.gap_ms - cue.start_ms
        assert cue.end_ms - cue.start_ms >= min(rules.min_ms, room)
    assert all(cue.end_ms - cue.start_ms >= rules.min_ms for cue in cues[-1:])


def test_a_long_line_is_divided_behind_its_sentences_and_broken_behind_a_comma():
    text = (
        "It was the best of times, it was the worst of times. "
        "It was the age of wisdom, it was the age of foolishness, it was the epoch of belief."
    )
    cues = arrange(talk((0, 9_000, text)), Rules())
    assert [cue.lines for cue in cues] == [
        ("It was the best of times,", "it was the worst of times."),
        ("It was the age of wisdom,", "it was the age of foolishness,"),
        ("it was the epoch of belief.",),
    ]


def test_a_word_that_is_dated_begins_its_caption():
    words = [
        Word(start_ms=at, end_ms=at + 300, text=f" word{at}.") for at in range(0, 12_000, 3_000)
    ]
    line = Line(
        start_ms=0, end_ms=9_300, text="".join(word.text for word in words), words=tuple(words)
    )
    cues = arrange(Transcript(segments=(line,)), Rules())
    assert {cue.start_ms for cue in cues} <= {word.start_ms for word in words}
    assert len(cues) == 2


def test_where_no_word_is_dated_time_is_shared_by_length():
    cues = arrange(talk((1_000, 11_000, "abcde fghij klmno pqrst")), Rules())
    assert [(cue.start_ms, cue.lines) for cue in cues] == [
        (1_000, ("abcde fghij",)), (6_000, ("klmno pqrst",)),
    ]  # fmt: skip


def test_japanese_has_sixteen_characters_a_line_and_no_line_begins_with_a_comma():
    text = (
        "吾輩は猫である。名前はもうまだ無い。"
        "どこで生れたかとんと見当がつかぬ、何でも薄暗い所で泣いていた。"
    )
    cues = arrange(talk((0, 14_000, text)), Rules())
    shown = [line for cue in cues for line in cue.lines]
    assert "".join(shown) == text
    assert max(map(len, shown)) <= 16
    assert not any(line[0] in "、。" for line in shown)
    assert cues[0].lines == ("吾輩は猫である。", "名前はもうまだ無い。")


def test_short_answers_of_one_speaker_are_joined_and_those_of_two_are_not():
    said = [(0, 300, "Yes."), (310, 700, "I know."), (5_000, 5_200, "Well.")]
    joined = arrange(talk(*said), Rules())
    assert [cue.lines for cue in joined] == [("Yes. I know.",), ("Well.",)]
    voices = Transcript(
        segments=tuple(
            Line(start_ms=a, end_ms=b, text=t, speaker=who)
            for (a, b, t), who in zip(said, ["Ann", "Bob", "Bob"], strict=True)
        )
    )
    assert [cue.speaker for cue in arrange(voices, Rules())] == ["Ann", "Bob", "Bob"]


def test_a_caption_stays_until_it_can_have_been_read():
    (cue,) = arrange(talk((0, 1_000, "forty characters can be read in 2 secs.")), Rules())
    assert cue.end_ms == 1_950
    next_one = (1_500, 2_500, "And then comes the next one already.")
    first, _ = arrange(
        talk((0, 1_000, "forty characters can be read in 2 secs."), next_one), Rules()
    )
    assert first.end_ms == 1_500 - 84


@pytest.mark.parametrize("text", ["", "  \n ", "\0"])
def test_nothing_said_is_nothing_shown(text: str):
    assert arrange(talk((0, 1_000, text)), Rules()) == ()
