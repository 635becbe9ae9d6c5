"""An agent's log lines on their way to its master, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchard.logbook.batching import BatchingHandler, LinesRefused
from orchard.logbook.lines import Line, level_name
from orchard_client import errors
from orchard_client.blocking import Blocking
from orchard_client.call import Call, content
from orchard_client.calls import reading
from orchard_client.settings import Server

TIMEOUT_S = 10.0


class LogSender(BatchingHandler):
    """Sends a program's lines to ``POST /api/v1/logs`` of a master."""

    def __init__(self, url: str, token: str, worker: str, process: str = "agent") -> None:
        super().__init__(process, worker)
        server = Server(url.rstrip("/"), token, "argument", "argument")
        # Patience is the handler's: it keeps the lines, and rests longer each time.
        self._driver = Blocking(server, patience_s=0, timeout_s=TIMEOUT_S, trust_env=False)

    def send(self, lines: list[Line]) -> None:
        """Send lines.

        Raises:
            LinesRefused: the master does not want them.
            OrchardError: it does not answer, or cannot take them now.
        """
        call: Call[Any] = reading.send_logs([_shape(line) for line in lines])
        try:
            self._driver.call(replace(call, read=content))  # of the answer nothing is needed
        except errors.Refused as no:
            if no.status < 500 and no.status not in (408, 429):
                raise LinesRefused(f"the master answered {no.status}") from no
            raise

    def close(self) -> None:
        """Send what is left, if that goes quickly, and close the connection."""
        super().close()
        self._driver.close()


def _shape(line: Line) -> dict[str, object]:
    facts = {
        "time": line.time_ms / 1000, "level": level_name(line.level), "message": line.message,
        "logger": line.logger, "process": line.process, "worker": line.worker, "job": line.job,
        "issue": line.issue, "fields": line.fields,
    }  # fmt: skip
    return {name: value for name, value in facts.items() if value not in ("", None, {})}
