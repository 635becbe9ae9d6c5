"""``/api/v1/webhooks``: who is told of what, and what became of it; for admins."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from orchard.api.bodies import parse_body
from orchard.api.schema import described
from orchard.api.views import View, parse
from orchard.api.webhook_shapes import (
    CreateWebhookBody,
    DeliveriesAnswer,
    DeliveryAnswer,
    DeliveryQuery,
    NewWebhookAnswer,
    ReplayBody,
    ReplayedAnswer,
    UpdateWebhookBody,
    WebhookAnswer,
    WebhooksAnswer,
    delivery_shape,
    webhook_shape,
)
from orchard.webhooks import deliveries, endpoints
from statecore.api.signals import announce

_UNKNOWN = {404: "There is no such webhook"}


class _OfWebhooks(View):
    """Addresses of other sites, and what they answered, are for admins alone."""

    read_scopes = ("admin",)


class Webhooks(_OfWebhooks):
    """All webhooks."""

    @described(WebhooksAnswer, operation_id="list_webhooks")
    def get(self, request: Request) -> Response:
        """List all webhooks, the oldest first."""
        found = [webhook_shape(one) for one in endpoints.find_all()]
        return Response({"webhooks": found, "count": len(found)})

    @described({201: NewWebhookAnswer}, body=CreateWebhookBody, operation_id="create_webhook")
    def post(self, request: Request) -> Response:
        """Tell a program of what happens from now on; its secret is answered only now."""
        asked = parse_body(CreateWebhookBody, request.data)
        made, secret = endpoints.create(asked.url, asked.description, asked.types)
        announce(request, "webhook.create", made.uid, url=made.url)
        return Response(webhook_shape(made) | {"secret": secret}, 201)


class OneWebhook(_OfWebhooks):
    """One webhook."""

    @described(WebhookAnswer, refusals=_UNKNOWN, operation_id="get_webhook")
    def get(self, request: Request, webhook_id: str) -> Response:
        """What is known of a webhook."""
        return Response(webhook_shape(endpoints.get(webhook_id)))

    @described(
        WebhookAnswer, body=UpdateWebhookBody, refusals=_UNKNOWN, operation_id="update_webhook"
    )
    def patch(self, request: Request, webhook_id: str) -> Response:
        """Change a webhook, disable it, or enable it again; what waits is sent then."""
        facts = parse_body(UpdateWebhookBody, request.data).facts()
        changed = endpoints.change(webhook_id, **facts)
        announce(request, "webhook.change", webhook_id, **facts)
        return Response(webhook_shape(changed))

    @described(WebhookAnswer, refusals=_UNKNOWN, operation_id="delete_webhook")
    def delete(self, request: Request, webhook_id: str) -> Response:
        """Tell a program no longer, and forget what it was told."""
        gone = endpoints.remove(webhook_id)
        announce(request, "webhook.delete", webhook_id, url=gone.url)
        return Response(webhook_shape(gone))


class Rotate(_OfWebhooks):
    """Giving a webhook a new secret."""

    @described(NewWebhookAnswer, refusals=_UNKNOWN, operation_id="rotate_webhook", request=None)
    def post(self, request: Request, webhook_id: str) -> Response:
        """Make a new secret, answered only now; the old one signs, too, for 24 hours."""
        changed, secret = endpoints.rotate(webhook_id)
        announce(request, "webhook.rotate", webhook_id)
        return Response(webhook_shape(changed) | {"secret": secret})


class Test(_OfWebhooks):
    """Trying a webhook."""

    @described(
        {201: DeliveryAnswer}, operation_id="test_webhook", request=None,
        refusals=_UNKNOWN | {400: "It is disabled"},
    )  # fmt: skip
    def post(self, request: Request, webhook_id: str) -> Response:
        """Send a message of the type `webhook.test`, as all others are sent."""
        made = endpoints.send_test(webhook_id)
        announce(request, "webhook.test", webhook_id)
        return Response(delivery_shape(made), 201)


class Deliveries(_OfWebhooks):
    """What a webhook was sent."""

    @described(
        DeliveriesAnswer, query=DeliveryQuery, refusals=_UNKNOWN, operation_id="list_deliveries"
    )
    def get(self, request: Request, webhook_id: str) -> Response:
        """List what a webhook was sent, or is to be, the newest first."""
        asked = parse(DeliveryQuery, request.query_params)
        page = deliveries.page(endpoints.get(webhook_id), **asked)
        shown = [delivery_shape(one) for one in page.deliveries]
        return Response({"deliveries": shown, "next": page.next})


class Replay(_OfWebhooks):
    """Sending one message again."""

    @described(
        DeliveryAnswer, operation_id="replay_delivery", request=None,
        refusals={404: "There is no such webhook, or no such delivery"},
    )  # fmt: skip
    def post(self, request: Request, webhook_id: str, delivery_id: int) -> Response:
        """Send a message again, with the same id; one that waits is tried at once."""
        sent = deliveries.replay(webhook_id, delivery_id)
        announce(request, "webhook.replay", webhook_id, delivery=delivery_id)
        return Response(delivery_shape(sent))


class ReplayFailed(_OfWebhooks):
    """Sending again what was given up."""

    @described(
        ReplayedAnswer, body=ReplayBody, refusals=_UNKNOWN,
        operation_id="replay_failed_deliveries",
    )  # fmt: skip
    def post(self, request: Request, webhook_id: str) -> Response:
        """Send all again that was given up; with `since`, only what happened after that."""
        since = parse_body(ReplayBody, request.data).moment
        count = deliveries.replay_failed(webhook_id, since)
        facts = {"since": since.isoformat()} if since else {}
        announce(request, "webhook.replay_failed", webhook_id, count=count, **facts)
        return Response({"replayed": count})
