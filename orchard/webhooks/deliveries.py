"""What was sent: pages of it, and sending it again."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.db.models import Count, QuerySet
from django.utils import timezone

from orchard.domain.errors import InvalidInput, UnknownDelivery
from orchard.webhooks import endpoints
from orchard.webhooks.models import Delivery, Endpoint

STATES = tuple(state for state, _ in Delivery.STATES)
PAGE_MAX = 200


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page, the newest first, and the cursor of the next."""

    deliveries: list[Delivery]
    next: str | None


def page(endpoint: Endpoint, *, state: str = "", limit: int = 50, cursor: str = "") -> DeliveryPage:
    """One page of what an endpoint was sent, or is to be.

    Raises:
        InvalidInput: limit or cursor are none.
    """
    if not 1 <= limit <= PAGE_MAX:
        raise InvalidInput("limit", f"must be from 1 to {PAGE_MAX}")
    found = Delivery.objects.filter(endpoint=endpoint).order_by("-pk")
    if cursor:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise InvalidInput("cursor", "not a cursor of this list")
        found = found.filter(pk__lt=int(cursor))
    if state in STATES:
        found = found.filter(state=state)
    rows = list(found[: limit + 1])
    following = str(rows[limit - 1].pk) if len(rows) > limit else None
    return DeliveryPage(deliveries=rows[:limit], next=following)


def count_by_state(endpoint: Endpoint) -> dict[str, int]:
    """How many deliveries of an endpoint are in each state."""
    rows = Delivery.objects.filter(endpoint=endpoint).order_by().values("state")
    counted = {row["state"]: row["n"] for row in rows.annotate(n=Count("pk"))}
    return {state: counted.get(state, 0) for state in STATES}


def replay(uid: str, delivery_id: int) -> Delivery:
    """Send a message again, with the same id; one that waits is tried at once.

    Raises:
        UnknownWebhook, UnknownDelivery: there is none.
    """
    endpoint = endpoints.get(uid)
    if not _again(Delivery.objects.filter(endpoint=endpoint, pk=delivery_id)):
        raise UnknownDelivery
    return Delivery.objects.get(pk=delivery_id)


def replay_failed(uid: str, since: datetime | None = None) -> int:
    """Send all that was given up again; how much it was. ``since`` is when it was made.

    Raises:
        UnknownWebhook: there is none.
    """
    failed = Delivery.objects.filter(endpoint=endpoints.get(uid), state=Delivery.FAILED)
    return _again(failed.filter(created_at__gte=since) if since else failed)


def _again(found: QuerySet[Delivery]) -> int:
    return found.update(state=Delivery.PENDING, attempts=0, next_at=timezone.now(), ended_at=None)
