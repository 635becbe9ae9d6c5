"""A transcribing server over HTTP, real and small, that a test can make wait and misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = {
    "text": "spoken words",
    "segments": [{"start_ms": 0, "end_ms": 400, "text": "spoken words"}],
    "metadata": {"model": "node", "language": "en"},
}


class Node:
    """A server for agents with ``--transcriber http``; while closed, it lets them wait."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.status = 200
        self.body = json.dumps(WORDS).encode()
        self.asked: list[dict[str, Any]] = []
        """Path, headers and body of each request, as it came in."""
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                node._answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def options(self) -> tuple[str, ...]:
        """What an agent needs to hear with this server."""
        return ("--transcriber", "http", "--url", self.url)

    def stop(self) -> None:
        """Let everybody go, and end."""
        self.gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.asked.append({"path": request.path, "headers": request.headers, "body": body})
        self.gate.wait(120)
        try:
            request.send_response(self.status)
            request.send_header("Content-Length", str(len(self.body)))
            request.end_headers()
            request.wfile.write(self.body)
        except OSError:  # the agent was killed, which is what the tests are about
            request.close_connection = True


@contextmanager
def node() -> Iterator[Node]:
    """A node that runs."""
    one = Node()
    try:
        yield one
    finally:
        one.stop()
