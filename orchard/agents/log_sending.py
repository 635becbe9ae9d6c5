"""An agent's log lines on their way to its master, over HTTP."""

from __future__ import annotations

import httpx
import msgspec

from orchard.logbook.batching import BatchingHandler, LinesRefused
from orchard.logbook.lines import Line, level_name

TIMEOUT_S = 10.0


class LogSender(BatchingHandler):
    """Sends a program's lines to ``POST /api/v1/logs`` of a master."""

    def __init__(self, url: str, token: str, worker: str, process: str = "agent") -> None:
        super().__init__(process, worker)
        self._client = httpx.Client(
            base_url=url.rstrip("/"), timeout=TIMEOUT_S, trust_env=False,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )  # fmt: skip

    def send(self, lines: list[Line]) -> None:
        """Send lines.

        Raises:
            LinesRefused: the master does not want them.
            httpx.HTTPError: it does not answer, or cannot take them now.
        """
        body = msgspec.json.encode({"lines": [_shape(line) for line in lines]})
        answer = self._client.post("/api/v1/logs", content=body)
        if answer.is_client_error and answer.status_code not in (408, 429):
            raise LinesRefused(f"the master answered {answer.status_code}")
        answer.raise_for_status()

    def close(self) -> None:
        """Send what is left, if that goes quickly, and close the connection."""
        super().close()
        self._client.close()


def _shape(line: Line) -> dict[str, object]:
    facts = {
        "time": line.time_ms / 1000, "level": level_name(line.level), "message": line.message,
        "logger": line.logger, "process": line.process, "worker": line.worker, "job": line.job,
        "issue": line.issue, "fields": line.fields,
    }  # fmt: skip
    return {name: value for name, value in facts.items() if value not in ("", None, {})}
