"""Engines of several servers in a storm: primaries are lost and slots move, nothing else is."""

from __future__ import annotations

import itertools
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator

import httpx
from redis.crc import key_slot

from orchard import keys
from orchard.conf_engine import CLUSTER_PARTITIONS
from orchard.domain.chunks import parse_chunk_id
from orchard.domain.errors import UnknownJob
from orchard.domain.lifecycle import ChunkStatus
from orchard.placement import LAYOUT
from orchard.services import queries
from orchard.services.queries import JobView
from statecore.store import Store
from statecore.store.layouts import tagged
from tests.clusters import ClusterEngine
from tests.engines import SentinelEngine
from tests.faults.evidence import Told
from tests.faults.orchard_processes import wait_for
from tests.faults.storms import Storm
from tests.servers import ServerProcess, until

BACK_S = 5.0
"""So soon after an election somebody is told again that something is done."""
REPLICATED = {"ORCHARD_DURABILITY": "replicated"}


Way = Callable[[ServerProcess], Callable[[], None]]
"""How a primary is lost; answers how it comes back."""


def kill(victim: ServerProcess) -> Callable[[], None]:
    """It dies, and comes back empty."""
    victim.kill()
    return victim.start


def pause(victim: ServerProcess) -> Callable[[], None]:
    """It stands still, and goes on as if nothing had been."""
    victim.signal(signal.SIGSTOP)
    return lambda: victim.signal(signal.SIGCONT)


WAYS: tuple[Way, ...] = (kill, pause)


def replace(
    engine: SentinelEngine | ClusterEngine, victim: ServerProcess, lose: Way
) -> Callable[[], None]:
    """Lose a primary, and wait until another has its place; answers how it comes back."""
    heirs = engine.heirs(victim)
    bring_back = lose(victim)
    until(lambda: any(heir.is_primary() for heir in heirs))
    return bring_back


class Failovers:
    """The rounds of a row: each harms, waits until all is well again, and looks what is left."""

    def __init__(self, storm: Storm, engine: SentinelEngine | ClusterEngine) -> None:
        self.storm, self.engine = storm, engine
        self.back_s: list[float] = []
        """How long after each election the first transition was acknowledged, in seconds."""
        self.lost: list[str] = []
        self._ways = itertools.cycle(WAYS)

    def lose_primary(self) -> None:
        """A primary dies or stands still until another has its place; then it comes back."""
        victim = self._victim()
        probe = self._probe_at(victim)
        bring_back = replace(self.engine, victim, next(self._ways))
        elected = time.monotonic()
        wait_for("something to be acknowledged", lambda: self._is_acknowledged(probe))
        self.back_s.append(time.monotonic() - elected)
        bring_back()
        self._settle()

    def move_slot(self) -> None:
        """The slot of a partition goes to another node, with all that is in it."""
        assert isinstance(self.engine, ClusterEngine)
        slot = key_slot(tagged(self.storm.chance.randrange(CLUSTER_PARTITIONS), "").encode())
        others = [node for node in self.engine.primaries if node is not self.engine.owner(slot)]
        move = self.storm.chance.choice((self.engine.move_by_key, self.engine.move_at_once))
        move(slot, self.storm.chance.choice(others))
        self._settle()

    def tell(self) -> None:
        """Say how long it took."""
        told = " ".join(f"{each:.2f}" for each in sorted(self.back_s))
        sys.stdout.write(f"{len(self.back_s)} failovers, back after {told} s\n")

    def _settle(self) -> None:
        """Wait until all is well, and look whether everything is there that was acknowledged."""
        until(self.engine.is_whole)
        acknowledged, job_ids = self.storm.told(), list(self.storm.feeder.job_ids)
        with self.storm.store() as store:
            self.lost += find_lost(store, acknowledged, job_ids)

    # -- primaries ---------------------------------------------------------------------

    def _victim(self) -> ServerProcess:
        if isinstance(self.engine, SentinelEngine):
            return self.engine.primary()
        return self.storm.chance.choice(self.engine.primaries)

    # -- a client that asks for something that must be written -----------------------------

    def _probe_at(self, victim: ServerProcess) -> str:
        """A worker's name whose record is at this primary."""
        names = (f"probe-{number}" for number in itertools.count())
        return next(name for name in names if self._owner_of(name) is victim)

    def _owner_of(self, name: str) -> ServerProcess:
        if isinstance(self.engine, SentinelEngine):
            return self.engine.primary()
        place = LAYOUT.place_of(keys.worker(f"agent://{name}"), CLUSTER_PARTITIONS)
        return self.engine.owner(key_slot(tagged(place, "").encode()))

    def _is_acknowledged(self, name: str) -> bool:
        body = {"name": name, "mode": "pull"}
        try:
            return self.storm.orchard.http.post("/api/v1/workers", json=body).is_success
        except httpx.HTTPError:
            return False


# -- what must be there after each round ----------------------------------------------


def find_lost(store: Store, told: Iterable[Told], job_ids: Iterable[str]) -> list[str]:
    """What somebody was told had happened, and the records know nothing of, in words."""
    views = {job_id: _view(store, job_id) for job_id in job_ids}
    gone = [f"job {job_id} was accepted and is gone" for job_id, view in views.items() if not view]
    return [*gone, *(each for one in told for each in _lost_of(one, views))]


def _lost_of(one: Told, views: dict[str, JobView | None]) -> Iterator[str]:
    """What is lost of what one call was answered."""
    job_id, index = parse_chunk_id(one.chunk_id) or ("", 0)
    view = views.get(job_id)
    if view is None or one.answer != "yes":
        return
    chunk = next((each for each in view.chunks if each.index == index), None)
    if chunk is None:
        yield f"{one} was acknowledged, and the chunk is gone"
    elif one.what == "claim" and chunk.token < one.token:
        yield f"{one} was acknowledged, and the chunk has {chunk.token}"
    elif one.what == "complete" and (chunk.status, chunk.token) != (
        ChunkStatus.COMPLETED, one.token,
    ):  # fmt: skip
        yield f"{one} was acknowledged, and the chunk is {chunk.status} with {chunk.token}"


def _view(store: Store, job_id: str) -> JobView | None:
    try:
        return store.run(queries.get_job(job_id))
    except UnknownJob:
        return None
