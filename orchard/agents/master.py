"""The master, as an agent sees it: a few calls over HTTP, each answered, refused or unanswered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from orchard.transcribers.base import Transcription

TIMEOUT_S = 30.0
SIGN_TIMEOUT_S = 5.0
"""A sign of life that is not answered soon is given again; leases do not wait for it."""
SOUND_MAX_BYTES = 64_000_000
"""A chunk lasts three minutes at most; far more sound than that is no chunk."""

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


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk that this agent holds."""

    chunk_id: str
    token: int
    audio_url: str
    lease_s: float
    duration_ms: int = 0
    language: str | None = None
    is_duplicate: bool = False
    """Whether another worker has it, too; the first valid result counts."""


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
    """One master, reached with one token; safe to be used by two threads."""

    def __init__(self, url: str, token: str, name: str) -> None:
        self.name = name
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=TIMEOUT_S, trust_env=False
        )
        self._has_exchange = True
        self._worker = f"/api/v1/workers/{quote(name, safe='')}"

    def register(self, capabilities: dict[str, Any]) -> float:
        """Join the fleet; answers how often to give a sign of life, in seconds."""
        body = {"name": self.name, "mode": "pull", "capabilities": capabilities}
        answer = self._post("/api/v1/workers", body)
        return float(msgspec.json.decode(answer, type=dict[str, Any]).get("heartbeat_s", 10.0))

    def heartbeat(self, held: Sequence[Work]) -> set[str]:
        """Give a sign of life; answers which of the chunks are lost."""
        leases = [{"chunk_id": one.chunk_id, "token": one.token} for one in held]
        answer = self._post(f"{self._worker}/heartbeat", {"leases": leases}, SIGN_TIMEOUT_S)
        return set(msgspec.json.decode(answer, type=dict[str, Any])["lost"])

    def claim(self, wait_s: float) -> list[Work]:
        """Ask for a chunk, waiting up to ``wait_s`` for one."""
        body = {"max": 1, "wait_s": wait_s}
        answer = self._post(f"{self._worker}/claim", body, timeout=wait_s + TIMEOUT_S)
        return msgspec.json.decode(answer, type=_Claimed).chunks

    def fetch(self, work: Work, path: Path) -> None:
        """Download the sound of a chunk."""
        params = {"token": work.token}
        try:
            with self._client.stream("GET", work.audio_url, params=params) as answer:
                if answer.status_code != 200:
                    answer.read()
                    _check(answer)
                _save(answer, path)
        except httpx.HTTPError as fault:
            raise MasterAway(str(fault) or type(fault).__name__) from fault

    def progress(self, work: Work, share: float) -> None:
        """Tell how far a chunk is (0 to 1); extends its lease."""
        body = self._holder(work) | {"progress": share}
        self._post(f"/api/v1/chunks/{work.chunk_id}/progress", body, SIGN_TIMEOUT_S)

    def exchange(
        self, work: Work, result: Transcription, time_ms: int, *, wanted: int = 1
    ) -> Handed:
        """Hand in the words of a chunk, and get up to ``wanted`` that wait; one request.

        A master that is too old for this is told the words alone.
        """
        if not self._has_exchange:
            return self._hand_in(work, result, time_ms)
        named = {"chunk_id": work.chunk_id, "token": work.token}
        body = {"results": [named | _words(result, time_ms)], "max": wanted}
        try:
            answer = self._post(f"{self._worker}/exchange", body)
        except Refused as refusal:
            if refusal.code not in (*_NO_ADDRESS, "unknown_worker"):
                raise
            # An unknown worker may report, too; it joins again when it claims.
            self._has_exchange = refusal.code == "unknown_worker"
            return self._hand_in(work, result, time_ms)
        told = msgspec.json.decode(answer, type=_Exchanged)
        return Handed(refusal=told.results[0].refusal(), chunks=told.chunks)

    def complete(self, work: Work, result: Transcription, time_ms: int) -> None:
        """Hand in the words of a chunk."""
        body = self._holder(work) | _words(result, time_ms)
        self._post(f"/api/v1/chunks/{work.chunk_id}/complete", body)

    def fail(self, work: Work, error: str, *, handback: bool = False) -> None:
        """Say that a chunk could not be done, or is handed back unfinished."""
        body = self._holder(work) | {"error": error[:2000], "retry": True, "handback": handback}
        self._post(f"/api/v1/chunks/{work.chunk_id}/fail", body)

    def say_goodbye(self) -> None:
        """Leave the fleet; what this agent still holds returns to the queue."""
        self._call("DELETE", self._worker, timeout=3.0)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _hand_in(self, work: Work, result: Transcription, time_ms: int) -> Handed:
        try:
            self.complete(work, result, time_ms)
        except Refused as refusal:
            return Handed(refusal=refusal)
        return Handed()

    def _holder(self, work: Work) -> dict[str, Any]:
        return {"worker_id": self.name, "token": work.token}

    def _post(self, path: str, body: dict[str, Any], timeout: float = TIMEOUT_S) -> bytes:
        return self._call("POST", path, content=msgspec.json.encode(body), timeout=timeout)

    def _call(self, method: str, path: str, *, content: bytes = b"", timeout: float) -> bytes:
        try:
            answer = self._client.request(
                method, path, content=content, timeout=timeout,
                headers={"Content-Type": "application/json"},
            )  # fmt: skip
        except httpx.HTTPError as fault:
            raise MasterAway(str(fault) or type(fault).__name__) from fault
        _check(answer)
        return answer.content


def _words(result: Transcription, time_ms: int) -> dict[str, Any]:
    return {
        "text": result.text, "time_ms": time_ms,
        "metadata": {"model": result.model, "language": result.language},
        "segments": msgspec.to_builtins(result.segments),
    }  # fmt: skip


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    if answer.status_code >= 500 or answer.status_code == 429:
        raise MasterAway(f"the master answered {answer.status_code}", _retry_after_s(answer))
    try:
        told = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        told = {}
    reason = str(told.get("error", f"the master answered {answer.status_code}"))
    raise Refused(answer.status_code, str(told.get("code", "")), reason)


def _retry_after_s(answer: httpx.Response) -> float | None:
    try:
        return float(answer.headers["Retry-After"])
    except (KeyError, ValueError):
        return None


def _save(answer: httpx.Response, path: Path) -> None:
    size = 0
    with path.open("wb") as file:
        for block in answer.iter_bytes():
            size += len(block)
            if size > SOUND_MAX_BYTES:
                raise Refused(200, "too_large", "the master sent far more sound than a chunk has")
            file.write(block)
