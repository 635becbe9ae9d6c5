"""An agent that works by the book but hears nothing, and writes down what it asked and was told.

Run as ``python -m tests.faults.recorded_agent MASTER NAME TOKEN_FILE HISTORY LONGEST_S``. It is
the real agent with the real calls; only its ears are missing, so that a chunk costs a moment.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from orchard.agents.master import Handed, Master, Work
from orchard.agents.work import Agent, Plan
from orchard.transcribers.base import Progress, Segment, Transcription, ignore_progress

T = TypeVar("T")


class History:
    """A file of calls: a line before each, and one after it. Lines of a killed process stay."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        # Numbers go on where an earlier life under this name has stopped.
        self._numbers = itertools.count(time.time_ns())

    def tell(self, *line: object) -> None:
        """Write one line at once."""
        os.write(self._file, json.dumps(line).encode() + b"\n")

    def begin(self, *asked: object) -> int:
        """Note that something is asked; answers its number."""
        number = next(self._numbers)
        self.tell(number, *asked)
        return number


class RecordingMaster(Master):
    """The master, and a history of what was asked of it."""

    def __init__(self, url: str, token: str, name: str, history: History) -> None:
        super().__init__(url, token, name)
        self._history = history

    def claim(self, wait_s: float) -> list[Work]:
        """Ask for a chunk; what was given is written down with the time of asking."""
        began = time.monotonic()
        held = super().claim(wait_s)
        self._note(held, began)
        return held

    def exchange(
        self, work: Work, result: Transcription, time_ms: int, *, wanted: int = 1
    ) -> Handed:
        """Hand in words and get the next chunk; written down before, and when it is answered."""
        began = time.monotonic()
        number = self._history.begin("complete", work.chunk_id, work.token, self.name, began)
        handed = super().exchange(work, result, time_ms, wanted=wanted)
        told = handed.refusal.code if handed.refusal else "yes"
        self._history.tell(number, time.monotonic(), told)
        self._note(handed.chunks, began)
        return handed

    def _note(self, held: list[Work], began: float) -> None:
        for one in held:
            what = "copy" if one.is_duplicate else "claim"
            number = self._history.begin(what, one.chunk_id, one.token, self.name, began)
            self._history.tell(number, time.monotonic(), "yes")


class Deaf:
    """A transcriber that takes a moment and tells who did the work."""

    def __init__(self, held: Callable[[], Work], name: str, longest_s: float) -> None:
        self._held, self._name, self._longest_s = held, name, longest_s

    def transcribe(
        self, wav: Path, language: str = "", progress: Progress = ignore_progress
    ) -> Transcription:
        """A line that names chunk, worker and token."""
        work = self._held()
        time.sleep(random.random() * self._longest_s)
        progress(0.5)
        text = f"{work.chunk_id} {self._name} {work.token}"
        line = Segment(start_ms=0, end_ms=min(400, work.duration_ms or 400), text=text)
        return Transcription(text=text, segments=(line,), language="en", model="deaf")


class Remembering(RecordingMaster):
    """Remembers which chunk was fetched last: that is the one to hear."""

    work: Work | None = None

    def fetch(self, work: Work, path: Path) -> None:
        """Download the sound of a chunk."""
        super().fetch(work, path)
        self.work = work

    def fetched(self) -> Work:
        """The chunk whose sound is here."""
        assert self.work is not None
        return self.work


def main(url: str, name: str, token_file: str, history: str, longest_s: str) -> None:
    """Work until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    token = Path(token_file).read_text().strip()
    master = Remembering(url, token, name, History(Path(history)))
    agent = Agent(master, Deaf(master.fetched, name, float(longest_s)), Plan(capabilities={}))
    signal.signal(signal.SIGTERM, lambda *_: agent.stop())
    agent.work()


if __name__ == "__main__":
    main(*sys.argv[1:])
