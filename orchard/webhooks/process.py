"""The thread that sends webhooks, beside a pipeline process: one of all sends, by a lease."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from orchard.conf import get_conf
from orchard.readings import Overtaken
from orchard.services import EngineAway, records, run
from orchard.webhooks import sending
from orchard.webhooks.endpoints import allowed_networks
from orchard.webhooks.following import Follower
from orchard.webhooks.models import Endpoint
from orchard.webhooks.posting import Courier
from orchard.webhooks.sending import Sender

log = logging.getLogger("orchard.webhooks")

IDLE_S = 2.0
"""How often it is looked whether there is a webhook at all."""
STANDBY_S = 1.0
LOOK_S = 0.3
"""How often events and due messages are looked for."""
BUSY_S = 0.02
COLLECT_S = 0.2
AWAY_S = 1.0
TRIM_EVERY_S = 3600.0
STEPS_MAX = 20
"""After so many steps through the events the lead is renewed."""


class Station:
    """What one process does about webhooks, turn by turn."""

    def __init__(self, holder: str, sender: Sender, follower: Follower | None = None) -> None:
        self._holder, self._sender = holder, sender
        self._follower = follower or Follower()
        self._trimmed_at = 0.0

    def turn(self) -> float:
        """Do what is to be done now; how long to wait for the next turn, in seconds.

        Raises:
            EngineAway, DatabaseError: one of the two cannot be used now.
        """
        if not (self._sender.is_busy or Endpoint.objects.exists()):
            return IDLE_S
        self._follower.look_again()
        if not run(records.lead_webhooks(self._follower.reading.identity, self._holder)):
            self._sender.collect(0)
            return STANDBY_S
        self._follow()
        started = self._sender.start_due()
        self._sender.collect(COLLECT_S)
        self._trim()
        return BUSY_S if started or self._sender.is_busy else LOOK_S

    def _follow(self) -> None:
        try:
            for _ in range(STEPS_MAX):
                if not self._follower.step():
                    return
        except Overtaken:
            log.info("somebody else was ahead; what they have kept is gone on from")

    def _trim(self) -> None:
        if time.monotonic() - self._trimmed_at > TRIM_EVERY_S or not self._trimmed_at:
            kept = timedelta(days=get_conf().webhook_keep_days)
            if sending.trim(timezone.now() - kept) < sending.TRIMMED_AT_ONCE:
                self._trimmed_at = time.monotonic()


def start(stopping: threading.Event, holder: str) -> threading.Thread:
    """Send webhooks until ``stopping`` is set."""
    thread = threading.Thread(target=_work, args=(stopping, holder), name="webhooks", daemon=True)
    thread.start()
    return thread


def _work(stopping: threading.Event, holder: str) -> None:
    courier = Courier(allowed_networks(), get_conf().webhook_timeout_s)
    station, said, pause_s = Station(holder, Sender(courier)), "", 0.0
    try:
        while not stopping.wait(pause_s):
            try:
                close_old_connections()
                pause_s, said = station.turn(), ""
            except (EngineAway, DatabaseError) as away:
                if said != (said := str(away)):
                    log.warning("webhooks wait: %s", away)
                pause_s = AWAY_S
            except Exception:
                log.exception("a round of the webhooks went wrong")
                pause_s = AWAY_S
    finally:
        courier.close()
        connection.close()
