"""What is doubted: loops, improbable words, text over silence; and what never may be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchard.domain import quality, repetition
from orchard.domain.timeline import ChunkResult, Line
from tests.recordings import DATA

SPOKEN = sorted(DATA.glob("*.txt"))
NEKO = (
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした"
    "所でニャーニャー泣いていた事だけは記憶している。吾輩はここで始めて人間というものを見た。"
    "しかもあとで聞くとそれは書生という人間中で一番獰悪な種族であったそうだ。この書生というのは"
    "時々我々を捕えて煮て食うという話である。しかしその当時は何という考もなかったから別段恐しい"
    "とも思わなかった。ただ彼の掌に載せられてスーと持ち上げられた時何だかフワフワした感じが"
    "あったばかりである。"
)
AUSTEN = (
    "The family of Dashwood had long been settled in Sussex. Their estate was large, and their "
    "residence was at Norland Park, in the centre of their property, where, for many generations, "
    "they had lived in so respectable a manner as to engage the general good opinion of their "
    "surrounding acquaintance. The late owner of this estate was a single man, who lived to a very "
    "advanced age, and who for many years of his life, had a constant companion and housekeeper in "
    "his sister."
)
MINUTE_MS = 60_000


def heard(text: str, *lines: Line) -> ChunkResult:
    return ChunkResult(text=text, time_ms=5, segments=lines)


def line(text: str, **figures: float) -> Line:
    return Line(start_ms=0, end_ms=5_000, text=text, **figures)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", SPOKEN, ids=lambda path: path.stem)
def test_what_was_really_said_is_not_doubted(path):
    text = path.read_text()
    assert quality.judge(heard(text, line(text)), 3_000) == ()


@pytest.mark.parametrize("text", [
    AUSTEN, NEKO, "No, no, no, no, no!", "はい、はい、はい、はい、はい。", "", "one two three four",
    "Yes. Yes. Yes, of course, yes. I said yes, and yes again.", "ははははは",
    "1 2 3 4 5 6 7 8 9 10",
])  # fmt: skip
def test_prose_short_answers_and_silence_are_not_doubted(text):
    assert quality.judge(heard(text), 40_000) == ()


@pytest.mark.parametrize("text", [
    "Thank you. " * 12, "I don't know what to do. " * 6, "ご視聴ありがとうございました。" * 6,
    "no " * 40, AUSTEN + " and so on and so on and so on" * 8, NEKO + "そうですね" * 12,
    "ขอบคุณ" * 12,
])  # fmt: skip
def test_a_loop_is_doubted_in_any_script_and_behind_good_text(text):
    assert quality.LOOP in quality.judge(heard(text), MINUTE_MS)


@given(st.lists(st.from_regex(r"[a-z]{2,9}", fullmatch=True), min_size=1, max_size=20),
       st.integers(17, 60))  # fmt: skip
@settings(max_examples=60)
def test_any_phrase_again_and_again_is_a_loop(phrase, times):
    assert repetition.has_loop(" ".join(phrase * times))


@given(st.lists(st.integers(0, 10**9), unique=True, max_size=150))
@settings(max_examples=60)
def test_words_of_which_none_comes_twice_are_no_loop(numbers):
    assert not repetition.has_loop(" ".join(f"w{one}" for one in numbers))


@given(st.text(max_size=400), st.integers(0, 200_000))
@settings(max_examples=60)
def test_any_text_is_judged_by_known_words_and_a_mark_changes_no_text(text, duration_ms):
    result = heard(text, line(text))
    doubts = quality.judge(result, duration_ms)
    marked = quality.mark(result, duration_ms, doubts)
    assert set(doubts) <= set(quality.REASONS)
    assert (marked.text, [one.text for one in marked.segments]) == (text, [text])
    assert set(marked.segments[0].doubts) >= set(doubts)


def test_whispers_own_figures_are_believed():
    assert quality.judge_line(line("words", compression_ratio=2.5)) == ("compression",)
    assert quality.judge_line(line("words", avg_logprob=-1.2)) == ("improbable",)
    assert quality.judge_line(line("words", no_speech_prob=0.7)) == ("over_silence",)
    assert quality.judge_line(line("words", no_speech_prob=0.7, avg_logprob=-1.1)) == (
        "improbable", "over_silence",
    )  # fmt: skip
    bounds = line("words", compression_ratio=2.4, avg_logprob=-1.0, no_speech_prob=0.6)
    assert quality.judge_line(bounds) == ()


def test_words_that_whisper_is_sure_of_are_speech_even_where_it_expected_none():
    assert quality.judge_line(line("words", no_speech_prob=0.9, avg_logprob=-0.2)) == ()


def test_one_weak_line_of_many_is_marked_and_the_chunk_is_not_done_again():
    weak, good = line("hm", avg_logprob=-1.5), line("a good long sentence", avg_logprob=-0.2)
    result = heard("hm a good long sentence", weak, good)
    assert quality.judge(result, MINUTE_MS) == ()
    marked = quality.mark(result, MINUTE_MS)
    assert [one.doubts for one in marked.segments] == [("improbable",), ()]


def test_a_chunk_is_doubted_when_a_third_of_it_is_weak():
    weak, good = line("weak words", avg_logprob=-1.5), line("good words", avg_logprob=-0.2)
    assert quality.judge(heard("weak words good words", weak, good), MINUTE_MS) == ("improbable",)


def test_more_text_than_anybody_can_say_is_doubted():
    assert quality.judge(heard(AUSTEN), 5_000) == ("too_much_text",)
    assert quality.judge(heard(AUSTEN), 60_000, speech_ms=2_000) == ("too_much_text",)
    assert quality.judge(heard(NEKO), 5_000) == ("too_much_text",)


def test_a_doubt_that_no_line_shows_is_said_of_all_of_them():
    lines = [line("Thank you.") for _ in range(12)]
    result = heard("Thank you. " * 12, *lines)
    marked = quality.mark(result, MINUTE_MS, quality.judge(result, MINUTE_MS))
    assert all("loop" in one.doubts for one in marked.segments)


def test_a_text_without_lines_is_marked_as_one_line():
    (only,) = quality.mark(heard("la " * 40), 9_000, ("loop",)).segments
    assert (only.start_ms, only.end_ms, only.text) == (0, 9_000, "la " * 40)
    assert "loop" in only.doubts


LOOP, GOOD, EMPTY = heard("la " * 40, line("la " * 40)), heard(AUSTEN, line(AUSTEN)), heard("")
WEAK = heard("perhaps words", line("perhaps words", avg_logprob=-1.5))
WEAKER = heard("la " * 60, line("la " * 60, avg_logprob=-1.5))


@pytest.mark.parametrize(("first", "second", "better", "left"), [
    (LOOP, GOOD, GOOD, False), (LOOP, WEAK, WEAK, True), (WEAK, LOOP, WEAK, True),
    (LOOP, EMPTY, EMPTY, False), (WEAK, EMPTY, WEAK, True), (LOOP, WEAKER, LOOP, True),
    (GOOD, heard(AUSTEN + " indeed"), heard(AUSTEN + " indeed"), False),
])  # fmt: skip
def test_the_better_of_two_results_counts(first, second, better, left):
    choice = quality.choose(first, second, MINUTE_MS)
    assert choice.result.text == better.text
    assert choice.is_first == (better is first)
    assert bool(choice.doubts) == left
    assert bool([one for one in choice.result.segments if one.doubts]) == left
