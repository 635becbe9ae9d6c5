"""The quality guard at work: whether a result counts, is doubted, or decides a doubt."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from orchard.domain import doubts, quality
from orchard.domain.chunks import Chunk, Summary
from orchard.domain.jobs import Job
from orchard.domain.timeline import ChunkResult
from orchard.services.limits import guards_quality
from orchard.services.said import Report

FirstOf = Callable[[str, int], ChunkResult | None]
"""Finds the first result of a chunk that was doubted, by its job and index."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a result."""

    chunk: Chunk
    """The chunk, with the doubt decided if there was one."""
    result: ChunkResult
    """What is to be kept: this result, or the first where that was better; lines marked."""
    doubts: tuple[str, ...] = ()
    """Why the chunk is to be done once more; with none, the result counts."""
    is_told_again: bool = False
    """Whether it is the doubted result of before, said a second time."""


def weigh(job: Job, chunk: Chunk, report: Report, first_of: FirstOf) -> Verdict:
    """Look at a result of a recording before it counts; others count as they are."""
    result = report.result
    if chunk.doubt and report.token == chunk.doubt.token:
        again = chunk.doubt.reasons
        return Verdict(chunk=chunk, result=result, doubts=again, is_told_again=True)
    if doubts.is_open(chunk) and chunk.has_token(report.token):
        return _decide(chunk, report, first_of(job.job_id, chunk.index))
    if not job.is_audio or not guards_quality() or not doubts.may_doubt(chunk, report.token):
        return Verdict(chunk=chunk, result=result)
    found = quality.judge(result, chunk.duration_ms)
    marked = quality.mark(result, chunk.duration_ms, found)
    return Verdict(chunk=chunk, result=marked, doubts=found)


def summary_of(result: ChunkResult) -> Summary:
    """How much a result holds."""
    return Summary(text_length=len(result.text), segments_count=len(result.segments))


def _decide(chunk: Chunk, report: Report, first: ChunkResult | None) -> Verdict:
    if first is None:  # it was lost: there is nothing to choose from
        left = quality.judge(report.result, chunk.duration_ms)
        result, is_first = quality.mark(report.result, chunk.duration_ms, left), False
    else:
        better = quality.choose(first, report.result, chunk.duration_ms)
        result, left, is_first = better.result, better.doubts, better.is_first
    decided = doubts.decide(chunk, is_first=is_first, left=left)
    return Verdict(chunk=decided, result=result)
