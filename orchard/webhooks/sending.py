"""Sending: what is due goes out, in order of each subject; what fails is tried again later."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from orchard.webhooks import signing
from orchard.webhooks.models import Delivery, Endpoint
from orchard.webhooks.posting import Courier, Letter, Outcome
from orchard.webhooks.sealed_secrets import secrets_of
from orchard.webhooks.traces import tell_attempt
from statecore.sealing.faults import SealFault

SCHEDULE_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""How long after each failure the next attempt is made; after the last, a message is given up."""
JITTER = 0.1
"""A wait is up to so much longer than it says, so that not all come back at once."""
RETRY_AFTER_MAX_S = 86_400.0
PER_ENDPOINT = 4
"""So many messages are under way to one endpoint: one that hangs holds up nobody else."""
FAILING_MAX = timedelta(days=5)
"""An endpoint that failed for so long is disabled when the next message to it is given up."""
GONE = 410
AGENT = "Orchard-Webhooks/1"
TRIMMED_AT_ONCE = 1_000


class UnderWay(NamedTuple):
    """A message that was sent, and since when its answer is waited for."""

    delivery: Delivery
    begun: datetime


class Sender:
    """What one process has under way. Only the process that leads may start anything."""

    def __init__(
        self, courier: Courier, *, schedule_s: Sequence[float] = SCHEDULE_S,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:  # fmt: skip
        self._courier, self._schedule_s, self._now = courier, schedule_s, now
        self._under_way: dict[Future[Outcome], UnderWay] = {}

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return bool(self._under_way)

    def start_due(self) -> int:
        """Send what is due, as much as may be under way; how much was started."""
        started = 0
        for endpoint in Endpoint.objects.filter(is_enabled=True):
            sent = [one.delivery for one in self._under_way.values()]
            mine = [one.pk for one in sent if one.endpoint_id == endpoint.pk]
            free = PER_ENDPOINT - len(mine)
            due = _due(endpoint, self._now()).exclude(pk__in=mine)[: max(0, free)]
            for delivery in due:
                self._start(endpoint, delivery)
                started += 1
        return started

    def collect(self, timeout_s: float) -> None:
        """Wait for the next outcomes so long at most, and write them down."""
        if not self._under_way:
            return
        done, _ = wait(self._under_way, timeout_s, FIRST_COMPLETED)
        for future in done:
            delivery, begun = self._under_way.pop(future)
            try:
                self._note(delivery, future.result(), begun)
            except CancelledError:  # the courier was closed; it is sent again by the next one
                continue

    def _start(self, endpoint: Endpoint, delivery: Delivery) -> None:
        at, body = self._now(), delivery.payload.encode()
        try:
            secrets = secrets_of(endpoint, at)
        except SealFault as fault:
            outcome = Outcome(error=f"its signing key does not open: {fault}"[:300])
            self._note(delivery, outcome, at)
            return
        headers = {"Content-Type": "application/json", "User-Agent": AGENT}
        headers |= signing.headers(delivery.message_id, int(at.timestamp()), body, secrets)
        letter = Letter(url=endpoint.url, headers=headers, body=body)
        self._under_way[self._courier.send(letter)] = UnderWay(delivery, at)

    def _note(self, delivery: Delivery, outcome: Outcome, begun: datetime) -> None:
        """Write down what became of an attempt, unless it was replayed or ended meanwhile."""
        at, attempts = self._now(), delivery.attempts + 1
        facts: dict[str, Any] = {
            "attempts": attempts, "status": outcome.status, "error": outcome.error,
            "excerpt": outcome.excerpt, "took_ms": outcome.took_ms,
        }  # fmt: skip
        is_over = outcome.status == GONE or attempts > len(self._schedule_s)
        if not outcome.error:
            facts |= {"state": Delivery.DELIVERED, "ended_at": at}
        elif is_over:
            facts |= {"state": Delivery.FAILED, "ended_at": at}
        else:
            facts["next_at"] = at + self._rest(attempts, outcome)
        same = Delivery.objects.filter(
            pk=delivery.pk, state=Delivery.PENDING, attempts=delivery.attempts
        )
        same.update(**facts)
        _note_health(delivery.endpoint_id, outcome, at, is_over=is_over)
        tell_attempt(delivery, outcome, begun)

    def _rest(self, attempts: int, outcome: Outcome) -> timedelta:
        planned_s = self._schedule_s[attempts - 1] * (1 + JITTER * random.random())  # noqa: S311
        asked_s = min(outcome.retry_after_s, RETRY_AFTER_MAX_S)
        return timedelta(seconds=max(planned_s, asked_s))


def trim(before: datetime) -> int:
    """Forget what was made before then and waits for nothing; how much it was."""
    old = Delivery.objects.filter(created_at__lt=before)
    over = old.filter(~Q(state=Delivery.PENDING) | Q(endpoint__is_enabled=False))
    gone = list(over.order_by("pk").values_list("pk", flat=True)[:TRIMMED_AT_ONCE])
    Delivery.objects.filter(pk__in=gone).delete()
    return len(gone)


def _due(endpoint: Endpoint, at: datetime) -> QuerySet[Delivery]:
    """What may be sent now: of each subject, only the first that waits."""
    earlier = Delivery.objects.filter(
        endpoint=endpoint, subject=OuterRef("subject"), state=Delivery.PENDING,
        pk__lt=OuterRef("pk"),
    )  # fmt: skip
    waiting = Delivery.objects.filter(endpoint=endpoint, state=Delivery.PENDING, next_at__lte=at)
    return waiting.filter(~Exists(earlier)).order_by("next_at", "pk")


def _note_health(endpoint_id: int, outcome: Outcome, at: datetime, *, is_over: bool) -> None:
    """Keep since when an endpoint fails, and disable it when it is gone, or failed for days."""
    endpoint = Endpoint.objects.filter(pk=endpoint_id)
    if not outcome.error:
        endpoint.filter(failing_since__isnull=False).update(failing_since=None)
        return
    endpoint.filter(failing_since__isnull=True).update(failing_since=at)
    if outcome.status == GONE:
        endpoint.update(is_enabled=False, stopped_for=Endpoint.GONE)
    elif is_over:
        endpoint.filter(failing_since__lte=at - FAILING_MAX).update(
            is_enabled=False, stopped_for=Endpoint.FAILING
        )
