"""A logging handler that sends lines in batches and never holds up or breaks its program.

Plain Python: agents use it too.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
import time
import traceback
from collections import deque
from typing import Any

from orchard.logbook.hiding import cut
from orchard.logbook.lines import MESSAGE_MAX, VALUE_MAX, Line, make_line

QUEUE_MAX = 10_000
"""Lines that wait at most; of more the oldest are dropped, and counted."""
BATCH_MAX = 500
BATCH_CHARS = 250_000
"""A batch is cut after so many characters, so that no way of writing them makes it too large."""
GATHER_S = 0.5
"""How long a first line waits for others."""
REST_S = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Rests after failures, in seconds."""
CLOSE_S = 3.0
"""How long the end of the program may be put off for the last lines."""
ISSUE_MAX = 2**53

_JOB = re.compile(r"([0-9a-f]{16})(?:_chunk_\d+)?")
_OWN_ATTRIBUTES = frozenset(
    vars(logging.LogRecord("", 0, "", 0, "", (), None)).keys()
    | {"message", "asctime", "taskName", "request", "websocket", "color_message"}
)
_FACTS = ("worker", "job", "issue")


class LinesRefused(Exception):
    """The lines will not be taken, however often they are sent again."""


class BatchingHandler(logging.Handler):
    """Gathers lines in memory; a thread of its own hands them on with :meth:`send`."""

    def __init__(self, process: str, worker: str = "") -> None:
        super().__init__()
        self._process = process
        self._worker = worker
        self._facts = {"pid": os.getpid(), "host": socket.gethostname()}
        self._waiting: deque[Line] = deque()
        self._dropped = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_busy = self._is_closing = self._is_pressing = False

    def send(self, lines: list[Line]) -> None:
        """Hand lines on.

        Raises:
            LinesRefused: they will never be taken.
            Exception: they may be taken later.
        """
        raise NotImplementedError

    def emit(self, record: logging.LogRecord) -> None:
        """Put a record into the queue."""
        if threading.current_thread() is self._thread:
            return  # what sending says about itself would never end
        try:
            line = self._line(record)
        except Exception:  # a record that cannot be written must not break the program
            self.handleError(record)
            return
        with self._changed:
            self._waiting.append(line)
            while len(self._waiting) > QUEUE_MAX:
                self._waiting.popleft()
                self._dropped += 1
            self._start()
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait a moment for what is in the queue to be handed on."""
        deadline = time.monotonic() + CLOSE_S
        with self._changed:
            self._is_pressing = True
            self._changed.notify_all()
            while (self._waiting or self._is_busy) and self._is_alive():
                if not self._changed.wait(deadline - time.monotonic()):
                    return

    def close(self) -> None:
        """Hand on what is left, if that goes quickly, and end the thread."""
        with self._changed:
            self._is_closing = True
        self.flush()
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()
        super().close()

    def _line(self, record: logging.LogRecord) -> Line:
        fields = self._facts | {
            name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES
        }
        if record.exc_info and record.exc_info[0]:
            fields["traceback"] = cut(
                "".join(traceback.format_exception(*record.exc_info)), VALUE_MAX
            )
        facts = {name: fields.pop(name, None) for name in _FACTS}
        issue = facts["issue"]
        line = Line(
            time_ms=round(record.created * 1000), level=record.levelno, logger=record.name,
            message=cut(record.getMessage(), MESSAGE_MAX), process=self._process,
            worker=str(facts["worker"] or self._worker), job=str(facts["job"] or _job_of(record)),
            issue=issue if isinstance(issue, int) and 0 <= issue <= ISSUE_MAX else None,
            fields=fields,
        )  # fmt: skip
        return make_line(line, line.time_ms)

    def _start(self) -> None:
        """Start the thread with the first line: after a fork, the child has one of its own."""
        if not self._is_alive() and not self._is_closing:
            self._thread = threading.Thread(target=self._run, name="log-lines", daemon=True)
            self._thread.start()

    def _is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while batch := self._next_batch():
            try:
                self.send(batch)
            except LinesRefused as refusal:
                self._lose(batch, refusal)
            except Exception as fault:  # whatever the way to the logbook is made of
                self._put_back(batch)
                self._complain(fault, failures)
                self._rest(REST_S[min(failures, len(REST_S) - 1)])
                failures += 1
                continue
            failures = 0
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()

    def _next_batch(self) -> list[Line]:
        """The oldest lines, after a moment for more to come; none at the end."""
        with self._changed:
            while not self._waiting:
                if self._is_closing:
                    return []
                self._changed.wait()
            self._changed.wait_for(self._has_gathered, GATHER_S)
            batch: list[Line] = []
            size = 0
            while self._waiting and len(batch) < BATCH_MAX and size < BATCH_CHARS:
                batch.append(self._waiting.popleft())
                size += _size(batch[-1])
            self._is_busy = True
            self._is_pressing = bool(self._waiting)
            dropped, self._dropped = self._dropped, 0
        if dropped:
            batch.append(self._say(f"{dropped:,} log lines were dropped: too many were waiting"))
        return batch

    def _has_gathered(self) -> bool:
        return self._is_pressing or self._is_closing or len(self._waiting) >= BATCH_MAX

    def _put_back(self, batch: list[Line]) -> None:
        with self._changed:
            self._waiting.extendleft(reversed(batch))
            while len(self._waiting) > QUEUE_MAX:
                self._waiting.popleft()
                self._dropped += 1
            self._is_busy = False

    def _lose(self, batch: list[Line], refusal: LinesRefused) -> None:
        self._complain(refusal, 0)
        with self._changed:
            self._dropped += len(batch)

    def _complain(self, fault: Exception, failures: int) -> None:
        """Say once in the program's own log that lines do not get through."""
        if failures == 0:
            logging.getLogger("orchard.logbook").warning(
                "log lines cannot be handed on for now: %s", fault
            )

    def _rest(self, rest_s: float) -> None:
        with self._changed:
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_closing, rest_s)
            if self._is_closing:  # one more attempt is enough; the program wants to end
                self._changed.wait(0.2)

    def _say(self, message: str) -> Line:
        return Line(
            time_ms=round(time.time() * 1000), level=logging.WARNING, logger="orchard.logbook",
            message=message, process=self._process, worker=self._worker, fields=dict(self._facts),
        )  # fmt: skip


def _size(line: Line) -> int:
    """About how many characters a line has."""
    return 200 + len(line.message) + sum(len(str(value)) for value in line.fields.values())


def _job_of(record: logging.LogRecord) -> str:
    """The job that a record speaks of, when one of its values is the id of a job or a chunk."""
    values: Any = record.args if isinstance(record.args, tuple) else ()
    found = (_JOB.fullmatch(value) for value in values if isinstance(value, str))
    return next((match[1] for match in found if match), "")
