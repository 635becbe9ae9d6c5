"""Webhooks: who is told of what, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from orchard_client.call import Call, answers, get, quoted, send
from orchard_client.models.webhooks import (
    DeliveriesPage,
    Delivery,
    NewWebhook,
    Replayed,
    Webhook,
    Webhooks,
)

_webhook, _new, _delivery = answers(Webhook), answers(NewWebhook), answers(Delivery)


def list_webhooks() -> Call[Webhooks]:
    """All webhooks, the oldest first."""
    return get("/webhooks", answers(Webhooks))


def create_webhook(
    url: str, *, description: str = "", types: Sequence[str] = ()
) -> Call[NewWebhook]:
    """Have a program told of what happens from now on; its secret is answered only now."""
    body = {"url": url, "description": description, "types": list(types)}
    return send("POST", "/webhooks", _new, body)


def get_webhook(webhook_id: str) -> Call[Webhook]:
    """What is known of a webhook."""
    return get(_of(webhook_id), _webhook)


def update_webhook(
    webhook_id: str, *, url: str | None = None, description: str | None = None,
    types: Sequence[str] | None = None, enabled: bool | None = None,
) -> Call[Webhook]:  # fmt: skip
    """Change a webhook, disable it, or enable it again; what is ``None`` stays."""
    body = {
        "url": url, "description": description, "enabled": enabled,
        "types": None if types is None else list(types),
    }  # fmt: skip
    return send("PATCH", _of(webhook_id), _webhook, body, repeatable=True)


def delete_webhook(webhook_id: str) -> Call[Webhook]:
    """Have a program told no longer, and forget what it was told."""
    return send("DELETE", _of(webhook_id), _webhook)


def rotate_webhook(webhook_id: str) -> Call[NewWebhook]:
    """Make a new secret, answered only now; the old one signs, too, for 24 hours."""
    return send("POST", f"{_of(webhook_id)}/rotate", _new)


def test_webhook(webhook_id: str) -> Call[Delivery]:
    """Send a message of the type ``webhook.test``."""
    return send("POST", f"{_of(webhook_id)}/test", _delivery)


def list_deliveries(
    webhook_id: str, *, state: str | None = None, limit: int = 50, cursor: str = ""
) -> Call[DeliveriesPage]:
    """One page of what a webhook was sent, or is to be, the newest first."""
    query = {"state": state, "limit": limit, "cursor": cursor}
    return get(f"{_of(webhook_id)}/deliveries", answers(DeliveriesPage), query=query)


def replay_delivery(webhook_id: str, delivery_id: int) -> Call[Delivery]:
    """Send a message again, with the same id; one that waits is tried at once."""
    path = f"{_of(webhook_id)}/deliveries/{quoted(delivery_id)}/replay"
    return send("POST", path, _delivery, repeatable=True)


def replay_failed_deliveries(webhook_id: str, *, since: datetime | None = None) -> Call[Replayed]:
    """Send all again that was given up; with ``since``, only what happened after that."""
    path = f"{_of(webhook_id)}/replay"
    return send("POST", path, answers(Replayed), {"since": since}, repeatable=True)


def _of(webhook_id: str) -> str:
    return f"/webhooks/{quoted(webhook_id)}"
