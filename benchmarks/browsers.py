"""Browsers that only listen: hundreds of live sockets in one process, as cheap as can be.

Run by :mod:`benchmarks.live`. It prints ``ready`` when all are let in, listens until a line
comes in, and prints what they have seen as JSON. The events carry a number (``index``) and the
time before their commit (``at``).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from datetime import datetime
from typing import cast

import uvloop

LET_IN_S = 30.0
_INDEX = re.compile(rb'"index":(\d+)')
_AT = re.compile(rb'"at":"([^"]+)"')
_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
_TEXT, _CLOSE, _PING = 1, 8, 9


class Browser(asyncio.Protocol):
    """One live socket; a slow one stops to read as soon as it is let in."""

    def __init__(self, port: int, token: str, *, slow: bool) -> None:
        self._head = (
            f"GET /ws/live/?topic=events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Origin: http://127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        )
        self._slow = slow
        self._raw = bytearray()
        self.is_in = asyncio.get_running_loop().create_future()
        self.first = self.last = -1
        """Numbers of the first and of the last event seen."""
        self.missed = 0
        self.late_ms: list[float] = []
        """How old the oldest event of each frame was."""
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to be let in."""
        # uvloop's transports are none of asyncio's classes, and do the same.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._head.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        """The site has hung up, or we have."""
        self.closed = True
        if not self.is_in.done():
            self.is_in.set_exception(exc or ConnectionError("the site has hung up"))

    def data_received(self, data: bytes) -> None:
        """Take in what came: an answer first, frames afterwards."""
        self._raw += data
        if not self.is_in.done():
            head, end, rest = bytes(self._raw).partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.is_in.set_exception(ConnectionError(head[:200].decode()))
                return
            self._raw = bytearray(rest)
            self.is_in.set_result(None)
            if self._slow:
                self._transport.pause_reading()
        self._read_frames()

    def read_on(self) -> None:
        """Go on reading, where a slow one has stopped."""
        if self._slow and not self.closed:
            self._transport.resume_reading()

    def _read_frames(self) -> None:
        raw, start = self._raw, 0
        while len(raw) - start >= 2:
            opcode, size, begin = raw[start] & 15, raw[start + 1] & 127, start + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size = int.from_bytes(raw[begin : begin + width], "big")
                begin += width
            if len(raw) < begin + size:
                break
            self._take(opcode, bytes(raw[begin : begin + size]))
            start = begin + size
        del raw[:start]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            mask = bytes(4)
            self._transport.write(bytes([0x8A, 0x80 | len(payload)]) + mask + payload)
        elif opcode == _CLOSE:
            self._transport.close()
        elif opcode == _TEXT and (oldest := _INDEX.search(payload)):
            self._note(payload, int(oldest[1]))

    def _note(self, payload: bytes, first: int) -> None:
        count = payload.count(b'"index":')
        newest = int(payload[payload.rfind(b'"index":') + 8 :].split(b",")[0].split(b"}")[0])
        if self.first < 0:
            self.first, self.last = first, first - 1
        self.missed += max(0, newest - self.last - count)
        self.last = newest
        if at := _AT.search(payload):
            then = datetime.fromisoformat(at[1].decode()).timestamp()
            self.late_ms.append((time.time() - then) * 1000)


async def main(port: int, token: str, count: int, slow: int) -> None:
    """Listen with so many browsers, and with so many slow ones besides."""
    loop = asyncio.get_running_loop()
    browsers: list[Browser] = []
    for number in range(count + slow):
        browsers.append(await _enter(port, token, slow=number >= count))
    print("ready", flush=True)
    began = time.process_time()
    told = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    fast = browsers[:count]
    deadline = loop.time() + 10
    while any(one.last < told["last"] for one in fast) and loop.time() < deadline:
        await asyncio.sleep(0.05)
    worked = {"browsers_s": time.process_time() - began}
    print(json.dumps(_seen(fast, told["last"]) | worked), flush=True)


async def _enter(port: int, token: str, *, slow: bool) -> Browser:
    browser = Browser(port, token, slow=slow)
    await asyncio.get_running_loop().create_connection(lambda: browser, "127.0.0.1", port)
    await asyncio.wait_for(browser.is_in, LET_IN_S)
    return browser


def _seen(fast: list[Browser], last: int) -> dict[str, object]:
    late = sorted(ms for one in fast for ms in one.late_ms)
    missed = sum(one.missed + one.first + (last - one.last) for one in fast if one.first >= 0)
    unheard = sum(one.first < 0 for one in fast)
    return {
        "frames": len(late), "missed": missed + unheard * (last + 1),
        "closed": sum(one.closed for one in fast),
        "p50_ms": late[len(late) // 2] if late else 0.0,
        "p99_ms": late[int(len(late) * 0.99)] if late else 0.0,
    }  # fmt: skip


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
