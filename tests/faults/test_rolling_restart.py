"""Every process is restarted, one after the other, under work: nothing is lost, or done twice."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import recordings
from tests.contract.ambassadors import Client
from tests.faults.nodes import Node
from tests.faults.orchard_processes import Orchard, running, wait_for
from tests.nodes import PushNode

LEAST_JOBS = 5
CHUNKS = 3
EVERY_S = 3.0
"""How often a recording is handed in."""
PRODUCTION = {
    "ORCHARD_CHUNK_LEASE_S": "30", "ORCHARD_STAGE_LEASE_S": "30",
    "ORCHARD_NODE_NETWORKS": "127.0.0.0/8",
}  # fmt: skip
"""The leases of an installation: a restart is no reason that one runs out."""
AS_BACKGROUND = {"DJANGO_SETTINGS_MODULE": "orchard.background_settings"}


@pytest.fixture
def orchard(tmp_path: Path) -> Iterator[Orchard]:
    with running(tmp_path / "data", **PRODUCTION) as one:
        yield one


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Sentences so far apart that each is a chunk."""
    made = recordings.build([1.0] + [12.0] * (CHUNKS - 1))
    return recordings.write_wav(made.samples, tmp_path / "talk.wav")


class Load(threading.Thread):
    """Something that goes on until it is told to end; what goes wrong is raised then."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stopping = threading.Event()
        self._fault: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self.turn()
        except BaseException as fault:
            self._fault = fault

    def turn(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Close connections."""

    def end(self) -> None:
        """Finish the turn at hand.

        Raises:
            Exception: what went wrong.
        """
        self.stopping.set()
        self.join(60)
        assert not self.is_alive()
        self.close()
        if self._fault:
            raise self._fault


class Submitting(Load):
    """A client that does as documented: it repeats what got no answer, or 503, under one key."""

    def __init__(self, orchard: Orchard, talk: Path) -> None:
        super().__init__()
        self._talk, self.jobs, self.refused = talk.read_bytes(), list[str](), Counter[int]()
        headers = {"Authorization": orchard.http.headers["Authorization"]}
        self._http = httpx.Client(base_url=orchard.http.base_url, headers=headers, timeout=30)

    def turn(self) -> None:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        answer = self._insist(lambda: self._post(key))
        self.jobs.append(answer.json()["job_id"])
        self._insist(lambda: self._http.get(f"/jobs/{self.jobs[-1]}"))
        self.stopping.wait(EVERY_S)

    def close(self) -> None:
        self._http.close()

    def _post(self, key: dict[str, str]) -> httpx.Response:
        files, data = {"file": ("talk.wav", self._talk)}, {"purifier": "false"}
        return self._http.post("/api/v1/jobs", files=files, data=data, headers=key)

    def _insist(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        stop = time.monotonic() + 60
        while time.monotonic() < stop:
            try:
                answer = ask()
            except httpx.TransportError:  # nobody listens just now
                time.sleep(0.3)
                continue
            if answer.status_code < 300:
                return answer
            self.refused[answer.status_code] += 1
            assert answer.status_code == 503, answer.text
            time.sleep(int(answer.headers["Retry-After"]))
        raise AssertionError("a minute went by without an answer")


class CheckingOut(Load):
    """A program that checks issues out and in over channels, repeating what is not answered."""

    def __init__(self, orchard: Orchard) -> None:
        super().__init__()
        self._client, self.done = Client(orchard.engine, "program"), list[int]()

    def turn(self) -> None:
        number = len(self.done) + 1
        for action in ("checkout_issue", "checkin_issue"):
            asked = self._client.request(action, issueNumber=number)
            assert self._insist(asked)["success"], action
        self.done.append(number)
        self.stopping.wait(0.1)

    def close(self) -> None:
        self._client.close()

    def _insist(self, asked: dict[str, Any]) -> dict[str, Any]:
        for _ in range(40):
            self._client.send(asked)
            if answer := self._client.answer_to(asked["requestId"], 1.0):
                return answer
        raise AssertionError(f"no answer to {asked}")


class Breathing(Load):
    """Lets what agents hear with take its time, so that a restart finds them in the middle."""

    def __init__(self, ears: Node) -> None:
        super().__init__()
        self._ears = ears

    def turn(self) -> None:
        self._ears.gate.clear()
        self.stopping.wait(0.4)
        self._ears.gate.set()
        self.stopping.wait(0.1)


def begin(orchard: Orchard, name: str, hearing: tuple[str, ...]) -> None:
    """Start a process, and wait until it is at work again."""
    match name:
        case "web":
            orchard.start_web()
            return
        case "pipeline":
            orchard.start_pipeline()
        case "dispatch" | "ambassador":
            orchard.launch(name, "manage.py", name, **AS_BACKGROUND)
        case _:
            orchard.start_agent(name, *hearing)
            wait_for(f"{name} to join", lambda: name in orchard.workers())
            return
    wait_for(f"{name} to be ready", lambda: is_ready(orchard, name))


def is_ready(orchard: Orchard, name: str) -> bool:
    """Whether the process that runs now has said that it is ready; its log has its id."""
    process = orchard.processes[name]
    assert process.poll() is None, orchard.log(name).read_text()
    lines = orchard.log(name).read_text().splitlines()
    return any(f":{process.pid}:" in one and one.endswith(" is ready") for one in lines)


def test_every_process_is_restarted_under_load_and_no_job_is_lost_or_done_twice(orchard, talk):
    with Node() as ears, PushNode() as phone:
        for name in ("dispatch", "ambassador", "agent-1", "agent-2"):
            begin(orchard, name, ears.options)
        orchard.http.post("/workers/add", json={"url": phone.url}).raise_for_status()
        submitting, issues = Submitting(orchard, talk), CheckingOut(orchard)
        loads: list[Load] = [submitting, issues, Breathing(ears)]
        for load in loads:
            load.start()
        wait_for("some work", lambda: len(submitting.jobs) > 1 and len(issues.done) > 5)
        for name in ("web", "pipeline", "dispatch", "ambassador", "agent-1", "agent-2"):
            before = len(issues.done)
            assert orchard.terminate(name) == 0, name
            begin(orchard, name, ears.options)
            wait_for("issues to go on", lambda before=before: len(issues.done) > before)
        # A fast machine restarts everything sooner than so many recordings have come in.
        wait_for("recordings to go on", lambda: len(submitting.jobs) >= LEAST_JOBS)
        for load in loads:
            load.end()
        for job_id in submitting.jobs:
            orchard.wait(job_id, "completed")
        check(orchard, submitting, heard=len(ears.asked) + len(phone.asked))
    check_issues(orchard, issues.done)


def check(orchard: Orchard, submitting: Submitting, heard: int) -> None:
    """Each recording became one job, each stage and each chunk was done once."""
    assert set(submitting.refused) <= {503}
    jobs = submitting.jobs
    assert len(jobs) == len(set(jobs)) >= LEAST_JOBS
    assert orchard.http.get("/stats").json()["jobs"]["total"] == len(jobs)
    for job_id in jobs:
        orchard.check_counts(job_id)
        attempts = [chunk["attempts"] for chunk in orchard.job(job_id)["chunks"]]
        assert attempts == [1] * CHUNKS
        told = orchard.events(job_id)
        assert "chunk.failed" not in [one["name"] for one in told]
        stages = Counter(one["status"] for one in told if one["name"] == "job.advanced")
        assert stages["processing"] == stages["completed"] == 1
    assert heard == CHUNKS * len(jobs)


def check_issues(orchard: Orchard, numbers: list[int]) -> None:
    """Each issue was checked out once and in once, however often that was asked for."""
    entries = [json.loads(next(iter(one.values()))) for _, one in orchard.engine.xrange("events")]
    for name in ("issue.checked_out", "issue.checked_in"):
        told = Counter(one["issue"] for one in entries if one["name"] == name)
        assert {told[number] for number in numbers} == {1}
