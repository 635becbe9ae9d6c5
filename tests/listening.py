"""Small HTTP servers on the loopback; each test says what they answer."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

Request = BaseHTTPRequestHandler


class Passing(BaseHTTPRequestHandler):
    """Passes each request on to the listener that it came to."""

    server: _Server

    def do_POST(self) -> None:
        self.server.listener.post(self)

    def do_GET(self) -> None:
        self.server.listener.get(self)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Listener:
    """Answers on a port of its own until it is stopped; ready as soon as it is made.

    A subclass sets up what its answers need before it calls ``__init__`` of this class.
    """

    handler: type[Passing] = Passing

    def __init__(self, port: int = 0) -> None:
        self.gate = threading.Event()
        """Where requests may be let wait."""
        self._server = _Server(("127.0.0.1", port), self.handler)
        self._server.listener = self
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def post(self, request: Request) -> None:
        """Answer a POST."""
        request.send_error(501)

    def get(self, request: Request) -> None:
        """Answer a GET."""
        request.send_error(501)

    def stop(self) -> None:
        """Let everybody go, and end: nothing listens at the address any more."""
        self.gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    listener: Listener


def body_of(request: Request) -> bytes:
    """What was sent with a request."""
    return request.rfile.read(int(request.headers.get("Content-Length") or 0))


def say(request: Request, status: int, body: bytes, **headers: str) -> None:
    """Answer with these bytes, and say how many; ``_`` in a header's name stands for ``-``."""
    request.send_response(status)
    for name, value in ({"Content-Length": str(len(body))} | headers).items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)
