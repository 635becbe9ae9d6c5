"""Webhooks, and what was sent to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchard_client.models.base import Model
from orchard_client.models.words import DeliveryState


class Webhook(Model, frozen=True, kw_only=True):
    """A program that is told of what happens."""

    webhook_id: str
    url: str
    description: str
    types: list[str]
    """Of which events it is told; of all, if empty."""
    enabled: bool
    stopped_for: str
    """Why it was disabled by itself: ``gone``, ``failing``, or nothing."""
    failing_since: datetime | None
    old_secret_until: datetime | None
    waiting: int
    failed: int
    created_at: datetime


class NewWebhook(Webhook, frozen=True, kw_only=True):
    """A webhook with its secret, which is answered once."""

    secret: str


class Webhooks(Model, frozen=True, kw_only=True):
    """All webhooks."""

    webhooks: list[Webhook]
    count: int


class Delivery(Model, frozen=True, kw_only=True):
    """One message to one webhook."""

    delivery_id: int
    message_id: str
    type: str
    state: DeliveryState
    attempts: int
    status: int | None
    """What the last attempt was answered."""
    error: str
    excerpt: str
    took_ms: int | None
    created_at: datetime
    next_attempt_at: datetime | None
    ended_at: datetime | None
    payload: dict[str, Any]


class DeliveriesPage(Model, frozen=True, kw_only=True):
    """One page of deliveries, the newest first."""

    deliveries: list[Delivery]
    next: str | None

    @property
    def items(self) -> list[Delivery]:
        """The deliveries."""
        return self.deliveries


class Replayed(Model, frozen=True, kw_only=True):
    """How much is sent again."""

    replayed: int
