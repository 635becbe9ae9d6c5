"""Jobs, their chunks, and transcripts."""

from __future__ import annotations

from datetime import datetime

from orchard_client.models.base import Model
from orchard_client.models.words import ChunkStatus, JobStatus


class Word(Model, frozen=True, kw_only=True):
    """One word, on the recording's own timeline."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float | None = None


class Wishes(Model, frozen=True, kw_only=True):
    """What its sender asks of those who transcribe a recording, besides its language."""

    prompt: str = ""
    hot_words: list[str] = []
    words: bool = True


class Line(Model, frozen=True, kw_only=True):
    """One line of a transcript, on the recording's own timeline."""

    start: str
    end: str
    start_ms: int
    end_ms: int
    text: str
    speaker: str = ""
    words: list[Word] = []
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    doubts: list[str] = []
    """Why the quality guard doubts it."""


class Result(Model, frozen=True, kw_only=True):
    """A transcript; ``partial`` while more is to come."""

    text: str
    segments_count: int
    total_processing_time_ms: int
    segments: list[Line]
    language: str = ""
    partial: bool = False
    output: str = ""
    """The name of the file that a job of another type led to."""


class Doubt(Model, frozen=True, kw_only=True):
    """What was doubtful about a chunk's first result, and which of two counts."""

    at: datetime
    worker_id: str
    reasons: list[str]
    chosen: str = ""
    left: list[str] = []


class Chunk(Model, frozen=True, kw_only=True):
    """One piece of a recording."""

    chunk_id: str
    index: int
    start_ms: int
    end_ms: int
    worker_url: str | None
    status: ChunkStatus
    started_at: datetime | None
    completed_at: datetime | None
    progress: float = 0.0
    result_summary: dict[str, int] = {}
    doubt: Doubt | None = None


class WaitsFor(Model, frozen=True, kw_only=True):
    """What a job lacks to be begun by a worker, and what helps."""

    reason: str
    message: str
    help: str
    labels: list[str] = []


class Job(Model, frozen=True, kw_only=True):
    """A recording that was handed in, and what became of it."""

    job_id: str
    filename: str
    status: JobStatus
    total_chunks: int
    completed_chunks: int
    created_at: datetime
    updated_at: datetime
    chunks: list[Chunk]
    failed_chunks: int = 0
    result: Result | None = None
    error: str = ""
    owner: str = ""
    came_by: str = ""
    language: str = ""
    wishes: Wishes | None = None
    duration_ms: int = 0
    pinned: bool = False
    trace: str = ""
    job_type: str = "audio"
    priority: int = 5
    requires: list[str] = []
    run_at: datetime | None = None
    waits_for: WaitsFor | None = None
    """Why its chunks wait, when no worker can begin; told of one job that is asked for."""


class JobsPage(Model, frozen=True, kw_only=True):
    """Some jobs; ``count`` is unknown for some searches."""

    jobs: list[Job]
    count: int | None
    next: str | None

    @property
    def items(self) -> list[Job]:
        """The jobs."""
        return self.jobs


class Said(Model, frozen=True, kw_only=True):
    """A place where what was searched for was said."""

    job_id: str
    filename: str
    start_ms: int
    start: str
    text: str
    marks: list[list[int]]
    """The words in the text: of each where it begins, and where it has ended."""


class SaidPage(Model, frozen=True, kw_only=True):
    """Some places; not all that there are while ``is_whole`` is false."""

    found: list[Said]
    next: str | None
    is_whole: bool

    @property
    def items(self) -> list[Said]:
        """The places."""
        return self.found


class Purifier(Model, frozen=True, kw_only=True, rename={"use_purifier": "usePurifier"}):
    """Whether recordings are cleaned unless asked otherwise."""

    use_purifier: bool
