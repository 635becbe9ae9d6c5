"""The lease of a stage, kept by its process for as long as it works on it."""

from __future__ import annotations

import logging
import threading

from orchard.conf import get_conf
from orchard.domain.errors import StaleToken, UnknownJob
from orchard.domain.jobs import Job
from orchard.services import pipeline
from orchard.services.engine import EngineAway, run

log = logging.getLogger("orchard.pipeline")


class StageLost(Exception):
    """The stage is no longer ours: its lease was taken over, or the job is gone."""


class Stopping(Exception):
    """The process was asked to stop in the middle of a stage."""


class LeaseKeeper:
    """Extends the lease of one stage from a thread of its own, with the progress so far."""

    def __init__(self, job: Job, stopping: threading.Event) -> None:
        self._job = job
        self._stopping = stopping
        self._share = 0.0
        self._lost = threading.Event()
        self._done = threading.Event()
        self._every_s = min(get_conf().stage_lease_s / 3, 2.0)
        self._thread = threading.Thread(target=self._keep, name="lease-keeper", daemon=True)

    def __enter__(self) -> LeaseKeeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def progress(self, share: float) -> None:
        """Note how far the work is (0 to 1).

        Raises:
            StageLost: somebody else has the stage; stop working on it.
            Stopping: the process was asked to stop.
        """
        self._share = share
        if self._lost.is_set():
            raise StageLost
        if self._stopping.is_set():
            raise Stopping

    def _keep(self) -> None:
        while not self._done.wait(self._every_s):
            try:
                run(pipeline.progress(self._job.job_id, self._job.stage.token, self._share))
            except (StaleToken, UnknownJob):
                self._lost.set()
                return
            except EngineAway:  # the lease holds as long as nobody can take it over
                log.warning("the state engine is away; job %s waits for it", self._job.job_id)
