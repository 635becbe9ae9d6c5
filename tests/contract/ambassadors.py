"""Ambassadors as processes, and a client that speaks to them over the channels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import redis

ROOT = Path(__file__).parents[2]
REQUESTS, RESPONSES = "poppo:channel:mirin:requests", "poppo:channel:mirin:responses"
PATIENCE_S = 30.0

T = TypeVar("T")


def wait_for(what: str, look: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """What ``look`` finds, as soon as it finds anything."""
    stop = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < stop, f"waited {patience_s:g} s in vain for {what}"
        time.sleep(0.02)
    return found


class Ambassador:
    """``manage.py ambassador`` on an engine, with a data folder of its own."""

    def __init__(self, folder: Path, name: str, store: str, **options: str) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        self.data = folder / "data"
        env = {
            "ORCHARD_DATA": str(self.data), "ORCHARD_STORE": store,
            "DJANGO_SETTINGS_MODULE": "orchard.background_settings",
        }  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "ambassador"], cwd=ROOT,
                env=os.environ | env | options, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def says(self, words: str) -> bool:
        """Whether its log has these words."""
        return words in self.log.read_text("utf-8")

    def await_ready(self) -> None:
        """Wait until it listens."""
        wait_for(f"{self.name} to be ready", lambda: self.says("is ready") or self._ended())
        assert self.process.poll() is None, self.log.read_text()

    def await_active(self) -> None:
        """Wait until it answers."""
        wait_for(f"{self.name} to be active", lambda: self.says("is active\n") or self._ended())
        assert self.process.poll() is None, self.log.read_text()

    def kill(self) -> None:
        """``kill -9``."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def end(self) -> None:
        """Leave nothing behind."""
        if not self._ended():
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        sys.stdout.write(f"--- {self.name}\n{self.log.read_text()[-3000:]}\n")

    def _ended(self) -> bool:
        return self.process.poll() is not None


@contextmanager
def ambassadors(folder: Path, store: str, **options: str) -> Iterator[Callable[..., Ambassador]]:
    """Starts ambassadors by name, all on one engine and one data folder; ends them."""
    started: list[Ambassador] = []

    def start(name: str = "ambassador", **more: str) -> Ambassador:
        started.append(Ambassador(folder, name, store, **options, **more))
        return started[-1]

    try:
        yield start
    finally:
        for one in started:
            one.end()


class Client:
    """A program that speaks the protocol under one process id."""

    def __init__(self, engine: redis.Redis, process_id: str = "agent-1") -> None:
        self.engine, self.process_id = engine, process_id
        self._heard = engine.pubsub()
        self._heard.subscribe(RESPONSES)
        assert self._heard.get_message(timeout=30)["type"] == "subscribe"

    def send(self, message: dict[str, Any] | bytes) -> int:
        """Publish a message as it is; how many listen."""
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.engine.publish(REQUESTS, raw)

    def request(self, action: str, **payload: Any) -> dict[str, Any]:
        """A request with an id of its own."""
        given = {"requestId": str(uuid.uuid4()), "action": action, "processId": self.process_id}
        return given | {"pid": 4321, "timestamp": "2026-01-01T00:00:00.000Z"} | payload

    def ask(self, action: str, **payload: Any) -> dict[str, Any]:
        """The answer to a request."""
        return self.put(self.request(action, **payload))

    def put(self, request: dict[str, Any], patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Send a request; its answer."""
        self.send(request)
        answer = self.answer_to(request["requestId"], patience_s)
        assert answer is not None, f"no answer to {request}"
        return answer

    def answer_to(self, request_id: Any, patience_s: float = PATIENCE_S) -> dict[str, Any] | None:
        """The next answer to a request; ``None`` when none comes in time."""
        stop = time.monotonic() + patience_s
        while (left := stop - time.monotonic()) > 0:
            heard = self._heard.get_message(timeout=left)
            if heard and heard["type"] == "message":
                answer = json.loads(heard["data"])
                if answer.get("requestId") == request_id:
                    return answer
        return None

    def all_answers(self, quiet_s: float) -> list[dict[str, Any]]:
        """All answers that were told, until it is quiet for so long."""
        found = []
        while heard := self._heard.get_message(timeout=quiet_s):
            found.append(json.loads(heard["data"]))
        return found

    def close(self) -> None:
        """Hear no more."""
        self._heard.close()
