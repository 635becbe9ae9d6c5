"""The fleet: what workers say, what they are given, and what is done to them by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from orchard_client.call import Call, answers, content, get, quoted, send
from orchard_client.models.workers import (
    Accepted,
    Claims,
    Deadline,
    Exchanged,
    Failed,
    Heartbeat,
    Worker,
    WorkersPage,
)

Facts = Mapping[str, Any]

SOUND_MAX_BYTES = 64_000_000
"""A chunk lasts three minutes at most; far more sound than that is no chunk."""

_worker, _claims, _exchanged = answers(Worker), answers(Claims), answers(Exchanged)


def list_workers() -> Call[WorkersPage]:
    """All workers."""
    return get("/workers", answers(WorkersPage))


def get_worker(worker_id: str) -> Call[Worker]:
    """What the master knows of a worker."""
    return get(_of(worker_id), _worker)


def register_worker(
    *, name: str | None = None, url: str | None = None,
    mode: Literal["pull", "push"] | None = None, capabilities: Facts | None = None,
    concurrency: int | None = None, types: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
) -> Call[Worker]:  # fmt: skip
    """Join the fleet: an agent by its name, a push node by its URL; twice is the same worker."""
    body = {
        "name": name, "url": url, "mode": mode, "capabilities": capabilities,
        "concurrency": concurrency, "types": types, "labels": labels,
    }  # fmt: skip
    return send("POST", "/workers", _worker, body, repeatable=True)


def remove_worker(worker_id: str) -> Call[Worker]:
    """Take a worker out of the fleet; what it holds returns to the queue at once."""
    return send("DELETE", _of(worker_id), _worker)


def drain_worker(worker_id: str) -> Call[Worker]:
    """Let a worker finish what it has, and give it no more."""
    return send("POST", f"{_of(worker_id)}/drain", _worker, repeatable=True)


def pause_worker(worker_id: str) -> Call[Worker]:
    """Give a worker no more work until it is resumed."""
    return send("POST", f"{_of(worker_id)}/pause", _worker, repeatable=True)


def resume_worker(worker_id: str) -> Call[Worker]:
    """Give a drained or paused worker work again."""
    return send("POST", f"{_of(worker_id)}/resume", _worker, repeatable=True)


def send_heartbeat(worker_id: str, leases: Sequence[Facts] = ()) -> Call[Heartbeat]:
    """Give a sign of life; each lease is a ``chunk_id`` with its ``token``."""
    body = {"leases": list(leases)}
    return send("POST", f"{_of(worker_id)}/heartbeat", answers(Heartbeat), body, repeatable=True)


def claim_chunks(worker_id: str, *, max: int = 1, wait_s: float = 0) -> Call[Claims]:
    """Ask for chunks, waiting up to ``wait_s`` seconds for the first."""
    body = {"max": max, "wait_s": wait_s}
    return send("POST", f"{_of(worker_id)}/claim", _claims, body, wait_s=wait_s)


def exchange_chunks(
    worker_id: str, *, results: Sequence[Facts] = (), failures: Sequence[Facts] = (),
    progress: Sequence[Facts] = (), leases: Sequence[Facts] = (), max: int = 1,
    wait_s: float = 0,
) -> Call[Exchanged]:  # fmt: skip
    """Report on all that is held, and get the next chunks, in one request."""
    body = {
        "results": list(results), "failures": list(failures), "progress": list(progress),
        "leases": list(leases), "max": max, "wait_s": wait_s,
    }  # fmt: skip
    return send("POST", f"{_of(worker_id)}/exchange", _exchanged, body, wait_s=wait_s)


def get_chunk_audio(name: str, *, token: int | None = None) -> Call[bytes]:
    """The sound of a chunk, as wav."""
    path = f"{_chunk(name)}/audio"
    return get(path, content, query={"token": token}, max_bytes=SOUND_MAX_BYTES)


def report_progress(
    name: str, *, worker_id: str, token: int, progress: float
) -> Call[Deadline]:  # fmt: skip
    """Tell how far a chunk is (0 to 1); extends its lease."""
    body = {"worker_id": worker_id, "token": token, "progress": progress}
    return send("POST", f"{_chunk(name)}/progress", answers(Deadline), body, repeatable=True)


def complete_chunk(
    name: str, *, worker_id: str, token: int, text: str, time_ms: int,
    segments: Sequence[Facts] = (), metadata: Facts | None = None,
) -> Call[Accepted]:  # fmt: skip
    """Hand in the words of a chunk; saying it again is answered as the first time."""
    body = {
        "worker_id": worker_id, "token": token, "text": text, "time_ms": time_ms,
        "segments": list(segments), "metadata": metadata,
    }  # fmt: skip
    return send("POST", f"{_chunk(name)}/complete", answers(Accepted), body, repeatable=True)


def fail_chunk(
    name: str, *, worker_id: str, token: int, error: str, retry: bool = True,
    handback: bool = False,
) -> Call[Failed]:  # fmt: skip
    """Say that a chunk could not be done, or is handed back unfinished."""
    body = {
        "worker_id": worker_id, "token": token, "error": error, "retry": retry,
        "handback": handback,
    }  # fmt: skip
    return send("POST", f"{_chunk(name)}/fail", answers(Failed), body)


def _of(worker_id: str) -> str:
    return f"/workers/{quoted(worker_id)}"


def _chunk(name: str) -> str:
    return f"/chunks/{quoted(name)}"
