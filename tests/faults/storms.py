"""An orchard in a storm: load, faults at random moments, and what must be true when it is over."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import msgspec

from orchard.doctor.examining import examine, repair
from orchard.domain.events import ChunkStarted
from statecore.store import open_store
from statecore.store.embedded import engine_url
from tests import recordings
from tests.faults.cuts import Cable, cable
from tests.faults.evidence import Told, find_faults, gather, read_events, read_history
from tests.faults.load import Feeder, Onlooker
from tests.faults.orchard_processes import Orchard, running, wait_for
from tests.nodes import PushNode, push_node

OPTIONS = {
    "ORCHARD_NODE_NETWORKS": "127.0.0.0/8", "ORCHARD_NODE_REST_S": "0.2",
    # A sign of life every second: records are put right by it.
    "ORCHARD_WORKER_ONLINE_S": "3",
    # Faults come far more often here than anywhere; giving up is not what is tested.
    "ORCHARD_CHUNK_MAX_ATTEMPTS": "1000", "ORCHARD_STAGE_MAX_ATTEMPTS": "1000",
    "ORCHARD_EVENTS_MAX": "2000000",
}  # fmt: skip
CABLED = "cabled"
"""The agent that has only a cable to the master."""


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how hard the storm blows."""

    rounds: int
    """How often each fault comes."""
    jobs: int
    """At least so many jobs for each kind of fault."""
    chunks: int
    agents: int
    pause_s: float
    """How long the engine stands still."""
    seed: int
    patience_s: float

    @classmethod
    def chosen(cls) -> Size:
        """What the environment asks for, by default the small storm of each test run."""

        def number(name: str, default: str) -> float:
            return float(os.environ.get(f"SOAK_{name}", default))

        return cls(
            rounds=int(number("ROUNDS", "3")), jobs=int(number("JOBS", "6")),
            chunks=int(number("CHUNKS", "4")), agents=int(number("AGENTS", "3")),
            pause_s=number("PAUSE_S", "2.5"), patience_s=number("PATIENCE_S", "90"),
            seed=int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6)),
        )  # fmt: skip


class Storm:
    """A running orchard with agents that write down what they do, and the faults that hit it."""

    def __init__(self, orchard: Orchard, line: Cable, node: PushNode, size: Size) -> None:
        self.orchard, self.size = orchard, size
        self._cable, self._node = line, node
        self._folder = orchard.data.parent / "histories"
        self._folder.mkdir()
        self.chance = random.Random(size.seed)
        self.late_reports = 0
        """Reports that came after somebody else had taken the chunk, and were refused."""
        self._feeder: Feeder
        self._forgotten: set[str] = set()
        sentences = recordings.build([1.0] + [11.0] * (size.chunks - 1))
        self._talk = recordings.write_wav(sentences.samples, orchard.data.parent / "talk.wav")

    # -- processes -----------------------------------------------------------------

    def gather_fleet(self) -> None:
        """Start the agents and a dispatcher with its node."""
        for name in self.agent_names:
            self.start_agent(name)
        self.start_dispatcher()
        self.join_node()

    @property
    def agent_names(self) -> list[str]:
        """The agents, the one with the cable first."""
        return [CABLED, *(f"agent-{number}" for number in range(1, self.size.agents))]

    def start_agent(self, name: str) -> None:
        """Start an agent under this name; its history goes on."""
        master = self._cable.url if name == CABLED else str(self.orchard.http.base_url)
        longest_s = "0.4" if name == CABLED else "0.1"
        self.orchard.launch(
            name, "-m", "tests.faults.recorded_agent", master, name,
            str(self.orchard.data / "worker_token"), str(self._history(name)), longest_s,
        )  # fmt: skip

    def start_dispatcher(self) -> None:
        """Start what drives the push node."""
        settings = {"DJANGO_SETTINGS_MODULE": "orchard.background_settings"}
        self.orchard.launch("dispatcher", "manage.py", "dispatch", **settings)

    def join_node(self) -> None:
        """Take the push node into the fleet, as its owner does."""
        body = {"url": self._node.url}

        def ask() -> bool:
            try:
                return self.orchard.http.post("/workers/add", json=body).is_success
            except httpx.HTTPError:
                return False

        wait_for("the node to join", ask)

    def _history(self, name: str) -> Path:
        return self._folder / f"{name}.jsonl"

    def told(self) -> list[Told]:
        """What all agents have written down."""
        return [one for path in sorted(self._folder.iterdir()) for one in read_history(path)]

    # -- faults --------------------------------------------------------------------

    def kill_agent(self) -> None:
        """``kill -9`` of an agent, which comes back under its name."""
        name = self.chance.choice(self.agent_names)
        self.orchard.kill(name)
        self.start_agent(name)

    def kill_pipeline(self) -> None:
        """``kill -9`` of the pipeline."""
        self.orchard.kill("pipeline")
        self.orchard.start_pipeline()

    def kill_web(self) -> None:
        """``kill -9`` of the web process."""
        self.orchard.kill("web")
        self.orchard.start_web()

    def kill_dispatcher(self) -> None:
        """``kill -9`` of the dispatcher."""
        self.orchard.kill("dispatcher")
        self.start_dispatcher()

    def kill_engine(self) -> None:
        """``kill -9`` of the engine; whoever looks after it starts it again."""
        before = self.orchard.engine_pid()
        os.kill(before, signal.SIGKILL)
        wait_for("another engine", lambda: self.is_ready() and self.orchard.engine_pid() != before)

    def cut_network(self) -> None:
        """A cut until another has the chunk of the agent behind it; its report then comes late."""
        held = wait_for("the agent behind the cable to have a chunk", self._held_behind_cable)
        self._cable.cut(hard=self.chance.random() < 0.5)
        try:
            wait_for("another to take its chunk", lambda: self._is_taken_over(held))
        finally:
            self._cable.mend()
        wait_for("its late report to be answered", lambda: self._is_answered(held))

    def delete_job(self) -> None:
        """``DEL job:<id>`` by hand, of a job that is under way."""
        job_id = wait_for("a job under way", self._some_open_job)
        self._forgotten.add(job_id)
        self.orchard.engine.delete(f"job:{job_id}")

    def flush_engine(self) -> None:
        """``FLUSHDB``: everything is gone, and work begins anew with what comes next."""
        with self._feeder.lock:
            self._forgotten.update(self._feeder.job_ids)
            self.orchard.engine.flushdb()
        self.join_node()

    def flush_scripts(self) -> None:
        """``SCRIPT FLUSH``."""
        self.orchard.engine.script_flush()

    def fill_engine(self) -> None:
        """``CONFIG SET maxmemory`` to less than is in use, and back."""
        before = self.orchard.engine.config_get("maxmemory")["maxmemory"]
        self.orchard.engine.config_set("maxmemory", "1mb")
        try:
            wait_for("somebody to be refused", self._is_full)
            time.sleep(self.chance.random())
        finally:
            self.orchard.engine.config_set("maxmemory", before)

    def stop_engine(self) -> None:
        """The engine stands still for a while, and goes on as if nothing had been."""
        pid = self.orchard.engine_pid()
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.size.pause_s)
        os.kill(pid, signal.SIGCONT)
        wait_for("the site to be ready", self.is_ready)

    def is_ready(self) -> bool:
        """Whether the site says that it can work."""
        try:
            return self.orchard.http.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def _is_full(self) -> bool:
        answer = self.orchard.http.post("/api/v1/workers", json={"name": "late", "mode": "pull"})
        return answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0

    def _some_open_job(self) -> str | None:
        for job_id in reversed(self._feeder.job_ids):
            answer = self.orchard.http.get(f"/jobs/{job_id}")
            if answer.is_success and answer.json()["status"] in ("splitting", "processing"):
                return job_id
        return None

    def _held_behind_cable(self) -> Told | None:
        """A chunk that the agent behind the cable has, and has not reported on."""
        calls = read_history(self._history(CABLED))
        last = calls[-1] if calls else None
        return last if last and last.what == "claim" else None

    def _is_taken_over(self, held: Told) -> bool:
        with self._store() as store:
            started = [
                one.worker_id for one in read_events(store)
                if isinstance(one, ChunkStarted) and one.chunk_id == held.chunk_id
            ]  # fmt: skip
        if started and started[-1] != CABLED:
            return True
        return self._is_answered(held)  # it was reported just before the cut: no harm done

    def _is_answered(self, held: Told) -> bool:
        """Whether the agent has moved on; counts its refused reports."""
        calls = read_history(self._history(CABLED))
        later = [one for one in calls if one.began > held.began]
        mine = [one for one in later if one.chunk_id == held.chunk_id and one.answer]
        self.late_reports += any(one.answer == "stale_token" for one in mine)
        return bool(mine) or any(one.what == "claim" for one in later)

    @contextmanager
    def _store(self) -> Iterator:
        store = open_store(engine_url(self.orchard.data))
        try:
            yield store
        finally:
            store.close()

    # -- a row of the table -----------------------------------------------------------

    def blow(self, fault: Callable[[], None], *, repaired: bool) -> list[str]:
        """Let one kind of fault come at random moments under load; what is wrong afterwards."""
        self._feeder = Feeder(
            self.orchard, self._talk, at_least=self.size.jobs, at_once=self.size.agents + 2
        )
        onlooker = Onlooker(self.orchard)
        self._forgotten = set()
        self._feeder.start()
        onlooker.start()
        try:
            for _ in range(self.size.rounds):
                wait_for("a job", lambda: self._feeder.job_ids)
                time.sleep(self.chance.random())  # a random moment
                fault()
        finally:
            self._feeder.stop()
        complaints = self._judge(repaired)
        sys.stdout.write(f"{len(self._feeder.job_ids)} jobs, {onlooker.refusals} refusals\n")
        onlooker.stop()
        return [*self._feeder.complaints, *onlooker.complaints, *complaints]

    def _judge(self, repaired: bool) -> list[str]:
        """What is wrong when everything has come to rest."""
        expected = [one for one in self._feeder.job_ids if one not in self._forgotten]
        for job_id in expected:
            self.orchard.wait(job_id, "completed", patience_s=self.size.patience_s)
        with self._store() as store:
            mine = [one for one in self.told() if self._is_mine(one)]
            evidence = gather(store, expected, mine, self._forgotten)
            if repaired:
                repair(store, pause_s=0.2)
            return find_faults(evidence) + self._invariants(store)

    def _is_mine(self, one: Told) -> bool:
        return one.chunk_id.rpartition("_chunk_")[0] in self._feeder.job_ids

    def _invariants(self, store) -> list[str]:
        """What the doctor finds once every worker has given a sign of life."""
        stop = time.monotonic() + 15
        while (report := examine(store, pause_s=0.2)).faults and time.monotonic() < stop:
            time.sleep(0.5)
        return [f"doctor: {one}" for one in report.findings] if report.faults else []


ROWS: Mapping[str, Callable[[Storm], None]] = {
    "kill -9 of an agent": Storm.kill_agent,
    "kill -9 of the pipeline": Storm.kill_pipeline,
    "kill -9 of the web process": Storm.kill_web,
    "kill -9 of the dispatcher": Storm.kill_dispatcher,
    "kill -9 of the engine": Storm.kill_engine,
    "network cut longer than a lease": Storm.cut_network,
    "DEL job:<id>": Storm.delete_job,
    "FLUSHDB": Storm.flush_engine,
    "SCRIPT FLUSH": Storm.flush_scripts,
    "maxmemory": Storm.fill_engine,
    "engine stands still": Storm.stop_engine,
}
"""The faults of the goals, section 2; Sentinel and Cluster have tests of their own."""
REPAIRED = ("DEL job:<id>", "FLUSHDB")
"""After these ``manage.py doctor --repair`` is asked for: what was deleted left things behind."""


@contextmanager
def storm(folder: Path, size: Size) -> Iterator[Storm]:
    """An orchard with its fleet, ready for the storm."""
    sys.stdout.write(f"SOAK_SEED={size.seed}\n")
    with ExitStack() as stack:
        orchard = stack.enter_context(running(folder / "data", **OPTIONS))
        line = stack.enter_context(cable(orchard.port))
        node = stack.enter_context(push_node("good"))
        one = Storm(orchard, line, node, size)
        one.gather_fleet()
        yield one
