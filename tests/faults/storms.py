"""An orchard in a storm: its fleet, its load, and what must be true when it is over."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from orchard import keys
from orchard.doctor.examining import examine, repair
from statecore.store import Store, ops
from tests import recordings
from tests.faults.cuts import Cable, cable
from tests.faults.evidence import Told, find_faults, gather, read_history
from tests.faults.load import Feeder, Onlooker
from tests.faults.orchard_processes import Orchard, running, wait_for
from tests.faults.sizes import Size
from tests.nodes import PushNode

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


class Storm:
    """A running orchard with agents that write down what they do, and the faults that hit it."""

    def __init__(self, orchard: Orchard, line: Cable, node: PushNode, size: Size) -> None:
        self.orchard, self.size = orchard, size
        self.cable, self._node = line, node
        self._folder = orchard.data.parent / "histories"
        self._folder.mkdir()
        self.chance = random.Random(size.seed)
        self.late_reports = 0
        """Reports that came after somebody else had taken the chunk, and were refused."""
        self.feeder: Feeder
        self.forgotten: set[str] = set()
        """Jobs of this row that were deleted from the engine by hand."""
        sentences = recordings.build([1.0] + [11.0] * (size.chunks - 1))
        self._talk = recordings.write_wav(sentences.samples, orchard.data.parent / "talk.wav")

    # -- processes -----------------------------------------------------------------

    def gather_fleet(self) -> None:
        """Start the agents and a dispatcher with its node."""
        for name in self.agent_names:
            self.start_agent(name)
        self.start_dispatcher()
        self.join_node()
        self.await_fleet()

    def await_fleet(self) -> None:
        """Wait until everybody is at work: what only starts is no part of the load yet."""
        ready = self.orchard.log("pipeline")
        wait_for("the pipeline", lambda: "is ready" in ready.read_text())
        wait_for("the agents", lambda: {*self.agent_names} <= {*self.orchard.workers()})
        wait_for("the dispatcher to drive its node", self._is_driven)

    def _is_driven(self) -> bool:
        pid = f":{self.orchard.processes['dispatcher'].pid}:".encode()
        with self.store() as store:
            (lease,) = store.read(ops.Key(keys.node_lease(self._node.url)))
        return pid in (lease or b"")

    @property
    def agent_names(self) -> list[str]:
        """The agents, the one with the cable first."""
        return [CABLED, *(f"agent-{number}" for number in range(1, self.size.agents))]

    def start_agent(self, name: str) -> None:
        """Start an agent under this name; its history goes on."""
        master = self.cable.url if name == CABLED else str(self.orchard.http.base_url)
        longest_s = "0.4" if name == CABLED else "0.1"
        self.orchard.launch(
            name, "-m", "tests.faults.recorded_agent", master, name,
            str(self.orchard.data / "worker_token"), str(self.history(name)), longest_s,
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

    def history(self, name: str) -> Path:
        """Where an agent writes down what it does."""
        return self._folder / f"{name}.jsonl"

    def told(self) -> list[Told]:
        """What all agents have written down."""
        return [one for path in sorted(self._folder.iterdir()) for one in read_history(path)]

    def is_ready(self) -> bool:
        """Whether the site says that it can work."""
        try:
            return self.orchard.http.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The engine, as the test reads it."""
        store = self.orchard.open_store()
        try:
            yield store
        finally:
            store.close()

    # -- a row of the table -----------------------------------------------------------

    def blow(
        self, fault: Callable[[], None], *, repaired: bool = False, rounds: int | None = None
    ) -> list[str]:
        """Let one kind of fault come at random moments under load; what is wrong afterwards."""
        self.feeder = Feeder(
            self.orchard, self._talk, at_least=self.size.jobs, at_once=self.size.agents + 2
        )
        onlooker = Onlooker(self.orchard)
        self.forgotten = set()
        self.feeder.start()
        onlooker.start()
        try:
            for _ in range(self.size.rounds if rounds is None else rounds):
                wait_for("a job", lambda: self.feeder.job_ids)
                time.sleep(self.chance.random())  # a random moment
                fault()
        finally:
            self.feeder.stop()
        self.await_fleet()
        complaints = self._judge(repaired)
        sys.stdout.write(f"{len(self.feeder.job_ids)} jobs, {onlooker.refusals} refusals\n")
        onlooker.stop()
        return [*self.feeder.complaints, *onlooker.complaints, *complaints]

    def _judge(self, repaired: bool) -> list[str]:
        """What is wrong when everything has come to rest."""
        expected = [one for one in self.feeder.job_ids if one not in self.forgotten]
        for job_id in expected:
            self.orchard.wait(job_id, "completed", patience_s=self.size.patience_s)
        with self.store() as store:
            mine = [one for one in self.told() if self._is_mine(one)]
            evidence = gather(store, expected, mine, self.forgotten)
            if repaired:
                repair(store, pause_s=0.2)
            return find_faults(evidence) + self._invariants(store)

    def _is_mine(self, one: Told) -> bool:
        return one.chunk_id.rpartition("_chunk_")[0] in self.feeder.job_ids

    def _invariants(self, store) -> list[str]:
        """What the doctor finds once every worker has given a sign of life."""
        stop = time.monotonic() + 15
        while (report := examine(store, pause_s=0.2)).faults and time.monotonic() < stop:
            time.sleep(0.5)
        return [f"doctor: {one}" for one in report.findings] if report.faults else []


@contextmanager
def storm(folder: Path, size: Size, **options: str) -> Iterator[Storm]:
    """An orchard with its fleet, ready for the storm; options go to all of its processes."""
    sys.stdout.write(f"SOAK_SEED={size.seed}\n")
    with ExitStack() as stack:
        orchard = stack.enter_context(running(folder / "data", **OPTIONS, **options))
        line = stack.enter_context(cable(orchard.port))
        node = stack.enter_context(PushNode("good"))
        one = Storm(orchard, line, node, size)
        one.gather_fleet()
        yield one
