"""The fleet in figures: jobs, chunks and workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client import Metric

from orchard.domain.workers import Worker
from orchard.metrics.catalogue import tell, tell_each
from orchard.services import figures, run
from orchard.services.figures import Figures
from orchard.services.samples import Sample


def fleet_figures() -> Iterator[Metric]:
    """What is told of the fleet.

    Raises:
        EngineAway: the state engine does not answer.
    """
    found = run(figures.get_figures())
    yield from _jobs(found)
    yield from _workers(found)
    if found.workers is not None:
        yield from _each_worker(found.workers)
    if found.last_sample:
        yield from _done(found.last_sample)
    yield tell("orchard_dispatchers", found.dispatchers)


def _jobs(found: Figures) -> Iterator[Metric]:
    load = found.load
    yield tell_each("orchard_jobs", [((name,), n) for name, n in load.by_status.items()])
    ages = [((name,), age) for name, age in found.oldest_job_s.items()]
    yield tell_each("orchard_job_oldest_age_seconds", ages)
    yield tell("orchard_stages_waiting", load.waiting_stages)
    yield tell("orchard_stage_oldest_age_seconds", found.oldest_stage_s)
    yield tell("orchard_chunks_waiting", load.waiting_chunks)
    yield tell("orchard_chunks_leased", load.leased_chunks)


def _workers(found: Figures) -> Iterator[Metric]:
    counts = found.stats.workers
    rows = [(("online",), counts.online), (("busy",), counts.busy), (("offline",), counts.offline)]
    yield tell_each("orchard_workers", rows)


def _each_worker(workers: Sequence[Worker]) -> Iterator[Metric]:
    modes = Counter((one.mode, str(one.status)) for one in workers)
    yield tell_each("orchard_workers_by_mode", modes.items())
    paces = [((one.worker_id,), figures.pace_of(one)) for one in workers]
    yield tell_each("orchard_worker_pace_ratio", paces)
    done = [((one.worker_id,), one.completed) for one in workers]
    yield tell_each("orchard_worker_chunks_completed_total", done)


def _done(sample: Sample) -> Iterator[Metric]:
    yield tell("orchard_chunks_completed_total", sample.completed_total)
    yield tell("orchard_chunks_failed_total", sample.failed_total)
    yield tell("orchard_chunks_doubted_total", sample.doubted_total)
    yield tell("orchard_sample_timestamp_seconds", sample.at.timestamp())
