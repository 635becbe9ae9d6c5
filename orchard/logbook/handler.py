"""The site's own way into the logbook: its processes write straight into the log database."""

from __future__ import annotations

from collections.abc import Sequence

from orchard.logbook.batching import BatchingHandler, LinesRefused
from orchard.logbook.contract import Limits
from orchard.logbook.lines import Line
from orchard.logbook.places import Place, open_writer

SITE_PROCESSES = {
    "serve": "web",
    "pipeline": "pipeline",
    "ambassador": "ambassador",
    "dispatch": "dispatch",
}
"""Commands that run for long, and what their lines call the process."""


class LogbookHandler(BatchingHandler):
    """Puts a process's lines into the log database."""

    def __init__(self, process: str, place: Place, max_age_days: float, max_bytes: int) -> None:
        super().__init__(process)
        self._writer = open_writer(place, Limits(max_age_days, max_bytes))

    def send(self, lines: list[Line]) -> None:
        """Write lines.

        Raises:
            LogsAway: the database cannot take them now.
            LinesRefused: there is something in them that it will never take.
        """
        try:
            self._writer.write(lines)
        except (ValueError, TypeError, OverflowError) as fault:
            raise LinesRefused(str(fault)) from fault

    def close(self) -> None:
        """Write what is left, and let go of the database."""
        super().close()
        self._writer.close()


def process_of(arguments: Sequence[str]) -> str:
    """What the process of these command line arguments is called; empty for commands that end."""
    return SITE_PROCESSES.get(arguments[1], "") if len(arguments) > 1 else ""
