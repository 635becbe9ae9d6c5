"""Signs of life: a thread of its own keeps the lease of the chunk at hand from running out."""

from __future__ import annotations

import logging
import threading

from orchard.agents.master import Master, MasterAway, Refused, Work

log = logging.getLogger("orchard.agent")

PROGRESS_EVERY_S = 2.0


class LeaseLost(Exception):
    """Somebody else has the chunk now; what is known of it is of no use."""


class Signs:
    """Gives signs of life, with the progress of the chunk at hand, until closed."""

    def __init__(self, master: Master, every_s: float) -> None:
        self._master = master
        self._every_s = every_s
        self._work: Work | None = None
        self._share = self._told = 0.0
        self._lost = threading.Event()
        self._wake = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="signs-of-life", daemon=True)
        self._thread.start()

    def hold(self, work: Work | None) -> None:
        """Keep this chunk's lease from now on, or none."""
        self._work, self._share, self._told = work, 0.0, 0.0
        self._lost.clear()
        self._wake.set()

    def progress(self, share: float) -> None:
        """Note how far the chunk at hand is (0 to 1).

        Raises:
            LeaseLost: somebody else has it now.
        """
        self._share = float(share)
        if self._lost.is_set():
            raise LeaseLost

    def close(self) -> None:
        """Give no more signs of life."""
        self._closed = True
        self._wake.set()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(self._pause_s())
            self._wake.clear()
            if not self._closed:
                self._give_sign()

    def _pause_s(self) -> float:
        work = self._work
        return min(self._every_s, work.lease_s / 3, PROGRESS_EVERY_S) if work else self._every_s

    def _give_sign(self) -> None:
        work, share = self._work, self._share
        try:
            if work and share > self._told:
                self._master.progress(work, share)
                self._told = share
            elif work and work.chunk_id in self._master.heartbeat([work]):
                self._lose(work)
            elif not work:
                self._master.heartbeat([])
        except Refused as refusal:
            if work and refusal.code in ("stale_token", "unknown_chunk", "unknown_job"):
                self._lose(work)
        except MasterAway as away:
            log.warning("no sign of life could be given: %s", away)
        except Exception:  # without this thread every lease would run out, unseen
            log.exception("no sign of life could be given")

    def _lose(self, work: Work) -> None:
        if self._work is work:
            self._lost.set()
