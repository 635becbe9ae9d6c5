"""A program that webhooks are sent to; its manner may change at any time."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Heard:
    """One attempt as it arrived."""

    headers: dict[str, str]
    body: str
    manner: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def type(self) -> str:
        return self.event["type"]

    @property
    def job(self) -> str:
        return self.event["data"]["job_id"]


class Receiver:
    """An HTTP server on a port of its own.

    Manners: a status as a number; ``hang`` (until it is let go), ``cut`` (hangs up without an
    answer), ``garbled``, ``redirect`` (to ``goal``), ``drip`` (says 200, and never ends).
    """

    def __init__(self, manner: str = "200") -> None:
        self.manner, self.script = manner, list[str]()
        self.goal = "http://169.254.169.254/latest/meta-data/"
        self.headers: dict[str, str] = {}
        self.heard: list[Heard] = []
        self.gate = threading.Event()
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver._hear(self)

            def do_GET(self) -> None:
                receiver._hear(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        """Let everybody go, and end."""
        self.gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def accepted(self) -> list[Heard]:
        """What was answered 200."""
        return [one for one in self.heard if one.manner in ("200", "drip")]

    def _hear(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0))).decode()
        with self._lock:
            manner = self.script.pop(0) if self.script else self.manner
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.heard.append(Heard(headers, body, manner))
        try:
            self._answer(request, manner)
        except OSError:  # the sender has gone, which is what the tests are about
            request.close_connection = True

    def _answer(self, request: BaseHTTPRequestHandler, manner: str) -> None:
        request.close_connection = True
        if manner == "hang":
            self.gate.wait(60)
        elif manner == "cut":
            request.connection.shutdown(socket.SHUT_RDWR)
        elif manner == "garbled":
            request.wfile.write(b"\0\1\2 no HTTP\r\n\r\n")
        elif manner == "redirect":
            request.send_response(307)
            request.send_header("Location", self.goal)
            request.end_headers()
        elif manner == "drip":
            request.send_response(200)
            request.send_header("Content-Length", "1000000")
            request.end_headers()
            request.wfile.write(b"thank you")
            request.wfile.flush()
            self.gate.wait(60)
        else:
            request.send_response(int(manner))
            for name, value in self.headers.items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(b"said with " + manner.encode())
