"""Row 7: from a commit to the sockets of hundreds of browsers on one web process."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from benchmarks.rows import Row, make_row
from benchmarks.site import ROOT, STOP_S, Site, running_site
from orchard import codec, keys
from orchard.domain.events import ChunkCompleted
from statecore.store import ops
from statecore.store.base import Store

SLOW = 20
RATE, EACH = 500, 10
"""Events a second, and how many of them one commit appends."""
FRAME_MS = 100.0
"""Processor time of the web process for 1,000 frames of 50 events, as the prototype needed."""
SPARE_FILES = 200
EVENTS_KEPT = 20_000


class Crowd(NamedTuple):
    """How many browsers there are, and what is promised to them."""

    browsers: int
    late_ms: float
    memory_mb: float


CROWDS = (Crowd(500, 200.0, 120.0), Crowd(2_000, 500.0, 250.0))


def measure(store: Store, engine: str, seconds: float, crowds: int = len(CROWDS)) -> Iterator[Row]:
    """Lateness, losses and memory for each crowd; those that this machine has files for."""
    for crowd in CROWDS[:crowds]:
        if _may_open(crowd.browsers + SLOW + SPARE_FILES):
            yield from _measure(store, engine, seconds, crowd)


def _measure(store: Store, engine: str, seconds: float, crowd: Crowd) -> Iterator[Row]:
    with running_site(engine) as site:
        seen = _listen(store, site, seconds, crowd)
        memory, cores = site.peak_mb(), seen["processor_s"] / seconds
    who = f"{crowd.browsers:,} browsers, {RATE} events/s"
    yield make_row("7", f"{who}: p99 from commit to socket", [seen["p99_ms"]], "ms", crowd.late_ms)
    yield make_row("7", f"{who}: median", [seen["p50_ms"]], "ms", crowd.late_ms)
    yield make_row("7", f"{who}: work of the web process", [cores], "cores", 1.0)
    yield make_row("7", f"{who}: work for 1,000 frames", [seen["frame_ms"]], "ms", FRAME_MS)
    yield make_row("7", f"{who}: work of the browsers", [seen["browsers_s"] / seconds], "cores", 1)
    yield make_row("7", f"{who}: events missed", [seen["missed"]], "events", 0)
    yield make_row("7", f"{who}: memory of the web process", [memory], "MB", crowd.memory_mb)


def _listen(store: Store, site: Site, seconds: float, crowd: Crowd) -> dict[str, Any]:
    command = [
        sys.executable, "-m", "benchmarks.browsers", str(site.port), site.token(),
        str(crowd.browsers), str(SLOW),
    ]  # fmt: skip
    browsers = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert browsers.stdin
    assert browsers.stdout
    try:
        if browsers.stdout.readline().strip() != "ready":
            raise RuntimeError("the browsers were not let in")
        before = site.processor_s()
        last = _publish(store, seconds)
        browsers.stdin.write(json.dumps({"last": last}) + "\n")
        browsers.stdin.flush()
        seen = dict(json.loads(browsers.stdout.readline()))
        worked_s = site.processor_s() - before
        per_frame = {"frame_ms": worked_s * 1e6 / max(1, seen["frames"])}
        return seen | per_frame | {"processor_s": worked_s}
    finally:
        browsers.terminate()
        browsers.wait(STOP_S)


def _publish(store: Store, seconds: float) -> int:
    """Append events at the rate for so long; the number of the last one."""
    start, number = time.monotonic(), 0
    while number < seconds * RATE:
        entries = tuple(_event(number + i) for i in range(EACH))
        store.commit({}, [ops.Append(keys.EVENTS, entries, EVENTS_KEPT)])
        number += EACH
        time.sleep(max(0.0, start + number / RATE - time.monotonic()))
    return number - 1


def _event(number: int) -> bytes:
    job_id = f"{number % 200:016x}"
    event = ChunkCompleted(
        at=datetime.now(UTC), job_id=job_id, chunk_id=f"{job_id}_chunk_{number}", index=number,
        worker_id="bench-1", completed_chunks=number, total_chunks=1_000_000,
    )  # fmt: skip
    return codec.encode_event(event)


def _may_open(files: int) -> bool:
    """Let this process and its children have so many files, if the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, files)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return True
