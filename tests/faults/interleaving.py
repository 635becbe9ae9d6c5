"""A whole fleet in one thread: agents, a pipeline and a reaper take turns, stall and die.

Time stands still but for jumps beyond a lease; see :mod:`tests.faults.turns`.
"""

from __future__ import annotations

from contextlib import suppress

from orchard.conf import get_conf
from orchard.domain import transcripts
from orchard.domain.chunks import chunk_id
from orchard.domain.errors import OrchardError, UnknownWorker
from orchard.domain.lifecycle import JobStatus
from orchard.domain.timeline import ChunkResult, Line, Span
from orchard.services import claims, cleanup, fleet, pipeline, queries, reports, submissions
from orchard.services.claims import Claimed
from statecore.store.clock import ManualClock
from statecore.store.memory import MemoryStore
from statecore.store.steps import Steps
from tests.faults.evidence import FOREVER, Told, answer_of, words
from tests.faults.turns import IDLE, Turns

MAX_TURNS = 20_000
"""A healthy fleet needs a tenth of it; in so many, jumps of the clock let no ended job expire."""


class Interleaving(Turns):
    """A store, a clock and processes; ``told`` is the history of the agents."""

    def __init__(self, seed: int, store: MemoryStore, clock: ManualClock) -> None:
        super().__init__(seed, store)
        self.clock = clock
        self.told: list[Told] = []
        self.job_ids: list[str] = []
        self._chunks = 0
        self._open: dict[int, Told] = {}

    # -- what happens --------------------------------------------------------------

    def run(self, jobs: int = 3, chunks: int = 4, agents: int = 4) -> None:
        """Let the fleet work, die and stall until every job has ended, or nothing moves on."""
        self._chunks = chunks
        for number in range(jobs):
            created = submissions.create(
                f"{number}.wav", f"jobs/{number}/source.wav", 5, owner="ann", use_purifier=False
            )
            self.job_ids.append(self.store.run(created).job_id)
        for number in range(agents):
            self.start(f"agent-{number}", self._agent(f"agent-{number}"))
        self.start("pipeline", self._pipeline("pipeline"))
        self.start("reaper", self._reaper())
        while self.turns < MAX_TURNS and (self.turns % 50 or not self._all_ended()):
            self.turn()
            self._mischief()
        self.told += self._open.values()
        for number in range(agents):  # what a record says is put right with the next sign of life
            self.store.run(fleet.heartbeat(f"agent-{number}"))

    def _mischief(self) -> None:
        """Now and then a process dies and another takes its place, or all stall past a lease."""
        if self.chance.random() < 0.002:
            self.clock.advance(get_conf().chunk_lease_s + 1)
        if self.chance.random() < 0.02:  # late enough to be copied, and not to be lost
            self.clock.advance(get_conf().chunk_lease_s / 10)
        if self.chance.random() < 0.004:
            victim = self.chance.choice(self.processes)
            if victim.name.startswith("agent"):
                self.replace(victim, self._agent(victim.name))
            elif victim.name.startswith("pipeline"):
                self.replace(victim, self._pipeline(victim.name))

    def _all_ended(self) -> bool:
        views = (self.store.run(queries.get_job(job_id)) for job_id in self.job_ids)
        return all(view.job.has_ended for view in views)

    # -- processes -----------------------------------------------------------------

    def _agent(self, name: str) -> Steps[None]:
        yield from fleet.register(name=name)
        while True:
            began = self.turns
            try:
                held = yield from claims.claim(name, self.chance.choice((1, 1, 2)))
            except UnknownWorker:
                yield from fleet.register(name=name)
                continue
            if not held:
                yield from self._give_sign(name)
            for one in held:
                self._note("copy" if one.is_duplicate else "claim", name, one, began)
            for one in held:
                yield from self._do(name, one)
            yield IDLE

    def _give_sign(self, name: str) -> Steps[None]:
        with suppress(UnknownWorker):
            yield from fleet.heartbeat(name)

    def _do(self, name: str, held: Claimed) -> Steps[None]:
        for _ in range(self.chance.choice((0, 2, 40))):
            yield IDLE  # listening takes its time
        chunk, said = chunk_id(held.job.job_id, held.chunk.index), None
        text = words(chunk, name, held.chunk.token)
        if not (held.is_duplicate or held.chunk.doubt) and self.chance.random() < 0.2:
            text += " la" * 40  # the guard has such a chunk done once more
        line = Line(start_ms=0, end_ms=9, text=text)
        result = ChunkResult(text=text, time_ms=5, segments=(line,))
        asked = Told("complete", chunk, held.chunk.token, name, self.turns, FOREVER, "")
        self._open[id(asked)] = asked
        try:
            accepted = yield from reports.complete(chunk, name, held.chunk.token, result)
            said = "doubted" if accepted.doubts else "yes"
        except OrchardError as refusal:
            said = answer_of(refusal)
        del self._open[id(asked)]
        self.told.append(asked._replace(ended=self.turns + 1, answer=said))

    def _note(self, what: str, name: str, held: Claimed, began: float) -> None:
        chunk = chunk_id(held.job.job_id, held.chunk.index)
        self.told.append(Told(what, chunk, held.chunk.token, name, began, self.turns + 1, "yes"))

    def _pipeline(self, name: str) -> Steps[None]:
        while True:
            job = yield from pipeline.claim_stage(name)
            if job is None:
                yield IDLE
                continue
            try:
                yield from self._stage(job.job_id, job.status, job.stage.token)
            except OrchardError:
                continue  # its lease ran out, and another has the stage

    def _stage(self, job_id: str, status: JobStatus, token: int) -> Steps[None]:
        for _ in range(self.chance.choice((0, 2, 40))):
            yield IDLE
        if status is JobStatus.SPLITTING:
            spans = [
                Span(start_ms=i * 60_000, end_ms=i * 60_000 + 50_000) for i in range(self._chunks)
            ]
            yield from pipeline.finish_splitting(job_id, token, spans, self._chunks * 60_000)
            return
        done, fields = yield from pipeline.get_results(job_id)
        joined = queries.join_results(done, fields)
        result = transcripts.make_result(joined, 5, 1_000_000)
        yield from pipeline.finish_aggregating(job_id, token, result, done)

    def _reaper(self) -> Steps[None]:
        cursor = ""
        while True:
            _, cursor = yield from cleanup.clear_once(cursor)
            for _ in range(20):
                yield IDLE
