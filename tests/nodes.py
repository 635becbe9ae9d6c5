"""Push nodes (CONTRACTS section 5), real and small, each with the manners that a test gives it."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from tests.listening import Listener, Request, body_of, say

GIGABYTE = 1_000_000_000


class PushNode(Listener):
    """A phone that answers HTTP; ``manner`` may change at any time.

    The manner ``gated`` lets requests wait at the gate.
    """

    def __init__(self, manner: str = "good", port: int = 0) -> None:
        self.manner = manner
        self.takes_s = 0.05
        self.asked: list[bytes] = []
        """The sound of each request."""
        self.answered = 0
        """Answers of words that went out whole."""
        self.bytes_sent = 0
        self.most_at_once = 0
        self._at_once, self._lock = 0, threading.Lock()
        super().__init__(port)
        self.worker_id = f"http-127.0.0.1:{self.port}"

    def get(self, request: Request) -> None:
        """Say how it is."""
        say(request, 500 if self.manner == "ill" else 200, b"Whisper node 1.1.0\n")

    def post(self, request: Request) -> None:
        """Do with a chunk what its manner does."""
        with self._counted():
            self._transcribe(request)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def _transcribe(self, request: Request) -> None:
        self.asked.append(body_of(request))
        try:
            MANNERS[self.manner](self, request)
        except OSError:  # whoever asked has gone, which is what the tests are about
            request.close_connection = True


def words(**changes: object) -> bytes:
    """An answer of a node that is well, with some of it changed."""
    line = {
        "start": "00:00:00.100", "end": "00:00:00.900", "start_ms": 100, "end_ms": 900,
        "text": "spoken words",
    }  # fmt: skip
    facts = {
        "model": "tiny", "language": "en", "request_id": "r1", "server_time": "2026-01-01",
        "segments_count": 1,
    }  # fmt: skip
    answer = {"text": "spoken words", "time_ms": 40, "metadata": facts, "segments": [line]}
    return json.dumps(answer | changes).encode()


def _segment(start: object, end: object, text: object = "lies") -> dict[str, object]:
    return {"segments": [{"start_ms": start, "end_ms": end, "text": text}]}


def _good(node: PushNode, request: Request) -> None:
    time.sleep(node.takes_s)
    say(request, 200, words())
    node.answered += 1


def _gated(node: PushNode, request: Request) -> None:
    node.gate.wait(120)
    _good(node, request)


def _hanging(node: PushNode, request: Request) -> None:
    """Sleeps until whoever asked has hung up."""
    request.connection.settimeout(60)
    request.connection.recv(1)


def _dripping(node: PushNode, request: Request) -> None:
    """Sends a byte now and then, so that no single wait is long."""
    request.send_response(200)
    request.end_headers()
    for _ in range(600):
        request.wfile.write(b" ")
        request.wfile.flush()
        time.sleep(0.1)


def _dying(node: PushNode, request: Request) -> None:
    """Promises an answer, sends half of it and is gone."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(words())))
    request.end_headers()
    request.wfile.write(words()[:40])
    request.wfile.flush()
    request.close_connection = True


def _cutting(node: PushNode, request: Request) -> None:
    """Resets the connection without a word."""
    off = struct.pack("ii", 1, 0)
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, off)
    request.connection.close()
    request.close_connection = True


def _flooding(node: PushNode, request: Request) -> None:
    """Sends a gigabyte without saying how much it will be."""
    request.send_response(200)
    request.end_headers()
    request.close_connection = True
    block = b'"' + b"a" * 999_999
    for _ in range(GIGABYTE // len(block)):
        request.wfile.write(block)
        node.bytes_sent += len(block)


def _boasting(node: PushNode, request: Request) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(GIGABYTE))
    request.end_headers()
    request.connection.settimeout(60)
    request.connection.recv(1)


def _bombing(node: PushNode, request: Request) -> None:
    """A few packed bytes that stand for twenty megabytes."""
    say(request, 200, _bomb(), Content_Encoding="gzip")


@cache
def _bomb() -> bytes:
    packing = zlib.compressobj(wbits=31)
    block = bytes(1_000_000)
    return b"".join([*(packing.compress(block) for _ in range(20)), packing.flush()])


def _saying(status: int, body: bytes, **headers: str) -> Callable[[PushNode, Request], None]:
    return lambda _, request: say(request, status, body, **headers)


def _garbling(node: PushNode, request: Request) -> None:
    request.wfile.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    request.close_connection = True


MANNERS: dict[str, Callable[[PushNode, Request], None]] = {
    "good": _good,
    "gated": _gated,
    "hanging": _hanging,
    "dripping": _dripping,
    "dying": _dying,
    "cutting": _cutting,
    "flooding": _flooding,
    "boasting": _boasting,
    "bombing": _bombing,
    "garbling": _garbling,
    "failing": _saying(500, b"Error: the model <b>broke</b>"),
    "ill": _saying(500, b"Error: no model"),
    "unfinished": _saying(200, words()[:50]),
    "html": _saying(200, b"<!doctype html><title>Sign in to the hotel</title>"),
    "redirecting": _saying(302, b"", Location="http://169.254.169.254/latest/meta-data/"),
    "late": _saying(200, words(**_segment(5_000_000, 5_001_000))),
    "backwards": _saying(200, words(**_segment(900, 100))),
    "negative": _saying(200, words(**_segment(-90_000, 100))),
    "infinite": _saying(200, words(**_segment(0, 10)).replace(b"10,", b"1e999,")),
    "nan": _saying(200, words(**_segment(float("nan"), 10))),
    "wrong types": _saying(200, words(text=["a", "list"])),
    "wrong times": _saying(200, words(**_segment("0", "10"))),
    "no text": _saying(200, b'{"segments": []}'),
    "nul": _saying(200, words(text="spoken\0words")),
    "torrent": _saying(200, words(text="a" * 200_000)),
    "nested": _saying(200, b"[" * 200_000),
    "empty": _saying(200, b""),
    "half a character": _saying(200, b'{"text": "\xff"}'),
}

CONDITIONS = {
    "hanging": "slow", "dripping": "slow", "dying": "breaking", "cutting": "breaking",
    "failing": "failing",
} | dict.fromkeys(
    ["flooding", "boasting", "bombing", "garbling", "unfinished", "html", "redirecting", "late",
     "backwards", "negative", "infinite", "nan", "wrong types", "wrong times", "no text", "nul",
     "torrent", "nested", "empty", "half a character"],
    "nonsense",
)  # fmt: skip
"""What each bad manner is shown as."""
