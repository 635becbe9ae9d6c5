"""One request, and how its answer is read: plain values, for sync and async alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from orchard_client.errors import BadAnswer
from orchard_client.uploads import Upload

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Content:
    """An answer on its way, block by block."""

    def __init__(self, max_bytes: int | None) -> None:
        self._left = max_bytes
        self._blocks: list[bytes] = []

    def add(self, block: bytes) -> None:
        """Take the next block.

        Raises:
            BadAnswer: it is more than makes sense.
        """
        if self._left is not None:
            self._left -= len(block)
            if self._left < 0:
                raise BadAnswer("the server sends far more than there can be")
        self._blocks.append(block)

    def whole(self) -> bytes:
        """All of it."""
        return b"".join(self._blocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T_co]):
    """One request of the API."""

    method: str
    path: str
    read: Callable[[Answer], T_co]
    """Makes of an answer what the caller wanted."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Already encoded."""
    kind: str = "application/json"
    """What the body is."""
    form: Mapping[str, str] = field(default_factory=dict)
    upload: Upload | None = None
    repeatable: bool = False
    """Whether doing it twice is the same as doing it once."""
    wait_s: float = 0.0
    """How long the server may take its time before it answers, in seconds."""
    patience_s: float | None = None
    """How long to go on trying, in seconds; as the client says, unless given."""
    timeout_s: float | None = None
    """How long to wait for one answer, in seconds; as the client says, unless given."""
    max_bytes: int | None = None
    """The longest answer that makes sense."""


def get(path: str, read: Callable[[Answer], T], **options: Any) -> Call[T]:
    """A call that changes nothing."""
    query = text_of(options.pop("query", {}))
    return Call(method="GET", path=API + path, read=read, repeatable=True, query=query, **options)


def send(
    method: str, path: str, read: Callable[[Answer], T], body: Any = None, **options: Any
) -> Call[T]:
    """A call with a JSON body, from which whatever is ``None`` is left out; or with none."""
    raw = None if body is None else encode(given(body))
    return Call(method=method, path=API + path, read=read, body=raw, **options)


class Reader(Generic[T]):
    """Reads answers as JSON of one type."""

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def __call__(self, answer: Answer) -> T:
        try:
            return self._decoder.decode(answer.content)
        except msgspec.MsgspecError as fault:
            raise BadAnswer(f"this is no answer of Orchard's API: {fault}") from fault


def answers(kind: type[T]) -> Reader[T]:
    """Reads an answer as JSON of this type."""
    return Reader(kind)


def text(answer: Answer) -> str:
    """Reads an answer as text."""
    return answer.content.decode("utf-8", errors="replace")


def content(answer: Answer) -> bytes:
    """Reads an answer as it is."""
    return answer.content


def quoted(part: str | int) -> str:
    """A part of an address, whatever is in it."""
    return quote(str(part), safe="")


def encode(value: Any) -> bytes:
    """A value as JSON."""
    return msgspec.json.encode(value)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """What has a value."""
    return {name: value for name, value in values.items() if value is not None}


def text_of(values: Mapping[str, Any]) -> dict[str, str]:
    """What has a value, as a query or a form spells it."""
    return {name: _spelled(value) for name, value in given(values).items() if value != ""}


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
