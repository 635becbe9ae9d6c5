"""The load of a storm: recordings handed in one after the other, and somebody who looks on."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

import httpx

from orchard import keys
from orchard.domain.lifecycle import ENDED, JobStatus
from statecore.store import ops
from statecore.store.errors import StoreUnavailable
from tests.faults.orchard_processes import Orchard

CLEAR = (200, 503)
"""What a page may answer while things break: what was asked for, or to come again later."""
LOOK_EVERY_S = 0.1


class Feeder(threading.Thread):
    """Hands recordings in, insisting as a good client does, until told to stop."""

    def __init__(self, orchard: Orchard, recording: Path, at_least: int, at_once: int) -> None:
        super().__init__(name="feeder")
        self._orchard, self._recording = orchard, recording
        self._at_least, self._at_once = at_least, at_once
        self._stopping = threading.Event()
        self._http = _client(orchard)
        self._store = orchard.open_store()
        self.lock = threading.Lock()
        """Held while a recording is being handed in."""
        self.job_ids: list[str] = []
        self.complaints: list[str] = []

    def run(self) -> None:
        """Hand in at least so many, and go on until the storm is over."""
        while len(self.job_ids) < self._at_least or not self._stopping.is_set():
            if self._under_way() >= self._at_once:
                time.sleep(0.05)
                continue
            with self.lock:
                self.job_ids.append(self._insist(str(uuid.uuid4())))
        self._http.close()
        self._store.close()

    def stop(self) -> None:
        """Hand in what is still to come, and end."""
        self._stopping.set()
        self.join()

    def _insist(self, key: str) -> str:
        """Hand one in, again and again under the same key until it is accepted."""
        while True:
            with suppress(httpx.HTTPError), self._recording.open("rb") as file:
                answer = self._http.post(
                    "/api/v1/jobs", files={"file": (self._recording.name, file)},
                    data={"purifier": "false"}, headers={"Idempotency-Key": key},
                )  # fmt: skip
                if answer.status_code in (200, 201):
                    return str(answer.json()["job_id"])
                if answer.status_code != 503:
                    self.complaints.append(f"POST: {answer.status_code} {answer.text[:200]}")
            time.sleep(0.1)

    def _under_way(self) -> int:
        names = [keys.jobs_in(status) for status in JobStatus if status not in ENDED]
        try:
            return sum(self._store.read(*map(ops.Count, names)))
        except StoreUnavailable:
            return self._at_once  # nobody knows; wait


class Onlooker(threading.Thread):
    """Looks at pages all the time; every answer is what was asked for, or says to come again."""

    PATHS = ("/stats", "/jobs?limit=3", "/readyz", "/api/v1/workers", "/api/v1/jobs?limit=2")

    def __init__(self, orchard: Orchard) -> None:
        super().__init__(name="onlooker")
        self._http = _client(orchard)
        self._stopping = threading.Event()
        self.complaints: list[str] = []
        self.refusals = 0
        """How often somebody was told to come again."""

    def run(self) -> None:
        """Look until the storm is over."""
        for path in itertools.cycle(self.PATHS):
            if self._stopping.wait(LOOK_EVERY_S):
                break
            with suppress(httpx.HTTPError):  # the web process may be the one that was killed
                self._judge(path, self._http.get(path))
        self._http.close()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self.join()

    def _judge(self, path: str, answer: httpx.Response) -> None:
        told_when = int(answer.headers.get("Retry-After", 0)) > 0
        if answer.status_code == 503:
            self.refusals += 1
        if answer.status_code not in CLEAR or (answer.status_code == 503 and not told_when):
            self.complaints.append(f"{path}: {answer.status_code} {answer.text[:200]}")


def _client(orchard: Orchard) -> httpx.Client:
    headers = {"Authorization": orchard.http.headers["Authorization"]}
    return httpx.Client(base_url=orchard.http.base_url, headers=headers, timeout=60)
