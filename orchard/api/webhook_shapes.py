"""Shapes of webhooks: what is sent to make and change them, and what is answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from rest_framework import serializers

from orchard.webhooks.deliveries import PAGE_MAX
from orchard.webhooks.deliveries import STATES as DELIVERY_STATES
from orchard.webhooks.endpoints import DESCRIPTION_MAX, URL_MAX
from orchard.webhooks.messages import TYPES
from orchard.webhooks.models import Delivery, Endpoint

Url = Annotated[str, Meta(max_length=URL_MAX, examples=["https://example.org/hooks/orchard"])]
Description = Annotated[str, Meta(max_length=DESCRIPTION_MAX)]
Types = Annotated[
    list[Annotated[str, Meta(max_length=60, extra_json_schema={"enum": list(TYPES)})]],
    Meta(max_length=len(TYPES), description="Of which events it is told; of all, if empty."),
]


class CreateWebhookBody(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be told of what."""

    url: Url
    description: Description = ""
    types: Types = []


class UpdateWebhookBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change; the rest stays."""

    url: Url | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    types: Types | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET

    def facts(self) -> dict[str, Any]:
        """What was given, by the names of :func:`orchard.webhooks.endpoints.change`."""
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        renamed = {"enabled": "is_enabled"}
        return {renamed.get(k, k): v for k, v in given.items() if v is not UNSET}


class ReplayBody(msgspec.Struct, frozen=True, kw_only=True):
    """Since when failed deliveries are sent again; all, unless given."""

    since: datetime | None = None

    @property
    def moment(self) -> datetime | None:
        """The moment; one without a zone is UTC."""
        is_bare = self.since is not None and self.since.tzinfo is None
        return self.since.replace(tzinfo=UTC) if self.since and is_bare else self.since


BODIES = (CreateWebhookBody, UpdateWebhookBody, ReplayBody)


class WebhookAnswer(serializers.Serializer):
    """One webhook."""

    webhook_id = serializers.CharField()
    url = serializers.CharField()
    description = serializers.CharField()
    types = serializers.ListField(
        child=serializers.CharField(), help_text="Of which events it is told; of all, if empty."
    )
    enabled = serializers.BooleanField()
    stopped_for = serializers.CharField(
        help_text="Why it was disabled by itself: `gone`, `failing`, or nothing."
    )
    failing_since = serializers.DateTimeField(allow_null=True)
    old_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then the secret before the last rotation signs, too."
    )
    waiting = serializers.IntegerField(help_text="Messages that are still to be delivered.")
    failed = serializers.IntegerField(help_text="Messages that were given up.")
    created_at = serializers.DateTimeField()


class NewWebhookAnswer(WebhookAnswer):
    """A webhook with its secret, which is shown here and never again."""

    secret = serializers.CharField()


class WebhooksAnswer(serializers.Serializer):
    """All webhooks."""

    webhooks = WebhookAnswer(many=True)
    count = serializers.IntegerField()


class DeliveryAnswer(serializers.Serializer):
    """One message to one webhook."""

    delivery_id = serializers.IntegerField()
    message_id = serializers.CharField(help_text="The header `webhook-id` of every attempt.")
    type = serializers.CharField()
    state = serializers.ChoiceField(DELIVERY_STATES)
    attempts = serializers.IntegerField()
    status = serializers.IntegerField(
        allow_null=True, help_text="What the last attempt was answered."
    )
    error = serializers.CharField(help_text="Why the last attempt failed.")
    excerpt = serializers.CharField(help_text="How the last answer began.")
    took_ms = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    payload = serializers.DictField(help_text="What is sent.")


class DeliveriesAnswer(serializers.Serializer):
    """One page of deliveries, the newest first."""

    deliveries = DeliveryAnswer(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")


class ReplayedAnswer(serializers.Serializer):
    """How much is sent again."""

    replayed = serializers.IntegerField()


class DeliveryQuery(serializers.Serializer):
    """Which deliveries to list."""

    state = serializers.ChoiceField(DELIVERY_STATES, required=False, default="")
    limit = serializers.IntegerField(min_value=1, max_value=PAGE_MAX, default=50)
    cursor = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=30,
        help_text="The field `next` of the page before.",
    )  # fmt: skip


def webhook_shape(one: Endpoint) -> dict[str, Any]:
    """A webhook as it is answered; one that was just made has nothing waiting."""
    return {
        "webhook_id": one.uid, "url": one.url, "description": one.description,
        "types": one.types, "enabled": one.is_enabled, "stopped_for": one.stopped_for,
        "failing_since": one.failing_since, "old_secret_until": one.old_until,
        "waiting": getattr(one, "waiting", 0), "failed": getattr(one, "failed", 0),
        "created_at": one.created_at,
    }  # fmt: skip


def delivery_shape(one: Delivery) -> dict[str, Any]:
    """A delivery as it is answered."""
    return {
        "delivery_id": one.pk, "message_id": one.message_id, "type": one.type,
        "state": one.state, "attempts": one.attempts, "status": one.status, "error": one.error,
        "excerpt": one.excerpt, "took_ms": one.took_ms, "created_at": one.created_at,
        "next_attempt_at": one.next_at if one.state == Delivery.PENDING else None,
        "ended_at": one.ended_at, "payload": msgspec.json.decode(one.payload),
    }  # fmt: skip
