"""Another server that transcribes: a node of the contracts, or one that speaks OpenAI's API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import msgspec

from orchard.transcribers.base import (
    NOTHING_SPECIAL,
    Options,
    Progress,
    Segment,
    TranscriberFailed,
    Transcription,
    Wishes,
    ignore_progress,
)
from orchard.transcribers.spellings import read_figures, read_speaker, read_words, share_out

ANSWER_MAX_BYTES = 20_000_000

OPENAI_PATH = "/v1/audio/transcriptions"


class _NotWithWords(TranscriberFailed):
    """The server gives no times of words."""


class HttpTranscriber:
    """A server at one address; a path that ends as OpenAI's does makes it one of those."""

    def __init__(self, options: Options) -> None:
        self._url = options.url.rstrip("/")
        self._model = options.model
        self._client = httpx.Client(timeout=options.timeout_s, trust_env=False)
        self._has_words = True

    def transcribe(
        self, wav: Path, language: str = "", progress: Progress = ignore_progress,
        wishes: Wishes = NOTHING_SPECIAL,
    ) -> Transcription:  # fmt: skip
        """The words in a WAV file; see :class:`Transcriber`."""
        try:
            raw = self._ask(wav, language, wishes)
            return _read(msgspec.json.decode(raw, type=dict[str, Any]), self._model)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise TranscriberFailed(f"{self._url} does not answer: {fault}") from fault
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as fault:
            raise TranscriberFailed(f"{self._url} answered something else: {fault}") from fault

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, wav: Path, language: str, wishes: Wishes) -> bytes:
        try:
            return self._ask_once(wav, language, wishes)
        except _NotWithWords:
            # A server without times of words says so once; it is not asked for them again.
            self._has_words = False
            return self._ask_once(wav, language, wishes)

    def _ask_once(self, wav: Path, language: str, wishes: Wishes) -> bytes:
        with self._client.stream(**self._request(wav, language, wishes)) as answer:
            content = bytearray()
            for block in answer.iter_bytes():
                content += block
                if len(content) > ANSWER_MAX_BYTES:
                    raise TranscriberFailed(f"{self._url} answered far too much")
            if answer.status_code != 200:
                words = bytes(content[:200]).decode("utf-8", "replace")
                if answer.status_code in (400, 422) and "granularit" in words and self._has_words:
                    raise _NotWithWords(words)
                raise TranscriberFailed(f"{self._url} answered {answer.status_code}: {words}")
            return bytes(content)

    def _request(self, wav: Path, language: str, wishes: Wishes) -> dict[str, Any]:
        sound = wav.read_bytes()
        if not self._url.endswith(OPENAI_PATH):
            headers = {"Content-Type": "audio/wav"}
            url = f"{self._url}/transcribe"
            return {"method": "POST", "url": url, "content": sound, "headers": headers}
        form: dict[str, Any] = {
            "model": self._model or "whisper-1", "response_format": "verbose_json",
        }  # fmt: skip
        if language:
            form["language"] = language
        # That API has no hot words; a prompt that has them does the same.
        prompt = " ".join(filter(None, [wishes.prompt, ", ".join(wishes.hot_words)]))
        # A prompt is what such models say again and again where nobody speaks.
        if prompt and not wishes.careful:
            form["prompt"] = prompt
        if self._has_words and wishes.words:
            form["timestamp_granularities[]"] = ["segment", "word"]
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
    given = answer.get("segments") or ()
    segments = tuple(_segment(one) for one in given)
    if words := answer.get("words"):
        segments = _with_words(segments, words)
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
    return Segment(
        start_ms=start, end_ms=end, text=str(given["text"]).strip(),
        words=read_words(given.get("words") or []), speaker=read_speaker(given),
        **read_figures(given),
    )  # fmt: skip


def _with_words(segments: tuple[Segment, ...], words: Any) -> tuple[Segment, ...]:
    """The segments with the words that OpenAI's API answers beside them, without their spaces."""
    if not isinstance(words, list) or any(one.words for one in segments):
        return segments
    shared = share_out(words, [one.start_ms / 1000 for one in segments])
    return tuple(
        msgspec.structs.replace(segment, words=read_words(own))
        for segment, own in zip(segments, shared, strict=True)
    )
