"""Records as the pages show them: with labels, shares and links, and nothing to decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchard.domain.chunks import Chunk, chunk_id, parse_chunk_id
from orchard.domain.jobs import Job
from orchard.domain.orders import AUDIO
from orchard.domain.timeline import Line, Transcript
from orchard.domain.workers import Worker
from orchard.services.edits import Edit
from orchard.services.queries import JobView
from orchard.web import chunk_map, spoken, words

STEPS = tuple(words.STAGES)
ENDED = ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class Step:
    """One stage on the way of a job."""

    name: str
    label: words.Word
    hint: words.Word
    state: str
    """``done``, ``now``, ``next`` or ``skipped``."""
    share: float | None = None


@dataclass(frozen=True)
class ShownJob:
    """A job with its chunks."""

    job: Job
    chunks: Sequence[Chunk]

    @property
    def label(self) -> words.Word:
        states = words.JOB_STATES if self.job.is_audio else words.OTHER_JOB_STATES
        return states[self.job.status]

    @property
    def cells(self) -> str:
        return chunk_map.letters(self.chunks, self.job.total_chunks)

    @property
    def shares(self) -> dict[int, float]:
        return {c.index: c.progress for c in self.chunks if c.status == "running" and c.progress}

    @property
    def counts(self) -> dict[str, int]:
        cells = self.cells
        return {name: cells.count(letter) for name, letter in chunk_map.LETTERS.items()}

    @property
    def percent(self) -> int:
        """How far the job is: of its stage, or of its chunks."""
        if self.job.status == "completed":
            return 100
        if not self.job.total_chunks:
            return round(100 * self.job.stage.progress)
        done = self.counts["completed"] + sum(self.shares.values())
        return int(100 * done / self.job.total_chunks)

    @property
    def in_stage(self) -> bool:
        """Whether a pipeline process works on it, so that its progress is the stage's."""
        return self.job.status in ("purifying", "splitting", "aggregating")

    @property
    def stage_hint(self) -> words.Word:
        """What happens to it at the moment, in words."""
        stages = words.STAGES if self.job.is_audio else words.OTHER_STAGES
        stage = stages.get(self.job.status)
        return stage[1] if stage else self.label

    @property
    def steps(self) -> list[Step]:
        return list(_steps(self.job, self.counts))

    @property
    def rows(self) -> list[ShownChunk]:
        return [ShownChunk(self.job, chunk) for chunk in self.chunks]


@dataclass(frozen=True)
class ShownChunk:
    """One row of a job's chunk table."""

    job: Job
    chunk: Chunk

    @property
    def name(self) -> str:
        return chunk_id(self.job.job_id, self.chunk.index)

    @property
    def label(self) -> words.Word:
        return words.CHUNK_STATES[self.chunk.status]

    @property
    def place(self) -> tuple[float, float]:
        """Where it begins on the timeline and how long it is, in thousandths of the whole."""
        whole = max(self.job.duration_ms, self.chunk.end_ms, 1)
        start, length = self.chunk.start_ms * 1000 / whole, self.chunk.duration_ms * 1000 / whole
        return round(start, 1), round(max(length, 4.0), 1)

    @property
    def speed(self) -> float | None:
        """How many times faster than the sound it was done."""
        return self.chunk.duration_ms / self.chunk.time_ms if self.chunk.time_ms else None

    @property
    def doubt(self) -> str:
        """Why it was done once more, or is about to be; empty when nothing was the matter."""
        return words.tell_doubts(self.chunk.doubt.reasons) if self.chunk.doubt else ""

    @property
    def is_still_doubtful(self) -> bool:
        """Whether the second try was no better."""
        return bool(self.chunk.doubt and self.chunk.doubt.left)

    @property
    def error(self) -> str:
        return self.chunk.errors[-1].error if self.chunk.errors else ""


@dataclass(frozen=True)
class Held:
    """A chunk that a worker has at the moment."""

    name: str
    job_id: str
    index: int
    filename: str
    share: float
    since: datetime | None


@dataclass(frozen=True)
class ShownWorker:
    """A worker and what it does."""

    worker: Worker
    held: Sequence[Held]

    @property
    def state(self) -> str:
        if self.worker.status != "offline":
            if self.worker.paused:
                return "paused"
            if self.worker.draining:
                return "draining"
            if self.trouble:
                return "ailing"
        return str(self.worker.status)

    @property
    def trouble(self) -> words.Word:
        """What is the matter with a push node; empty when it is well."""
        return (
            words.NODE_TROUBLES.get(str(self.worker.node.condition), "") if self.worker.node else ""
        )

    @property
    def label(self) -> words.Word:
        if self.trouble and self.state in ("ailing", "offline"):
            return self.trouble
        return words.WORKER_STATES[self.state]

    @property
    def stopped(self) -> bool:
        """Whether it was told to take no more work."""
        return self.worker.paused or self.worker.draining

    @property
    def speeds(self) -> list[float]:
        """Its last speeds, as times faster than the sound."""
        measured = (one for one in self.worker.performance_history if one.job_type == AUDIO)
        return [1 / one.speed_ratio for one in measured if one.speed_ratio > 0]

    @property
    def speed(self) -> float | None:
        """The mean of its last five speeds."""
        last = self.speeds[-5:]
        return sum(last) / len(last) if last else None

    @property
    def model(self) -> str:
        told = self.worker.metadata
        known = (str(told.get(name) or "") for name in ("transcriber", "model"))
        return " ".join(word for word in known if word and word != "bundled")


@dataclass(frozen=True)
class ShownLine:
    """A line with what somebody has made of it."""

    line: Line
    edit: Edit | None
    turn: str = ""
    """Who begins to speak here, where speakers are told apart."""

    @property
    def text(self) -> str:
        """The text as it is read."""
        return self.edit.text if self.edit else self.line.text

    @property
    def anchor(self) -> str:
        """Where on its page it is."""
        return anchor_of(self.line.start_ms)

    @property
    def pieces(self) -> list[spoken.Piece]:
        """The text with the words apart that were heard unsurely."""
        return [spoken.Piece(self.text)] if self.edit else spoken.pieces_of(self.line, self.text)

    @property
    def doubts(self) -> str:
        """Why the line is doubtful; nobody doubts what somebody has edited."""
        return words.tell_doubts(self.line.doubts) if self.line.doubts and not self.edit else ""

    @property
    def unsure(self) -> str:
        """The words that were heard unsurely, for who cannot see their marks."""
        return ", ".join(piece.text for piece in self.pieces if piece.percent is not None)


@dataclass(frozen=True)
class Block:
    """What was said in one chunk, or that it is not known yet."""

    chunk: Chunk
    lines: Sequence[ShownLine]


def anchor_of(start_ms: int) -> str:
    """Where on a job's page the line is that begins there."""
    return f"at-{start_ms}"


def show_job(view: JobView) -> ShownJob:
    """A job as the pages show it."""
    return ShownJob(view.job, view.chunks)


def show_worker(worker: Worker, views: dict[str, JobView]) -> ShownWorker:
    """A worker as the pages show it; ``views`` are the jobs it may hold chunks of."""
    return ShownWorker(worker, [_held(name, views) for name in worker.pending_chunks])


def show_speeds(worker: Worker) -> list[dict[str, Any]]:
    """The last chunks of a worker, the latest first, each with how many times faster it was."""
    return [
        {
            "timestamp": one.timestamp, "chunk_duration_sec": one.chunk_duration_sec,
            "processing_time_sec": one.processing_time_sec,
            "times": 1 / one.speed_ratio if one.speed_ratio > 0 else None,
        }
        for one in reversed(worker.performance_history)
    ]  # fmt: skip


def jobs_of(workers: Iterable[Worker]) -> set[str]:
    """The jobs that these workers hold chunks of."""
    places = (parse_chunk_id(name) for worker in workers for name in worker.pending_chunks)
    return {place[0] for place in places if place}


def show_blocks(
    chunks: Sequence[Chunk], transcript: Transcript, edited: Mapping[int, Edit]
) -> list[Block]:
    """The transcript chunk by chunk, in the order of the recording."""
    ordered = sorted(chunks, key=lambda chunk: chunk.start_ms)
    lines: list[list[ShownLine]] = [[] for _ in ordered]
    at, speaker = 0, ""
    for line in transcript.segments:
        while at + 1 < len(ordered) and line.start_ms >= ordered[at + 1].start_ms:
            at += 1
        if ordered:
            turn = line.speaker if line.speaker != speaker else ""
            lines[at].append(ShownLine(line, edited.get(line.start_ms), turn))
            speaker = line.speaker
    return [Block(*pair) for pair in zip(ordered, lines, strict=True)]


def _held(name: str, views: dict[str, JobView]) -> Held:
    job_id, index = parse_chunk_id(name) or (name, 0)
    view = views.get(job_id)
    found: Any = next((c for c in view.chunks if c.index == index), None) if view else None
    return Held(
        name, job_id, index, view.job.filename if view else job_id,
        found.progress if found else 0.0, found.started_at if found else None,
    )  # fmt: skip


def _steps(job: Job, counts: dict[str, int]) -> Iterable[Step]:
    ended_early = job.status in ("failed", "cancelled")
    at = STEPS.index(job.status) if not ended_early else _last_step(job, counts)
    for number, name in enumerate(STEPS):
        if name == "purifying" and not job.is_audio:
            continue
        if name == "purifying" and not job.use_purifier:
            state = "skipped"
        elif number < at or job.status == "completed":
            state = "done"
        elif number > at:
            state = "next"
        else:
            state = str(job.status) if ended_early else "now"
        share = None
        if name == "processing" and job.total_chunks and state == "now":
            share = counts["completed"] / job.total_chunks
        elif state == "now" and job.stage.progress:
            share = job.stage.progress
        label, hint = (words.STAGES if job.is_audio else words.OTHER_STAGES)[name]
        yield Step(name, label, hint, state, share)


def _last_step(job: Job, counts: dict[str, int]) -> int:
    """Where a job that failed or was cancelled had come to, as far as its record tells."""
    if job.total_chunks:
        unsettled = counts["waiting"] + counts["running"]
        return STEPS.index("processing" if unsettled or counts["failed"] else "aggregating")
    if job.duration_ms and job.use_purifier:
        return STEPS.index("splitting")
    return STEPS.index("purifying" if job.use_purifier else "splitting")
