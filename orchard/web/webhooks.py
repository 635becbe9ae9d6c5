"""The pages of webhooks: who is told of what, and what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from orchard.roles import Role
from orchard.web.access import page
from orchard.web.looking import query_of
from orchard.web.webhook_words import DELIVERY_STATES, EVENT_NOTES, STOPPED_FOR
from orchard.web.words import Word
from orchard.webhooks import deliveries, endpoints
from orchard.webhooks.models import Delivery, Endpoint

PAGE = 50


@dataclass(frozen=True)
class ShownDelivery:
    """A delivery with the words and links of the page."""

    delivery: Delivery

    @property
    def label(self) -> Word:
        return DELIVERY_STATES[self.delivery.state][0]

    @property
    def look(self) -> str:
        """How its badge looks."""
        return DELIVERY_STATES[self.delivery.state][1]

    @property
    def about(self) -> str:
        """The job or issue that it tells of; nothing for a test."""
        kind, _, name = self.delivery.subject.partition(":")
        return {"job": name, "issue": f"#{name}"}.get(kind, "")

    @property
    def url(self) -> str:
        """The page of that."""
        kind, _, name = self.delivery.subject.partition(":")
        if kind == "job":
            return reverse("job-page", args=[name]) if "/" not in name else ""
        return reverse("issue-page", args=[int(name)]) if kind == "issue" else ""

    @property
    def payload(self) -> str:
        """What is sent, to be read."""
        return json.dumps(json.loads(self.delivery.payload), indent=2, ensure_ascii=False)

    @property
    def waits(self) -> bool:
        """Whether it is tried later."""
        return self.delivery.state == Delivery.PENDING and self.delivery.next_at > timezone.now()


@page(needs=Role.ADMIN)
def webhooks(request: HttpRequest) -> HttpResponse:
    """All webhooks, and a form for a new one."""
    context = {
        "page": "webhooks", "endpoints": endpoints.find_all(), "events": EVENT_NOTES.items(),
    }  # fmt: skip
    return render(request, "orchard/webhooks.html", context)


@page(needs=Role.ADMIN)
def webhook(request: HttpRequest, uid: str) -> HttpResponse:
    """One webhook: what it was sent, page by page, and its settings."""
    endpoint = endpoints.get(uid)
    counts = deliveries.count_by_state(endpoint)
    state = request.GET.get("state", "")
    state = state if state in counts else ""
    cursor = request.GET.get("cursor", "")
    found = deliveries.page(endpoint, state=state, limit=PAGE, cursor=cursor)
    context: dict[str, Any] = {
        "page": "webhook", "endpoint": endpoint, "state": state,
        "deliveries": [ShownDelivery(one) for one in found.deliveries], "next": found.next,
        "filters": [(name, word, counts[name]) for name, (word, _) in DELIVERY_STATES.items()],
        "total": sum(counts.values()), "failed": counts[Delivery.FAILED],
        "state_query": query_of(state=state) if state else "", "is_first": not cursor,
        "events": EVENT_NOTES.items(), "stopped_for": STOPPED_FOR.get(endpoint.stopped_for, ""),
        "old_until": _old_until(endpoint),
    }  # fmt: skip
    return render(request, "orchard/webhook.html", context)


def _old_until(endpoint: Endpoint) -> Any:
    """Until when the secret before signs, too; nothing when it does no longer."""
    is_over = endpoint.old_until is None or endpoint.old_until <= timezone.now()
    return None if is_over else endpoint.old_until
