"""The master, as an agent sees it: a few calls over HTTP, each answered, refused or unanswered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from orchard.transcribers.base import NOTHING_SPECIAL, Transcription, Wishes
from orchard_client import errors
from orchard_client.blocking import Blocking
from orchard_client.call import Call, answers, content
from orchard_client.calls import workers
from orchard_client.settings import Server

T = TypeVar("T")

SIGN_TIMEOUT_S = 5.0
"""A sign of life that is not answered soon is given again; leases do not wait for it."""
GOODBYE_TIMEOUT_S = 3.0

_NO_ADDRESS = ("", "not_found")
"""What a master says that is older than an address; the first, with 403, is Django's own."""


class MasterAway(Exception):
    """The master does not answer, or cannot work right now; try again later."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Refused(Exception):
    """The master said no; ``code`` is its word for why."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.status = status
        self.code = code


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """Why a chunk is done a second time, and how."""

    reason: str = ""
    settings: str = ""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk that this agent holds."""

    chunk_id: str
    token: int
    lease_s: float
    duration_ms: int = 0
    language: str | None = None
    wishes: Wishes = NOTHING_SPECIAL
    again: Again | None = None
    """There when the result of before was doubtful."""
    job_type: str = "audio"
    facts: dict[str, Any] = {}
    """What the type of the job notes of the chunk."""
    traceparent: str = ""
    """The span that its own belongs in, where the master has traces."""
    is_duplicate: bool = False
    """Whether another worker has it, too; the first valid result counts."""


class _Registered(msgspec.Struct):
    heartbeat_s: float = 10.0


class _Beat(msgspec.Struct):
    lost: set[str]


class _Claimed(msgspec.Struct):
    chunks: list[Work]


class _Said(msgspec.Struct):
    outcome: str
    code: str = ""
    error: str = ""

    def refusal(self) -> Refused | None:
        return Refused(409, self.code, self.error) if self.outcome == "refused" else None


class _Exchanged(msgspec.Struct):
    results: list[_Said]
    chunks: list[Work]


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a result: why it was refused, if it was, and the next chunks."""

    refusal: Refused | None = None
    chunks: list[Work] = []


class Master:
    """One master, reached with one token; safe to be used by two threads.

    The calls are those of every client. An agent reads of their answers only what it
    needs, so that it can talk to older masters, and has a patience of its own.
    """

    def __init__(self, url: str, token: str, name: str) -> None:
        self.name = name
        server = Server(url.rstrip("/"), token, "argument", "argument")
        self._driver = Blocking(server, patience_s=0, trust_env=False)
        self._has_exchange = True

    def register(
        self, capabilities: dict[str, Any], types: Sequence[str] = ("audio",),
        labels: Sequence[str] = (),
    ) -> float:  # fmt: skip
        """Join the fleet; answers how often to give a sign of life, in seconds."""
        call = workers.register_worker(
            name=self.name, mode="pull", capabilities=capabilities, types=types, labels=labels
        )
        return self._ask(call, _Registered).heartbeat_s

    def heartbeat(self, held: Sequence[Work]) -> set[str]:
        """Give a sign of life; answers which of the chunks are lost."""
        leases = [{"chunk_id": one.chunk_id, "token": one.token} for one in held]
        call = workers.send_heartbeat(self.name, leases)
        return self._ask(replace(call, timeout_s=SIGN_TIMEOUT_S), _Beat).lost

    def claim(self, wait_s: float) -> list[Work]:
        """Ask for a chunk, waiting up to ``wait_s`` for one."""
        return self._ask(workers.claim_chunks(self.name, wait_s=wait_s), _Claimed).chunks

    def fetch(self, work: Work, path: Path) -> None:
        """Download the sound of a chunk, or whatever else there is to work on."""
        path.write_bytes(self._do(workers.get_chunk_audio(work.chunk_id, token=work.token)))

    def progress(self, work: Work, share: float) -> None:
        """Tell how far a chunk is (0 to 1); extends its lease."""
        call = workers.report_progress(
            work.chunk_id, worker_id=self.name, token=work.token, progress=share
        )
        self._tell(replace(call, timeout_s=SIGN_TIMEOUT_S))

    def exchange(
        self, work: Work, result: Transcription, time_ms: int, *, wanted: int = 1
    ) -> Handed:
        """Hand in the words of a chunk, and get up to ``wanted`` that wait; one request.

        A master that is too old for this is told the words alone.
        """
        if not self._has_exchange:
            return self._hand_in(work, result, time_ms)
        heard = {"chunk_id": work.chunk_id, "token": work.token} | _words(result, time_ms)
        call = workers.exchange_chunks(self.name, results=[heard], max=wanted)
        try:
            told = self._ask(call, _Exchanged)
        except Refused as refusal:
            if refusal.code not in (*_NO_ADDRESS, "unknown_worker"):
                raise
            # An unknown worker may report, too; it joins again when it claims.
            self._has_exchange = refusal.code == "unknown_worker"
            return self._hand_in(work, result, time_ms)
        return Handed(refusal=told.results[0].refusal(), chunks=told.chunks)

    def complete(self, work: Work, result: Transcription, time_ms: int) -> None:
        """Hand in the words of a chunk."""
        words = _words(result, time_ms)
        self._tell(
            workers.complete_chunk(work.chunk_id, worker_id=self.name, token=work.token, **words)
        )

    def fail(self, work: Work, error: str, *, handback: bool = False) -> None:
        """Say that a chunk could not be done, or is handed back unfinished."""
        call = workers.fail_chunk(
            work.chunk_id, worker_id=self.name, token=work.token, error=error[:2000],
            handback=handback,
        )  # fmt: skip
        self._tell(call)

    def say_goodbye(self) -> None:
        """Leave the fleet; what this agent still holds returns to the queue."""
        self._tell(replace(workers.remove_worker(self.name), timeout_s=GOODBYE_TIMEOUT_S))

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    def _hand_in(self, work: Work, result: Transcription, time_ms: int) -> Handed:
        try:
            self.complete(work, result, time_ms)
        except Refused as refusal:
            return Handed(refusal=refusal)
        return Handed()

    def _ask(self, call: Call[Any], kind: type[T]) -> T:
        """Make a call of whose answer this much is needed."""
        asked: Call[T] = replace(call, read=answers(kind))
        return self._do(asked)

    def _tell(self, call: Call[Any]) -> None:
        """Make a call of whose answer nothing is needed."""
        self._do(replace(call, read=content))

    def _do(self, call: Call[T]) -> T:
        with _in_the_agents_words():
            return self._driver.call(call)


@contextmanager
def _in_the_agents_words() -> Iterator[None]:
    try:
        yield
    except errors.Unreachable as fault:
        raise MasterAway(str(fault)) from fault
    except errors.BadAnswer as fault:
        raise Refused(200, "bad_answer", str(fault)) from fault
    except errors.Refused as no:
        if no.status >= 500 or no.status == 429:
            raise MasterAway(f"the master answered {no.status}", no.retry_after_s) from no
        raise Refused(no.status, no.code, no.reason) from no


def _words(result: Transcription, time_ms: int) -> dict[str, Any]:
    return {
        "text": result.text, "time_ms": time_ms,
        "metadata": {"model": result.model, "language": result.language},
        "segments": msgspec.to_builtins(result.segments),
    }  # fmt: skip
