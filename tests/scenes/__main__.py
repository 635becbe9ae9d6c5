"""Play the scene into the engine and the data folder of the settings, and go on until ended.

ORCHARD_STORE=redis://… ORCHARD_DATA=… python -m tests.scenes SOUND.wav
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchard.settings")
import django

django.setup()

import redis  # noqa: E402

from orchard.catalogue import process  # noqa: E402
from orchard.conf import get_conf  # noqa: E402
from orchard.logbook.lines import Line  # noqa: E402
from orchard.logbook.site import get_writer  # noqa: E402
from orchard.services import engine, queries, run  # noqa: E402
from orchard.stopping import stop_on_signals  # noqa: E402
from statecore.store.clock import ManualClock  # noqa: E402
from statecore.store.memory import MemoryStore  # noqa: E402
from tests.scenes.copying import copy  # noqa: E402
from tests.scenes.fleet import FleetScene  # noqa: E402
from tests.scenes.issues import IssueScene  # noqa: E402
from tests.scenes.words import LOG_LINES  # noqa: E402

SIZE = (70, 300, 200)
"""Minutes, jobs and issues."""
LINES = 3_000


def play(sound: Path, minutes: int, jobs: int, issues: int, seed: int = 7) -> FleetScene:
    """Everything, one after the other, so that all of it ends now; the fleet can go on."""
    end = datetime.now(UTC)
    # Two afternoons that both end now: times must be true on either side.
    issues_clock = ManualClock(end - timedelta(minutes=minutes))
    fleet_clock = ManualClock(end - timedelta(minutes=minutes))
    client = redis.Redis.from_url(get_conf().store, protocol=2)
    fleet = FleetScene(fleet_clock, seed, sound)
    for clock, part in (
        (issues_clock, lambda: IssueScene(issues_clock, seed).play(issues, minutes)),
        (fleet_clock, lambda: fleet.play(minutes, jobs)),
    ):
        store = MemoryStore(clock)
        before = engine.use(store)
        part()
        if clock is fleet_clock:
            _write_log(seed, minutes)
            client.rename("events", "events:of-issues") if client.exists("events") else None
        engine.use(before)
        copy(store, client)
    _merge(client)
    return fleet


class Wall:
    """The wall's clock."""

    def advance(self, seconds: float) -> None:
        """Let so much time go by; that takes as long."""
        time.sleep(seconds)

    def monotonic(self) -> float:
        """Seconds since 1970."""
        return time.time()


def _merge(client: redis.Redis) -> None:
    """One stream out of two, in the order of their times."""
    entries = client.xrange("events") + client.xrange("events:of-issues")
    client.delete("events", "events:of-issues")
    pipe = client.pipeline(transaction=False)
    last = (0, 0)
    for entry_id, fields in sorted(entries, key=lambda entry: _place(entry[0])):
        place = max(_place(entry_id), (last[0], last[1] + 1))
        last = place
        pipe.xadd("events", fields, id=f"{place[0]}-{place[1]}")
    pipe.execute()


def _place(entry_id: bytes) -> tuple[int, int]:
    ms, _, sequence = entry_id.decode().partition("-")
    return int(ms), int(sequence)


def _write_log(seed: int, minutes: int) -> None:
    dice = random.Random(seed)
    jobs = [view.job.job_id for view in run(queries.list_jobs(limit=60)).jobs]
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    lines = []
    for n in range(LINES):
        level, process, text = dice.choices(LOG_LINES, weights=(8, 8, 3, 2, 1, 1, 1, 1))[0]
        job = dice.choice(jobs)
        at_ms = now_ms - round(minutes * 60_000 * (1 - n / LINES))
        said = text.format(job=job, n=dice.randint(1, 9))
        worker = f"pixel-{dice.randint(3, 11)}" if process == "agent" else ""
        lines.append(Line(
            time_ms=at_ms, message=said, level=level, process=process, worker=worker,
            logger=f"orchard.{process}", job=job if "{job}" in text else "",
        ))  # fmt: skip
    get_writer().write(lines)


if __name__ == "__main__":
    scene = play(Path(sys.argv[1]), *(map(int, sys.argv[2:]) if sys.argv[2:] else SIZE))
    stopping = stop_on_signals([signal.SIGTERM])
    process.start(stopping, "scene")
    print("the scene goes on until it is ended", flush=True)  # noqa: T201
    scene.go_on(Wall(), stopping.is_set)
