"""Events become deliveries: read by cursor, kept in the transaction that moves the cursor on.

A process may die anywhere, and another may begin before the first has noticed: what was read
and not kept is read again. After a gap in the events, the ends of jobs are found in their
records; a message that was made before has the same id, and is not made twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from orchard import readings
from orchard.readings import Overtaken
from orchard.repository import epoch_ms
from orchard.services import queries, records, run
from orchard.webhooks.messages import Message, message_of, message_of_end
from orchard.webhooks.models import Delivery, Endpoint, Reading

EVENTS = 5_000
"""Events that are read in one step."""
PAGE = 200
"""Jobs that are looked at in one step, after a gap."""
UNKEPT_MAX = 2_000
"""So many events that tell nothing may have to be read again; far fewer than are kept."""
SLACK_MS = 60_000
"""How far apart the partitions of an engine may be read, at most."""


class Follower(readings.Follower[Reading]):
    """One process's way through the events: each step is one transaction, or none."""

    model = Reading

    def look_again(self) -> None:
        """Forget what is known, so that the next step begins with what is kept."""
        if not self._unkept:
            self._reading = None

    def _step(self, reading: Reading) -> bool:
        if not reading.is_begun:
            return False
        if not Endpoint.objects.filter(is_enabled=True).exists():
            return self._park(reading)
        tailed = run(queries.events_after(reading.cursor, limit=EVENTS))
        reading.cursor = tailed.cursor
        if tailed.reset:
            reading.cursor, reading.is_catching_up = run(queries.events_end()), True
            reading.place = ""
        events = () if tailed.reset else tailed.entries
        found = [message for _, raw in events if (message := message_of(raw))]
        if reading.is_catching_up:
            found += _missed(reading)
        self._unkept += len(events)
        if found or tailed.reset or reading.is_catching_up or self._unkept > UNKEPT_MAX:
            reading.told_ms = max([reading.told_ms, *(epoch_ms(one.at) for one in found)])
            self._keep(reading, found)
        return len(events) == EVENTS or reading.is_catching_up

    def _park(self, reading: Reading) -> bool:
        """Read no events as long as nobody is to be told."""
        with transaction.atomic():
            Reading.objects.select_for_update().get(pk=reading.pk)
            if not Endpoint.objects.filter(is_enabled=True).exists():
                reading.is_begun = False
                self._keep(reading, [])
        return False

    def _keep(self, reading: Reading, messages: Sequence[Message]) -> None:
        """Make the deliveries, and keep how far it has come, unless somebody else changed it."""
        seen, reading.version = reading.version, reading.version + 1
        told = ("version", "cursor", "is_begun", "told_ms", "is_catching_up", "place")
        values = {name: getattr(reading, name) for name in told}
        with transaction.atomic():
            if not Reading.objects.filter(pk=reading.pk, version=seen).update(**values):
                raise Overtaken
            Delivery.objects.bulk_create(_deliveries(messages), ignore_conflicts=True)
        self._unkept = 0


def _missed(reading: Reading) -> list[Message]:
    """What the next of all jobs would have told; moves the reading on."""
    page = run(records.page_jobs(reading.place, PAGE))
    reading.place, reading.is_catching_up = page.next, bool(page.next)
    since_ms = reading.told_ms - SLACK_MS
    ends = [message_of_end(job) for job in page.jobs if epoch_ms(job.updated_at) >= since_ms]
    return [message for message in ends if message]


def _deliveries(messages: Sequence[Message]) -> Iterable[Delivery]:
    if not messages:
        return []
    endpoints = list(Endpoint.objects.filter(is_enabled=True))
    return [
        Delivery(
            endpoint=endpoint, message_id=one.id, type=one.type, subject=one.subject,
            payload=one.payload,
        )
        for one in messages
        for endpoint in endpoints
        if not endpoint.types or one.type in endpoint.types
    ]  # fmt: skip
