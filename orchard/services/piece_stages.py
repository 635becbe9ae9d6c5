"""The stages of jobs whose type is a plug-in: its code, with our files, leases and commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath

import msgspec

from orchard import codec
from orchard.domain.chunks import Chunk, Facts
from orchard.domain.errors import StorageAway
from orchard.domain.jobs import Job, Result
from orchard.domain.lifecycle import JobStatus
from orchard.domain.timeline import Line, Span, Transcript
from orchard.jobtypes.base import Output, Piece, PieceResult, Task, Unacceptable
from orchard.jobtypes.guarding import guarded
from orchard.jobtypes.registry import UnknownJobType, find
from orchard.ports import recordings
from orchard.services import pipeline
from orchard.services.audio_stages import most_inline
from orchard.services.engine import run
from orchard.services.stage_leases import LeaseKeeper, StageLost, Stopping

PIECES_MAX = 100_000
PAYLOAD_MAX_BYTES = 64_000_000
FACTS_MAX_BYTES = 4_096
COST_MAX_MS = 86_400_000
TEXT_MAX_BYTES = 2_000_000
"""Up to here an output that is text is shown on pages; as a file it is there in any case."""


def _split(job: Job, keeper: LeaseKeeper) -> None:
    if job.total_chunks:
        run(pipeline.resume_processing(job.job_id, job.stage.token))
        return
    spans: list[Span] = []
    facts: list[Facts] = []
    with _task(job, keeper) as task:
        with _guarded(job, "accept", Unacceptable):
            find(job.job_type).accept(task)
        for piece in _pieces(job, task):
            start = spans[-1].end_ms if spans else 0
            _save(recordings.chunk_name(job.job_id, len(spans)), piece.payload)
            spans.append(Span(start_ms=start, end_ms=start + piece.cost_ms))
            facts.append(piece.facts)
    length_ms = spans[-1].end_ms if spans else 0
    run(pipeline.finish_splitting(job.job_id, job.stage.token, spans, length_ms, facts))


def _pieces(job: Job, task: Task) -> Iterator[Piece]:
    """What the type yields, as long as it is what a type may yield."""
    with _guarded(job, "split", Unacceptable):
        pieces = iter(find(job.job_type).split(task))
    for count in range(PIECES_MAX + 1):
        with _guarded(job, "split", Unacceptable):
            piece = next(pieces, None)
            if piece is None:
                return
            if count == PIECES_MAX:
                raise Unacceptable(f"more than {PIECES_MAX} pieces")
            _check_piece(piece)
        yield piece


def _check_piece(piece: Piece) -> None:
    if not isinstance(piece, Piece):
        raise TypeError(f"{type(piece).__name__} is no Piece")
    if not 1 <= piece.cost_ms <= COST_MAX_MS:
        raise ValueError(f"cost_ms is {piece.cost_ms}; allowed: from 1 to {COST_MAX_MS}")
    if len(msgspec.json.encode(piece.facts)) > FACTS_MAX_BYTES:
        raise ValueError(f"facts are larger than {FACTS_MAX_BYTES} bytes of JSON")
    payload = piece.payload
    size = payload.stat().st_size if isinstance(payload, Path) else len(payload)
    if size > PAYLOAD_MAX_BYTES:
        raise ValueError(f"a payload is larger than {PAYLOAD_MAX_BYTES} bytes")


def _save(name: str, content: bytes | Path) -> None:
    if isinstance(content, Path):
        recordings.save_path(name, content)
    else:
        recordings.save_bytes(name, content)


def _aggregate(job: Job, keeper: LeaseKeeper) -> None:
    chunks, fields = run(pipeline.get_results(job.job_id))
    time_ms = sum(chunk.time_ms for chunk in chunks)
    result = Result(segments_count=0, total_processing_time_ms=time_ms, text="", segments=())
    if not job.failed_chunks:
        with _task(job, keeper) as task:
            with _guarded(job, "aggregate"):
                output = find(job.job_type).aggregate(task, _results(chunks, fields))
                _check_output(output)
            result = _keep_output(job, output, time_ms)
    ended = run(pipeline.finish_aggregating(job.job_id, job.stage.token, result, chunks))
    if ended.status is JobStatus.COMPLETED:
        recordings.delete_chunks(job.job_id)


def _results(chunks: Sequence[Chunk], fields: dict[str, bytes]) -> list[PieceResult]:
    found = []
    for chunk in chunks:
        heard = codec.decode_result(fields[str(chunk.index)])
        found.append(
            PieceResult(
                index=chunk.index, text=heard.text, facts=chunk.facts or {},
                metadata=heard.metadata,
            )
        )  # fmt: skip
    return found


def _check_output(output: Output) -> None:
    if not isinstance(output, Output):
        raise TypeError(f"{type(output).__name__} is no Output")
    if not output.name or PurePath(output.name).name != output.name:
        raise ValueError(f"{output.name!r} is no name of a file")


def _keep_output(job: Job, output: Output, time_ms: int) -> Result:
    """Put the file into storage, and the text of it where transcripts are read."""
    text = _text_of(output)
    lines = text.split("\n") if text else []
    # Each line begins at a place of its own, by which edits and searches find it.
    shown = Transcript(
        segments=tuple(Line(start_ms=i, end_ms=i + 1, text=line) for i, line in enumerate(lines))
    )
    encoded = msgspec.json.encode(shown)
    _save(recordings.output_name(job.job_id), output.content)
    recordings.save_bytes(recordings.transcript_name(job.job_id), encoded)
    is_short = len(encoded) <= most_inline()
    return Result(
        segments_count=len(lines), total_processing_time_ms=time_ms, output=output.name,
        text=text if is_short else None, segments=() if is_short else None,
    )  # fmt: skip


def _text_of(output: Output) -> str:
    """The output as text; nothing when it is none, or more than people read."""
    content = output.content
    if isinstance(content, Path):
        if content.stat().st_size > TEXT_MAX_BYTES:
            return ""
        content = content.read_bytes()
    try:
        text = content.decode() if len(content) <= TEXT_MAX_BYTES else ""
    except UnicodeDecodeError:
        return ""
    return "" if "\0" in text else text.rstrip("\n")


@contextmanager
def _task(job: Job, keeper: LeaseKeeper) -> Iterator[Task]:
    """The job as its type sees it, with its file on the local disk."""
    with recordings.scratch() as folder:
        path = folder / f"source{PurePath(job.source).suffix}"
        recordings.fetch(job.source, path)
        own = folder / "own"
        own.mkdir()
        yield Task(path=path, filename=job.filename, folder=own, progress=_asked(keeper))


def _asked(keeper: LeaseKeeper) -> Callable[[float], None]:
    return lambda share: keeper.progress(min(max(float(share), 0.0), 1.0))


@contextmanager
def _guarded(job: Job, step: str, *allowed: type[Exception]) -> Iterator[None]:
    """Run a step of the type; what is our own, or says so of the file, goes through."""
    with (
        guarded(job.job_type, step, *allowed, UnknownJobType, StageLost, Stopping, StorageAway),
        recordings.room(),
    ):
        yield


WORK = {JobStatus.SPLITTING: _split, JobStatus.AGGREGATING: _aggregate}
"""What is done in each state that is a pipeline's."""
