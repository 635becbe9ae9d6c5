"""The thread that fills the catalogue, beside a pipeline process."""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, close_old_connections, connection

from orchard.catalogue import passages
from orchard.catalogue.following import Follower
from orchard.domain.errors import StorageAway
from orchard.readings import Overtaken
from orchard.services import EngineAway, queries, records, run

log = logging.getLogger("orchard.catalogue")

GATHER_S = 0.3
"""Events of so long are one transaction: the chunks of a busy job are one change of its row."""
WAIT_MS = 500
"""So long it waits for an event before it looks by itself, and renews its lead."""
AWAY_S = 1.0


def start(stopping: threading.Event, holder: str) -> threading.Thread:
    """Follow the jobs until ``stopping`` is set."""
    thread = threading.Thread(
        target=_follow, args=(stopping, holder), name="catalogue", daemon=True
    )
    thread.start()
    return thread


def catch_up(follower: Follower, holder: str, stopping: threading.Event) -> None:
    """Go on until all is read that is there, as long as this process leads.

    Raises:
        EngineAway, DatabaseError: one of the two cannot be used now.
    """
    while not stopping.is_set():
        if not run(records.lead_catalogue(follower.reading.identity, holder)):
            return
        try:
            if not follower.step():
                return
        except Overtaken:
            log.info("another process was ahead; what it has kept is gone on from")


def read_transcripts(follower: Follower, holder: str) -> bool:
    """Read some transcripts as long as this process leads; true when more are to be read.

    Raises:
        EngineAway, DatabaseError, StorageAway: one of the three cannot be used now.
    """
    leads = run(records.lead_catalogue(follower.reading.identity, holder))
    return leads and passages.read_some()


def _follow(stopping: threading.Event, holder: str) -> None:
    follower, said = Follower(), ""
    try:
        while not stopping.wait(GATHER_S):
            try:
                close_old_connections()
                catch_up(follower, holder, stopping)
                if not read_transcripts(follower, holder):
                    run(queries.events_after("$", block_ms=WAIT_MS, limit=1))
                said = ""
            except (EngineAway, DatabaseError, StorageAway) as away:
                if said != (said := str(away)):
                    log.warning("the catalogue of jobs waits: %s", away)
                stopping.wait(AWAY_S)
            except Exception:
                log.exception("a round of the catalogue went wrong")
                stopping.wait(AWAY_S)
    finally:
        connection.close()
