"""A transcribing server over HTTP, real and small, that a test can make wait and misbehave."""

from __future__ import annotations

import json
from typing import Any

from tests.listening import Listener, Request, body_of, say

WORDS = {
    "text": "spoken words",
    "segments": [{"start_ms": 0, "end_ms": 400, "text": "spoken words"}],
    "metadata": {"model": "node", "language": "en"},
}


class Node(Listener):
    """A server for agents with ``--transcriber http``; while closed, it lets them wait."""

    def __init__(self) -> None:
        self.status = 200
        self.body = json.dumps(WORDS).encode()
        self.asked: list[dict[str, Any]] = []
        """Path, headers and body of each request, as it came in."""
        super().__init__()
        self.gate.set()

    @property
    def options(self) -> tuple[str, ...]:
        """What an agent needs to hear with this server."""
        return ("--transcriber", "http", "--url", self.url)

    def post(self, request: Request) -> None:
        """Answer as the test has it."""
        body = body_of(request)
        self.asked.append({"path": request.path, "headers": request.headers, "body": body})
        self.gate.wait(120)
        try:
            say(request, self.status, self.body)
        except OSError:  # the agent was killed, which is what the tests are about
            request.close_connection = True
