"""A whole orchard of real processes on a data directory of its own, each killable by itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import redis

from orchard.conf_engine import CLUSTER_PARTITIONS
from orchard.placement import LAYOUT
from statecore.store import Store, open_store
from statecore.store.embedded import engine_directory, engine_url
from statecore.store.partitions import PartitionedStore

ROOT = Path(__file__).parents[2]
PATIENCE_S = 90.0
"""How long a busy machine may take for anything here, in seconds."""
SHORT = {
    "ORCHARD_CHUNK_LEASE_S": "2", "ORCHARD_STAGE_LEASE_S": "2", "ORCHARD_RETRY_BACKOFF_S": "0.2",
    "ORCHARD_THROTTLE_KNOWN": "100000", "ORCHARD_THROTTLE_STRANGERS": "100000",
}  # fmt: skip
"""Settings that let a test see a lease run out without waiting long for it."""
ENDED = ("completed", "failed", "cancelled")

T = TypeVar("T")


def wait_for(what: str, look: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """What ``look`` finds, as soon as it finds anything."""
    stop = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < stop, f"waited {patience_s:g} s in vain for {what}"
        time.sleep(0.03)
    return found


class Orchard:
    """Engine, web server, pipeline and agents; ``processes`` holds them by name."""

    def __init__(self, data: Path, **options: str) -> None:
        self.data = data
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        own = {"ORCHARD_DATA": str(data), "ORCHARD_STORE": "embedded://", "PORT": str(self.port)}
        own |= {"DJANGO_SETTINGS_MODULE": "orchard.settings", "OMP_NUM_THREADS": "1"}
        self.env = {**os.environ, **own, **SHORT, **options}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    # -- processes ---------------------------------------------------------------

    def start(self) -> None:
        """Prepare the data, then start web server and pipeline."""
        manage = [sys.executable, "manage.py", "prepare"]
        subprocess.run(manage, cwd=ROOT, env=self.env, check=True, capture_output=True)
        headers = {"Authorization": f"Bearer {(self.data / 'token').read_text().strip()}"}
        base = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=base, headers=headers, timeout=60)
        if "+" not in self.engine_url:  # one server
            self.engine = redis.Redis.from_url(self.engine_url, protocol=2)
        self.start_web()
        self.start_pipeline()

    def start_web(self) -> None:
        """Start the web server, and wait until it can work."""
        self.launch("web", "manage.py", "serve")
        wait_for("the web server", self._is_ready)

    def start_pipeline(self, name: str = "pipeline", **options: str) -> None:
        """Start a pipeline process."""
        self.launch(name, "manage.py", "pipeline", **options)

    def start_agent(self, name: str, *options: str) -> None:
        """Start an agent; what it hears with is among the options."""
        master = ["--master", str(self.http.base_url), "--name", name]
        token = ["--token-file", str(self.data / "worker_token")]
        self.launch(name, "-m", "orchard.agent", *master, *token, *options)

    def launch(self, name: str, *command: str, **options: str) -> None:
        """Start one process; what it says goes to its log."""
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self.env | options, stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """``kill -9``."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def terminate(self, name: str) -> int:
        """Ask a process to stop; returns its exit code."""
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(PATIENCE_S)

    def log(self, name: str) -> Path:
        """Where a process writes what it does."""
        return self.data.parent / f"{self.data.name}-{name}.log"

    @property
    def engine_url(self) -> str:
        """Where the engine is."""
        url = self.env["ORCHARD_STORE"]
        return engine_url(self.data) if url == "embedded://" else url

    def open_store(self) -> Store:
        """The engine, as the services see it."""
        store = open_store(self.engine_url)
        if "+cluster" in self.engine_url:
            return PartitionedStore(store, CLUSTER_PARTITIONS, LAYOUT)
        return store

    def engine_pid(self) -> int:
        """The process of the embedded engine."""
        return int((engine_directory(self.data) / "valkey.pid").read_text())

    def stop(self) -> None:
        """Stop everything; the engine stops with its last user."""
        for process in [*self.processes.values()][::-1]:
            process.terminate()
        for name in [*self.processes]:
            process = self.processes.pop(name)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.http.close()
        if "+" not in self.engine_url:
            self.engine.close()
        if self.env["ORCHARD_STORE"] == "embedded://":
            self._end_engine()

    def _end_engine(self) -> None:
        """End an engine that a killed process left behind."""
        path = engine_directory(self.data) / "valkey.pid"
        if path.exists():
            pid = int(path.read_text())
            if b"valkey" in _command_line(pid):
                os.kill(pid, signal.SIGKILL)

    def _is_ready(self) -> bool:
        assert self.processes["web"].poll() is None, self.log("web").read_text()
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    # -- what a user does --------------------------------------------------------

    def submit(self, path: Path, **fields: str) -> str:
        """Hand in a recording; returns the job's id."""
        with path.open("rb") as file:
            answer = self.http.post("/api/v1/jobs", files={"file": (path.name, file)}, data=fields)
        assert answer.status_code == 201, answer.text
        return answer.json()["job_id"]

    def job(self, job_id: str) -> dict[str, Any]:
        """The job as programs see it."""
        return self.http.get(f"/jobs/{job_id}").raise_for_status().json()

    def wait(self, job_id: str, *states: str, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """The job as soon as it is in one of these states; an end that is none of them fails."""

        def look() -> dict[str, Any] | None:
            found = self.job(job_id)
            assert found["status"] in states or found["status"] not in ENDED, found
            return found if found["status"] in states else None

        return wait_for(f"job {job_id} to be {' or '.join(states)}", look, patience_s)

    def transcript(self, job_id: str, form: str = "json") -> httpx.Response:
        """A transcript as it is downloaded."""
        answer = self.http.get(f"/api/v1/jobs/{job_id}/transcript.{form}")
        return answer.raise_for_status()

    def claim(self, name: str) -> dict[str, Any]:
        """A chunk for a worker that the test itself plays."""
        joining = {"name": name, "mode": "pull"}
        self.http.post("/api/v1/workers", json=joining).raise_for_status()
        asking = {"max": 1, "wait_s": 15}

        def ask() -> list[dict[str, Any]]:
            answer = self.http.post(f"/api/v1/workers/{name}/claim", json=asking)
            return answer.raise_for_status().json()["chunks"]

        return wait_for("a chunk", ask)[0]

    def complete(self, name: str, held: dict[str, Any], text: str) -> httpx.Response:
        """Report a chunk as done, in the name of that worker."""
        body = {"worker_id": name, "token": held["token"], "text": text, "time_ms": 5}
        body |= {"segments": [{"start_ms": 0, "end_ms": 9, "text": text}], "metadata": {}}
        return self.http.post(f"/api/v1/chunks/{held['chunk_id']}/complete", json=body)

    def give_up(self, name: str, held: dict[str, Any], error: str) -> httpx.Response:
        """Report a chunk as one that can never be done."""
        body = {"worker_id": name, "token": held["token"], "error": error, "retry": False}
        return self.http.post(f"/api/v1/chunks/{held['chunk_id']}/fail", json=body)

    def workers(self) -> dict[str, dict[str, Any]]:
        """The fleet, by name."""
        return {one["worker_id"]: one for one in self.http.get("/api/v1/workers").json()["workers"]}

    def record(self, job_id: str) -> dict[str, Any]:
        """``GET job:<id>`` on the engine."""
        raw = self.engine.get(f"job:{job_id}")
        assert raw is not None
        return json.loads(raw)

    def events(self, job_id: str) -> list[dict[str, Any]]:
        """Everything that happened to a job, in order."""
        found = [json.loads(next(iter(one.values()))) for _, one in self.engine.xrange("events")]
        return [one for one in found if one.get("job_id") == job_id]

    def check_counts(self, job_id: str) -> None:
        """Each chunk of a completed job counts once, and no queue knows the job any more."""
        job = self.job(job_id)
        done = [one for one in job["chunks"] if one["status"] == "completed"]
        total = job["total_chunks"]
        assert (job["status"], job["completed_chunks"], len(done)) == ("completed", total, total)
        told = [one for one in self.events(job_id) if one["name"] == "chunk.completed"]
        assert sorted(one["index"] for one in told) == [*range(total)]
        assert [one["completed_chunks"] for one in told] == [*range(1, total + 1)]
        for zset in ("queue:chunks", "leases:chunks", "queue:stages", "leases:stages"):
            names = [name.decode() for name in self.engine.zrange(zset, 0, -1)]
            assert [name for name in names if name.startswith(job_id)] == []


@contextmanager
def running(data: Path, **options: str) -> Iterator[Orchard]:
    """An orchard that runs, without agents yet; its logs are shown when the test fails."""
    orchard = Orchard(data, **options)
    try:
        orchard.start()
        yield orchard
    except BaseException:
        for log in data.parent.glob(f"{data.name}-*.log"):
            sys.stdout.write(f"--- {log.name}\n{log.read_text()[-4000:]}\n")
        raise
    finally:
        orchard.stop()
        shutil.rmtree(data, ignore_errors=True)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
