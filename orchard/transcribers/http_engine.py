"""Another server that transcribes: a node of the contracts, or one that speaks OpenAI's API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import msgspec

from orchard.transcribers.base import (
    Options,
    Progress,
    Segment,
    TranscriberFailed,
    Transcription,
    ignore_progress,
)

ANSWER_MAX_BYTES = 20_000_000

OPENAI_PATH = "/v1/audio/transcriptions"


class HttpTranscriber:
    """A server at one address; a path that ends as OpenAI's does makes it one of those."""

    def __init__(self, options: Options) -> None:
        self._url = options.url.rstrip("/")
        self._model = options.model
        self._client = httpx.Client(timeout=options.timeout_s, trust_env=False)

    def transcribe(
        self, wav: Path, language: str = "", progress: Progress = ignore_progress
    ) -> Transcription:
        """The words in a WAV file; see :class:`Transcriber`."""
        try:
            raw = self._ask(wav, language)
            return _read(msgspec.json.decode(raw, type=dict[str, Any]), self._model)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise TranscriberFailed(f"{self._url} does not answer: {fault}") from fault
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as fault:
            raise TranscriberFailed(f"{self._url} answered something else: {fault}") from fault

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, wav: Path, language: str) -> bytes:
        with self._client.stream(**self._request(wav, language)) as answer:
            content = bytearray()
            for block in answer.iter_bytes():
                content += block
                if len(content) > ANSWER_MAX_BYTES:
                    raise TranscriberFailed(f"{self._url} answered far too much")
            if answer.status_code != 200:
                words = bytes(content[:200]).decode("utf-8", "replace")
                raise TranscriberFailed(f"{self._url} answered {answer.status_code}: {words}")
            return bytes(content)

    def _request(self, wav: Path, language: str) -> dict[str, Any]:
        sound = wav.read_bytes()
        if not self._url.endswith(OPENAI_PATH):
            headers = {"Content-Type": "audio/wav"}
            url = f"{self._url}/transcribe"
            return {"method": "POST", "url": url, "content": sound, "headers": headers}
        form = {"model": self._model or "whisper-1", "response_format": "verbose_json"}
        if language:
            form["language"] = language
        files = {"file": ("chunk.wav", sound, "audio/wav")}
        return {"method": "POST", "url": self._url, "data": form, "files": files}


def load(options: Options) -> HttpTranscriber:
    """The server of the options.

    Raises:
        TranscriberFailed: no address was given.
    """
    if not options.url.startswith(("http://", "https://")):
        raise TranscriberFailed("the http transcriber needs --url http://…")
    return HttpTranscriber(options)


def _read(answer: dict[str, Any], model: str) -> Transcription:
    facts = answer.get("metadata") or {}
    segments = tuple(_segment(one) for one in answer.get("segments") or ())
    return Transcription(
        text=str(answer["text"]), segments=segments,
        language=str(facts.get("language") or answer.get("language") or ""),
        model=str(facts.get("model") or model or "http"),
    )  # fmt: skip


def _segment(given: dict[str, Any]) -> Segment:
    """A segment with milliseconds (contract) or with seconds (OpenAI)."""
    seconds = "start_ms" not in given
    start = round(float(given["start"]) * 1000) if seconds else int(given["start_ms"])
    end = round(float(given["end"]) * 1000) if seconds else int(given["end_ms"])
    return Segment(start_ms=start, end_ms=end, text=str(given["text"]).strip())
