"""Processors: what an agent does with pieces of work that are no sound, by their type.

Each is named when the agent is started, as ``TYPE=HOW``: ``words`` counts, ``command:…``
asks a program of this machine, and ``package.module:function`` calls a function.
"""

from __future__ import annotations

import atexit
import json
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from orchard.transcribers.base import Progress, TranscriberFailed

Processor = Callable[[Path, dict[str, Any], Progress], str]
"""Makes text of a payload; it is given the facts of the piece, and may tell how far it is."""

LOOK_EVERY_S = 0.5
RESULT_MAX_CHARS = 1_000_000


class ProcessorFailed(TranscriberFailed):
    """A processor could not do it."""


def count_words(payload: Path, facts: dict[str, Any], progress: Progress) -> str:
    """For each line of JSON, how many words and characters its texts have."""
    counted = []
    with payload.open(encoding="utf-8") as lines:
        for line in lines:
            text = " ".join(_texts(json.loads(line)))
            counted.append(json.dumps({"words": len(text.split()), "characters": len(text)}))
    return "\n".join(counted)


class Command:
    """A program of this machine: the payload is its input, and its output the result."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)
        self._running: subprocess.Popen[bytes] | None = None
        atexit.register(self._end)

    def __call__(self, payload: Path, facts: dict[str, Any], progress: Progress) -> str:
        """Run it once.

        Raises:
            ProcessorFailed: it ended otherwise than with 0, or did not write text.
        """
        environ = os.environ | {"ORCHARD_FACTS": json.dumps(facts)}
        environ.pop("ORCHARD_TOKEN", None)
        with payload.open("rb") as given, _spool() as said, _spool() as complaints:
            self._running = subprocess.Popen(  # noqa: S603 - the operator's own command
                self._words, stdin=given, stdout=said, stderr=complaints, env=environ,
                start_new_session=True,
            )  # fmt: skip
            try:
                code = self._wait(self._running, progress)
            finally:
                self._end()
            if code:
                raise ProcessorFailed(f"{self._words[0]} ended with {code}: {_last(complaints)}")
            return _read(said)

    def _wait(self, running: subprocess.Popen[bytes], progress: Progress) -> int:
        while True:
            try:
                return running.wait(LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                progress(0.0)  # raises when somebody else has the piece now

    def _end(self) -> None:
        running, self._running = self._running, None
        if running and running.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def parse_processors(given: Sequence[str]) -> dict[str, Processor]:
    """The processors of an agent by type of job, from texts such as ``text=words``.

    Raises:
        ValueError: one is not written so, or there is no such function.
    """
    found: dict[str, Processor] = {}
    for one in given:
        job_type, mark, how = one.partition("=")
        if not (job_type and mark and how):
            raise ValueError(f"{one!r} is no processor; write it as TYPE=HOW, such as text=words")
        found[job_type] = _processor(how)
    return found


def _processor(how: str) -> Processor:
    if how == "words":
        return count_words
    if how.startswith("command:"):
        words = shlex.split(how.removeprefix("command:"))
        if not words:
            raise ValueError("command: needs a command")
        return Command(words)
    return _function(how)


def _function(path: str) -> Processor:
    module, _, name = path.partition(":")
    try:
        found: Processor = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as fault:
        reason = f"{path!r} is neither words, nor command:…, nor a function: {fault}"
        raise ValueError(reason) from None
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def _spool() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _read(said: IO[bytes]) -> str:
    said.seek(0)
    try:
        text = said.read(4 * RESULT_MAX_CHARS + 1).decode()
    except UnicodeDecodeError:
        raise ProcessorFailed("its output is no UTF-8 text") from None
    if len(text) > RESULT_MAX_CHARS:
        raise ProcessorFailed(f"its output has more than {RESULT_MAX_CHARS} characters")
    return text


def _last(complaints: IO[bytes]) -> str:
    complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - 1000))
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "(it said nothing)"
