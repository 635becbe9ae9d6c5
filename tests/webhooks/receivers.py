"""A program that webhooks are sent to; its manner may change at any time."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass
from typing import Any

from tests.listening import Listener, Request, body_of


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


class Receiver(Listener):
    """An HTTP server on a port of its own.

    Manners: a status as a number; ``hang`` (until it is let go), ``cut`` (hangs up without an
    answer), ``garbled``, ``redirect`` (to ``goal``), ``drip`` (says 200, and never ends).
    """

    def __init__(self, manner: str = "200") -> None:
        self.manner, self.script = manner, list[str]()
        self.goal = "http://169.254.169.254/latest/meta-data/"
        self.headers: dict[str, str] = {}
        self.heard: list[Heard] = []
        self._lock = threading.Lock()
        super().__init__()
        self.url += "/hook"

    def get(self, request: Request) -> None:
        """The same: who follows a redirection is heard as well."""
        self.post(request)

    def accepted(self) -> list[Heard]:
        """What was answered 200."""
        return [one for one in self.heard if one.manner in ("200", "drip")]

    def post(self, request: Request) -> None:
        """Hear an attempt, and answer it in the manner of the moment."""
        body = body_of(request).decode()
        with self._lock:
            manner = self.script.pop(0) if self.script else self.manner
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.heard.append(Heard(headers, body, manner))
        try:
            self._answer(request, manner)
        except OSError:  # the sender has gone, which is what the tests are about
            request.close_connection = True

    def _answer(self, request: Request, manner: str) -> None:
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
