"""The health of the state engine: its own facts, how fast it answers us, and what it holds."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

import msgspec

from statecore import keys
from statecore.domain.entries import DEFAULT_NAMESPACES
from statecore.domain.health import Concern, EngineFacts, find_concerns
from statecore.domain.lifecycle import IssueStatus, LabelStatus
from statecore.services.engine import get_engine
from statecore.store import ops
from statecore.store.base import Store
from statecore.store.steps import Steps, read

READS = 8
"""How often each look asks the engine something, to see how long it takes."""
LATENCIES_KEPT = 400
SAMPLES_KEPT = 180
SAMPLE_EVERY_S = 2.0
"""Several people looking at once take one sample together."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen at one look."""

    at: datetime
    p50_ms: float
    p95_ms: float
    memory_bytes: int | None
    ops_per_s: int | None
    clients: int | None
    events: int


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The engine now, and as it was at the looks of this process before."""

    facts: EngineFacts
    concerns: list[Concern]
    samples: list[Sample]
    """The oldest first; the last one is of now."""
    reads: int
    """How many reads ``p50_ms`` and ``p95_ms`` of the last sample are of."""

    @property
    def now(self) -> Sample:
        """The last sample."""
        return self.samples[-1]


class StateCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many things of each kind there are, from indexes."""

    issues: dict[IssueStatus, int]
    labels: dict[LabelStatus, int]
    processes: int
    locks: int
    entries: dict[str, int]
    """By namespace."""


def examine() -> Health:
    """Look at the engine, and remember what was seen.

    Raises:
        EngineAway: it cannot be reached.
    """
    engine = get_engine()
    facts = msgspec.convert(engine.describe(keys.EVENTS), EngineFacts)
    watch = _watch_of(engine)
    samples = watch.look(engine, facts)
    concerns = find_concerns(facts, samples[-1].p95_ms)
    return Health(facts=facts, concerns=concerns, samples=samples, reads=watch.reads)


def last_seen() -> Sample | None:
    """What this process saw at its last look, if it ever looked; asks nothing of the engine."""
    samples = _watch_of(get_engine()).samples
    return samples[-1] if samples else None


def count_state() -> Steps[StateCounts]:
    """How many things of each kind there are; what it costs does not depend on how many."""
    issues = [ops.Count(keys.issues_in(status)) for status in IssueStatus]
    labels = [ops.Count(keys.labels_in(status)) for status in LabelStatus]
    others = (ops.Count(keys.PROCESSES), ops.Count(keys.LOCKS))
    found = yield from read(*issues, *labels, *others)
    n, m = len(issues), len(labels)
    return StateCounts(
        issues=dict(zip(IssueStatus, found[:n], strict=True)),
        labels=dict(zip(LabelStatus, found[n : n + m], strict=True)),
        processes=found[-2],
        locks=found[-1],
        entries=(yield from count_entries()),
    )


def count_entries() -> Steps[dict[str, int]]:
    """How many entries each namespace has, the default ones first."""
    (written,) = yield from read(ops.Members(keys.NAMESPACES))
    names = [*DEFAULT_NAMESPACES, *sorted(written - set(DEFAULT_NAMESPACES))]
    sizes = yield from read(*(ops.Size(keys.state(name)) for name in names))
    return {name: int(size) for name, size in zip(names, sizes, strict=True)}


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that a share of all values does not exceed (nearest rank); 0.0 of none."""
    if not ordered:
        return 0.0
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class _Watch:
    """What this process has seen of one engine; safe to be shared by threads."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._latencies: deque[float] = deque(maxlen=LATENCIES_KEPT)
        self._looked_at = -math.inf
        self._lock = threading.Lock()

    @property
    def reads(self) -> int:
        return len(self._latencies)

    def look(self, engine: Store, facts: EngineFacts) -> list[Sample]:
        """Take a sample, unless one was taken just now; all samples then."""
        with self._lock:
            if time.monotonic() - self._looked_at >= SAMPLE_EVERY_S or not self.samples:
                self._latencies.extend(_read_times_ms(engine))
                self._looked_at = time.monotonic()
                self.samples = [*self.samples, self._sample(facts)][-SAMPLES_KEPT:]
            return self.samples

    def _sample(self, facts: EngineFacts) -> Sample:
        ordered = sorted(self._latencies)
        return Sample(
            at=datetime.now(UTC), p50_ms=quantile(ordered, 0.5), p95_ms=quantile(ordered, 0.95),
            memory_bytes=facts.memory_bytes, ops_per_s=facts.ops_per_s, clients=facts.clients,
            events=facts.streams.get(keys.EVENTS, 0),
        )  # fmt: skip


_watches: WeakKeyDictionary[Store, _Watch] = WeakKeyDictionary()
_guard = threading.Lock()


def _watch_of(engine: Store) -> _Watch:
    with _guard:
        return _watches.setdefault(engine, _Watch())


def _read_times_ms(engine: Store) -> list[float]:
    times = []
    for _ in range(READS):
        began = time.perf_counter()
        engine.read(ops.Key(keys.KEEPER))
        times.append(1000 * (time.perf_counter() - began))
    return times
