"""Chunks never cut into speech, and joined transcripts keep every word at its time."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchard.domain.timeline import (
    DROPPED_MS,
    FORCED_MS,
    FRAME_MS,
    LONGEST_MS,
    MARGIN_MS,
    PAUSE_MS,
    SHORTEST_MS,
    ChunkResult,
    Line,
    Span,
    Word,
    join,
    plan_cuts,
)


def speech(*stretches: tuple[int, int]) -> list[Span]:
    """Regions from pairs of a pause before and a length of speech, in milliseconds."""
    regions, at = [], 0
    for pause, length in stretches:
        regions.append(Span(start_ms=at + pause, end_ms=at + pause + length))
        at += pause + length
    return regions


STRETCHES = st.lists(
    st.tuples(
        st.one_of(st.integers(32, 600), st.integers(1, 30_000)),
        st.one_of(st.integers(64, 20_000), st.integers(64, 400_000)),
    ),
    max_size=40,
)


def plan(stretches: list[tuple[int, int]], tail: int = 0) -> tuple[list[Span], tuple[Span, ...]]:
    regions = speech(*stretches)
    duration = (regions[-1].end_ms if regions else 0) + tail
    return regions, plan_cuts(regions, duration)


@given(STRETCHES, st.integers(0, 2_000))
def test_every_moment_of_speech_is_in_exactly_one_chunk(stretches, tail):
    """Chunks are apart and in order, and together they hold each region whole."""
    regions, spans = plan(stretches, tail)
    assert all(one.end_ms <= following.start_ms for one, following in pairwise(spans))
    for region in regions:
        inside = [
            min(region.end_ms, span.end_ms) - max(region.start_ms, span.start_ms) for span in spans
        ]
        assert sum(max(0, length) for length in inside) == region.duration_ms


@given(STRETCHES, st.integers(0, 2_000))
def test_chunks_stay_within_the_recording_and_below_the_limit(stretches, tail):
    """No chunk is empty, and none is longer than the longest stretch plus its margins."""
    regions, spans = plan(stretches, tail)
    end = (regions[-1].end_ms if regions else 0) + tail
    assert all(0 <= span.start_ms < span.end_ms <= end for span in spans)
    assert all(span.duration_ms <= FORCED_MS + 2 * MARGIN_MS for span in spans)


@given(STRETCHES)
def test_a_cut_into_speech_is_only_made_when_no_pause_would_do(stretches):
    """Where a chunk ends inside a region, there was no pause to cut in before."""
    regions, spans = plan(stretches)
    for span in spans:
        for region in regions:
            if region.start_ms < span.end_ms < region.end_ms:
                assert span.duration_ms >= FORCED_MS - MARGIN_MS
                inside = [r for r in regions if span.start_ms < r.end_ms <= span.end_ms]
                pauses = [(r.end_ms, f.start_ms - r.end_ms) for r, f in pairwise([*inside, region])]
                begin = next(r.start_ms for r in regions if r.end_ms > span.start_ms)
                begin = max(begin, span.start_ms)
                assert not [p for at, p in pauses if at - begin >= SHORTEST_MS and p >= PAUSE_MS]


@given(STRETCHES)
def test_silence_beyond_the_margin_is_left_out(stretches):
    """A chunk begins and ends at speech but for the margin, and holds no long silence."""
    regions, spans = plan(stretches)
    for span in spans:
        inside = [r for r in regions if r.end_ms > span.start_ms and r.start_ms < span.end_ms]
        assert inside[0].start_ms - span.start_ms <= MARGIN_MS
        assert span.end_ms - inside[-1].end_ms <= MARGIN_MS
        assert all(b.start_ms - a.end_ms < DROPPED_MS for a, b in pairwise(inside))


def test_without_speech_there_are_no_chunks():
    assert plan_cuts([], 36_000_000) == ()


def test_a_short_recording_is_one_chunk():
    _, spans = plan([(1_000, 20_000), (900, 30_000)], tail=1_000)
    assert spans == (Span(start_ms=700, end_ms=52_200),)


def test_the_cut_is_in_the_middle_of_the_longest_pause_between_30_and_60_seconds():
    _, spans = plan([(0, 20_000), (5_000, 10_000), (300, 10_000), (500, 9_000), (400, 40_000)])
    assert spans[0].end_ms == 45_300 + 250
    assert spans[1].start_ms == 45_300 + 250


def test_without_such_a_pause_the_first_one_after_is_taken():
    _, spans = plan([(0, 70_000), (150, 10_000), (220, 30_000), (900, 30_000)])
    assert spans[0].end_ms == 80_150 + 110
    assert spans[0].duration_ms > LONGEST_MS


def test_speech_without_a_pause_is_cut_where_it_is_quietest():
    loudness = [70] * (200_000 // FRAME_MS)
    quiet = 172_000 // FRAME_MS
    loudness[quiet] = 20
    spans = plan_cuts(speech((0, 200_000)), 200_000, loudness)
    assert spans[0].end_ms == quiet * FRAME_MS + FRAME_MS // 2
    assert spans[1].start_ms == spans[0].end_ms


SPAN = st.tuples(st.integers(0, 10**8), st.integers(1, 180_000)).map(
    lambda pair: Span(start_ms=pair[0], end_ms=pair[0] + pair[1])
)
LINES = st.lists(
    st.builds(
        Line, start_ms=st.integers(-5_000, 200_000), end_ms=st.integers(-5_000, 200_000),
        text=st.sampled_from(["one", "two", " ", "three four"]),
    ),
    max_size=8,
)  # fmt: skip


@st.composite
def heard_chunks(draw):
    """Results of chunks that follow each other on one timeline, in any order."""
    at, results = 0, []
    for lines in draw(st.lists(LINES, max_size=6)):
        start = at + draw(st.integers(0, 30_000))
        at = start + draw(st.integers(1, 180_000))
        text = " ".join(line.text for line in lines)
        result = ChunkResult(text=text, time_ms=1, segments=tuple(lines))
        results.append((Span(start_ms=start, end_ms=at), result))
    return draw(st.permutations(results))


@given(heard_chunks())
def test_joined_lines_are_in_order_and_inside_their_chunks(results):
    """Onsets only grow, no line runs into the next, and none leaves its chunk."""
    lines = join(results).segments
    assert all(line.start_ms <= line.end_ms for line in lines)
    assert all(one.end_ms <= following.start_ms for one, following in pairwise(lines))
    spans = [span for span, _ in results]
    assert all(
        any(s.start_ms <= line.start_ms and line.end_ms <= s.end_ms for s in spans)
        for line in lines
    )


@given(heard_chunks())
def test_no_word_is_lost_or_doubled_by_joining(results):
    """The words of the whole are the words of the parts."""
    said = sorted(word for _, result in results for word in result.text.split())
    assert sorted(join(results).text.split()) == said


def test_offsets_are_those_of_the_recording():
    span = Span(start_ms=3_600_000, end_ms=3_630_000)
    word = Word(start_ms=500, end_ms=900, text="hello", confidence=0.9)
    line = Line(start_ms=500, end_ms=1_500, text=" hello there ", words=(word,))
    (joined,) = join([(span, ChunkResult(text="", time_ms=1, segments=(line,)))]).segments
    assert (joined.start_ms, joined.end_ms, joined.text) == (3_600_500, 3_601_500, "hello there")
    assert (joined.words[0].start_ms, joined.words[0].confidence) == (3_600_500, 0.9)


def test_a_result_without_segments_keeps_its_text_over_the_whole_chunk():
    span = Span(start_ms=1_000, end_ms=5_000)
    (line,) = join([(span, ChunkResult(text="all of it", time_ms=1))]).segments
    assert (line.start_ms, line.end_ms, line.text) == (1_000, 5_000, "all of it")


def test_a_chunk_without_words_adds_nothing():
    assert join([(Span(start_ms=0, end_ms=9), ChunkResult(text=" ", time_ms=1))]).text == ""
