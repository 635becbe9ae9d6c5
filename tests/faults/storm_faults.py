"""The faults that hit an orchard in a storm: each harms, and waits until the harm can be seen."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping

from orchard.domain.events import ChunkStarted
from tests.faults.evidence import Told, read_events, read_history
from tests.faults.orchard_processes import wait_for
from tests.faults.storms import CABLED, Storm


def kill_agent(storm: Storm) -> None:
    """``kill -9`` of an agent, which comes back under its name."""
    name = storm.chance.choice(storm.agent_names)
    storm.orchard.kill(name)
    storm.start_agent(name)


def kill_pipeline(storm: Storm) -> None:
    """``kill -9`` of the pipeline."""
    storm.orchard.kill("pipeline")
    storm.orchard.start_pipeline()


def kill_web(storm: Storm) -> None:
    """``kill -9`` of the web process."""
    storm.orchard.kill("web")
    storm.orchard.start_web()


def kill_dispatcher(storm: Storm) -> None:
    """``kill -9`` of the dispatcher."""
    storm.orchard.kill("dispatcher")
    storm.start_dispatcher()


def kill_engine(storm: Storm) -> None:
    """``kill -9`` of the engine; whoever looks after it starts it again."""
    before = storm.orchard.engine_pid()
    os.kill(before, signal.SIGKILL)
    wait_for("another engine", lambda: storm.is_ready() and storm.orchard.engine_pid() != before)


def cut_network(storm: Storm) -> None:
    """A cut until another has the chunk of the agent behind it; its report then comes late."""
    held = wait_for("the agent behind the cable to have a chunk", lambda: _held_behind_cable(storm))
    storm.cable.cut(hard=storm.chance.random() < 0.5)
    try:
        wait_for("another to take its chunk", lambda: _is_taken_over(storm, held))
    finally:
        storm.cable.mend()
    wait_for("its late report to be answered", lambda: _is_answered(storm, held))


def delete_job(storm: Storm) -> None:
    """``DEL job:<id>`` by hand, of a job that is under way."""
    job_id = wait_for("a job under way", lambda: _some_open_job(storm))
    storm.forgotten.add(job_id)
    storm.orchard.engine.delete(f"job:{job_id}")


def flush_engine(storm: Storm) -> None:
    """``FLUSHDB``: everything is gone, and work begins anew with what comes next."""
    with storm.feeder.lock:
        storm.forgotten.update(storm.feeder.job_ids)
        storm.orchard.engine.flushdb()
    storm.join_node()


def flush_scripts(storm: Storm) -> None:
    """``SCRIPT FLUSH``."""
    storm.orchard.engine.script_flush()


def fill_engine(storm: Storm) -> None:
    """``CONFIG SET maxmemory`` to less than is in use, and back."""
    before = storm.orchard.engine.config_get("maxmemory")["maxmemory"]
    storm.orchard.engine.config_set("maxmemory", "1mb")
    try:
        wait_for("somebody to be refused", lambda: _is_full(storm))
        time.sleep(storm.chance.random())
    finally:
        storm.orchard.engine.config_set("maxmemory", before)


def stop_engine(storm: Storm) -> None:
    """The engine stands still for a while, and goes on as if nothing had been."""
    pid = storm.orchard.engine_pid()
    os.kill(pid, signal.SIGSTOP)
    time.sleep(storm.size.pause_s)
    os.kill(pid, signal.SIGCONT)
    wait_for("the site to be ready", storm.is_ready)


def _is_full(storm: Storm) -> bool:
    answer = storm.orchard.http.post("/api/v1/workers", json={"name": "late", "mode": "pull"})
    return answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0


def _some_open_job(storm: Storm) -> str | None:
    for job_id in reversed(storm.feeder.job_ids):
        answer = storm.orchard.http.get(f"/jobs/{job_id}")
        if answer.is_success and answer.json()["status"] in ("splitting", "processing"):
            return job_id
    return None


def _held_behind_cable(storm: Storm) -> Told | None:
    """A chunk that the agent behind the cable has, and has not reported on."""
    calls = read_history(storm.history(CABLED))
    last = calls[-1] if calls else None
    return last if last and last.what == "claim" else None


def _is_taken_over(storm: Storm, held: Told) -> bool:
    with storm.store() as store:
        started = [
            one.worker_id for one in read_events(store)
            if isinstance(one, ChunkStarted) and one.chunk_id == held.chunk_id
        ]  # fmt: skip
    if started and started[-1] != CABLED:
        return True
    return _is_answered(storm, held)  # it was reported just before the cut: no harm done


def _is_answered(storm: Storm, held: Told) -> bool:
    """Whether the agent has moved on; counts its refused reports."""
    calls = read_history(storm.history(CABLED))
    later = [one for one in calls if one.began > held.began]
    mine = [one for one in later if one.chunk_id == held.chunk_id and one.answer]
    storm.late_reports += any(one.answer == "stale_token" for one in mine)
    return bool(mine) or any(one.what == "claim" for one in later)


ROWS: Mapping[str, Callable[[Storm], None]] = {
    "kill -9 of an agent": kill_agent,
    "kill -9 of the pipeline": kill_pipeline,
    "kill -9 of the web process": kill_web,
    "kill -9 of the dispatcher": kill_dispatcher,
    "kill -9 of the engine": kill_engine,
    "network cut longer than a lease": cut_network,
    "DEL job:<id>": delete_job,
    "FLUSHDB": flush_engine,
    "SCRIPT FLUSH": flush_scripts,
    "maxmemory": fill_engine,
    "engine stands still": stop_engine,
}
"""The faults of the goals, section 2; for Sentinel and Cluster see test_failovers.py."""
REPAIRED = ("DEL job:<id>", "FLUSHDB")
"""After these ``manage.py doctor --repair`` is asked for: what was deleted left things behind."""
